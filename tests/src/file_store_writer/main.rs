//! Commits to a file store for ever and prints what was acknowledged, to be killed in the middle.
//!
//! Usage: `file-store-writer DIR`. Prints a line `WRITER ROUND` for every acknowledged commit.

use std::error::Error;
use std::io::{Write, stdout};
use std::sync::Arc;

use helios_core::Store;
use helios_core::store::{Entry, Key, Txn};
use helios_store::FileStore;

/// How many writers commit at the same time.
const WRITERS: usize = 6;

/// How many rounds the log of a writer goes back.
const LOG_LEN: u64 = 5;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let dir = std::env::args()
        .nth(1)
        .ok_or("usage: file-store-writer DIR")?;
    let store = FileStore::open(dir)?;
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write(store.session(), writer)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    Ok(())
}

/// Each round is one transaction over two entries that always agree and a log of the last rounds.
async fn write(store: FileStore, writer: usize) -> Result<(), Failure> {
    let left = Key::new(&format!("left/w{writer}"))?;
    let right = Key::new(&format!("right/w{writer}"))?;
    let up = Key::new(&format!("up/w{writer}"))?;
    store
        .commit(Txn::new().create_ephemeral(up, "here"))
        .await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let mut round = number(store.get(&left).await?.as_ref())?;
    loop {
        round += 1;
        let padding = "x".repeat(usize::try_from(round * 9973 % 60_000)?);
        let value = format!("{round} {padding}");
        let mut txn = Txn::new().create(log(writer, round)?, value.clone());
        for key in [&left, &right] {
            txn = match store.get(key).await? {
                Some(entry) => txn.update(key.clone(), entry.version, value.clone()),
                None => txn.create(key.clone(), value.clone()),
            };
        }
        if let Some(past) = round.checked_sub(LOG_LEN).filter(|past| *past > 0) {
            let past = log(writer, past)?;
            let entry = store.get(&past).await?.ok_or("the log has a hole")?;
            txn = txn.delete(past, entry.version);
        }
        store.commit(txn).await?;
        let mut out = stdout().lock();
        writeln!(out, "{writer} {round}")?;
        out.flush()?;
    }
}

fn log(writer: usize, round: u64) -> Result<Key, Failure> {
    Ok(Key::new(&format!("log{writer}/r{round}"))?)
}

fn number(entry: Option<&Entry>) -> Result<u64, Failure> {
    let Some(entry) = entry else { return Ok(0) };
    let text = str::from_utf8(&entry.value)?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
