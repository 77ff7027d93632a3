//! A file store whose process is killed at any moment has every acknowledged commit, and no half one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use helios_core::Store;
use helios_core::store::{Entry, Key, Snapshot, Txn};
use helios_store::FileStore;

const KILLS: u64 = 25;
const WRITERS: u64 = 6;
const LOG_LEN: u64 = 5;

#[tokio::test]
async fn no_acknowledged_commit_is_lost_and_none_is_halved() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for kill in 0..KILLS {
        for (writer, round) in run_and_kill(dir.path(), kill) {
            let last = acknowledged.insert(writer, round).unwrap_or(0);
            assert!(
                round > last,
                "kill {kill}: {writer} did {round} after {last}"
            );
        }
        let store = FileStore::open(&dir).unwrap();
        for writer in 0..WRITERS {
            let last = acknowledged.get(&writer).copied().unwrap_or(0);
            let kept = verify(&store, writer, last, kill).await;
            acknowledged.insert(writer, kept);
        }
        let ups = store.list(&Key::new("up").unwrap()).await.unwrap();
        assert!(
            ups.is_empty(),
            "kill {kill}: ephemeral entries outlived their process"
        );
    }
    let total: u64 = acknowledged.values().sum();
    assert!(total > KILLS, "only {total} commits in all");
}

/// The same, but it is the system that lets no file grow beyond a limit, as a full disk does.
#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_fills_up_loses_no_acknowledged_commit() {
    let dir = tempfile::tempdir().unwrap();
    let limited = r#"trap '' XFSZ; ulimit -f 4096; exec "$0" "$1""#;
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_file-store-writer")])
        .arg(dir.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("Unavailable"), "{complaint}");
    let mut acknowledged = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (writer, round) = parsed(line);
        acknowledged.insert(writer, round);
    }
    assert!(!acknowledged.is_empty(), "full before the first commit");
    let store = FileStore::open(&dir).unwrap();
    for (writer, last) in acknowledged {
        verify(&store, writer, last, 0).await;
    }
    let more = Txn::new().create(Key::new("more").unwrap(), "there is room again");
    store.commit(more).await.unwrap();
}

/// Runs the writer, kills it a while after its first acknowledgement, or at once every few times, and gives all
/// acknowledgements.
fn run_and_kill(dir: &Path, kill: u64) -> Vec<(u64, u64)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_file-store-writer"))
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    if kill % 5 != 4 {
        let first = lines.next().expect("the writer ended by itself").unwrap();
        acknowledged.push(parsed(&first));
    }
    let rest = thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    let moment = (kill + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    thread::sleep(Duration::from_micros(moment % 120_000));
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = rest.join().unwrap();
    acknowledged.extend(rest.iter().map(|line| parsed(line)));
    acknowledged
}

fn parsed(line: &str) -> (u64, u64) {
    let (writer, round) = line.split_once(' ').unwrap();
    (writer.parse().unwrap(), round.parse().unwrap())
}

/// What the writer has in the store: the last acknowledged round, or the one that was under way, as a whole.
async fn verify(store: &FileStore, writer: u64, last: u64, kill: u64) -> u64 {
    let entry = async |dir: &str| {
        let key = Key::new(&format!("{dir}/w{writer}")).unwrap();
        store.get(&key).await.unwrap()
    };
    let (left, right) = (entry("left").await, entry("right").await);
    let value = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.value.clone());
    assert_eq!(value(&left), value(&right), "kill {kill}: {writer} is torn");
    let kept = left.as_ref().map_or(0, number);
    assert!(
        (last..=last + 1).contains(&kept),
        "kill {kill}: {writer} was told {last}, kept {kept}"
    );
    let log = Key::new(&format!("log{writer}")).unwrap();
    let log = rounds(&store.list(&log).await.unwrap());
    let first = (kept + 1).saturating_sub(LOG_LEN).max(1);
    let expected: Vec<u64> = (first..=kept).collect();
    assert_eq!(log, expected, "kill {kill}: {writer} is torn");
    kept
}

fn rounds(log: &Snapshot) -> Vec<u64> {
    let mut rounds: Vec<u64> = log.iter().map(|(_, entry)| number(entry)).collect();
    rounds.sort_unstable();
    rounds
}

fn number(entry: &Entry) -> u64 {
    let text = str::from_utf8(&entry.value).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}
