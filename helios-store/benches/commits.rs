//! What a commit costs: `cargo bench -p helios-store`. Prints a table; the bare `fsync` is the yardstick.
#![expect(clippy::print_stdout, reason = "the table is what a bench is for")]

use std::error::Error;
use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, future};
use helios_core::Store;
use helios_core::store::{Key, Scope, Txn};
use helios_store::{FileStore, MemoryStore};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The entries that lie in the directory meanwhile, as in a fleet of that size.
const ENTRIES: u64 = 10_000;
const VALUE: [u8; 1024] = [b'x'; 1024];
const IN_FLIGHT: u64 = 64;

fn main() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        println!(
            "{ENTRIES} entries of {} bytes, {IN_FLIGHT} in flight",
            VALUE.len()
        );
        println!(
            "{:<34} {:>12} {:>12} {:>12}",
            "", "median", "99 %", "per second"
        );
        row("bare write and fsync", &bare_fsyncs(dir.path(), 300)?);
        measure("memory", MemoryStore::new(), 20_000).await?;
        let path = dir.path().join("store");
        measure("file", FileStore::open(&path)?, 400).await?;
        let begin = Instant::now();
        let store = FileStore::open(&path)?;
        row("file: open, all verified", &[begin.elapsed()]);
        drop(store);
        Ok(())
    })
}

async fn measure(name: &str, store: impl Store, rounds: u64) -> Outcome {
    let store: Arc<dyn Store> = Arc::new(store);
    fill(&*store).await?;
    let label = |what: &str| format!("{name}: {what}");
    row(&label("one commit"), &one_by_one(&*store, rounds).await?);
    let begin = Instant::now();
    let total = rounds * 20;
    future::try_join_all((0..IN_FLIGHT).map(|lane| many(&*store, lane, total / IN_FLIGHT))).await?;
    rate(&label("commits, many in flight"), total, begin.elapsed());
    row(
        &label("commit until a watch shows it"),
        &watched(&*store, rounds).await?,
    );
    let key = entry(7)?;
    let reads = timed(rounds, || async { store.get(&key).await.map(drop) }).await?;
    row(&label("get"), &reads);
    let dir = Key::new("hosts")?;
    let lists = timed(rounds, || async { store.list(&dir).await.map(drop) }).await?;
    row(&label("list of all entries"), &lists);
    Ok(())
}

async fn fill(store: &dyn Store) -> Outcome {
    for chunk in 0..ENTRIES / 500 {
        let mut txn = Txn::new();
        for n in chunk * 500..(chunk + 1) * 500 {
            txn = txn.create(entry(n)?, &VALUE[..]);
        }
        store.commit(txn).await?;
    }
    Ok(())
}

async fn one_by_one(store: &dyn Store, rounds: u64) -> Outcome<Vec<Duration>> {
    let mut times = Vec::new();
    for n in 0..rounds {
        let key = entry(n % ENTRIES)?;
        let now = store.get(&key).await?.ok_or("an entry is missing")?;
        let txn = Txn::new().update(key, now.version, &VALUE[..]);
        let begin = Instant::now();
        store.commit(txn).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

async fn many(store: &dyn Store, lane: u64, rounds: u64) -> Outcome {
    let key = entry(lane)?;
    for _ in 0..rounds {
        let now = store.get(&key).await?.ok_or("an entry is missing")?;
        let txn = Txn::new().update(key.clone(), now.version, &VALUE[..]);
        store.commit(txn).await?;
    }
    Ok(())
}

async fn watched(store: &dyn Store, rounds: u64) -> Outcome<Vec<Duration>> {
    let mut watch = store.watch(Scope::Children(Key::new("hosts")?));
    let key = entry(3)?;
    watch.next().await.ok_or("the watch ended")??;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let now = store.get(&key).await?.ok_or("an entry is missing")?;
        let begin = Instant::now();
        let txn = Txn::new().update(key.clone(), now.version, &VALUE[..]);
        let (committed, shown) = future::join(store.commit(txn), watch.next()).await;
        committed?;
        shown.ok_or("the watch ended")??;
        times.push(begin.elapsed());
    }
    Ok(times)
}

async fn timed<E, F>(rounds: u64, work: impl Fn() -> F) -> Result<Vec<Duration>, E>
where
    F: Future<Output = Result<(), E>>,
{
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        work().await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

fn bare_fsyncs(dir: &Path, rounds: u64) -> Outcome<Vec<Duration>> {
    let mut file = File::create(dir.join("yardstick"))?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

fn entry(n: u64) -> Outcome<Key> {
    Ok(Key::new(&format!("hosts/h{n:05}"))?)
}

fn row(label: &str, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| {
        sorted
            .get(sorted.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let total: Duration = times.iter().sum();
    let per_second = times.len() as f64 / total.as_secs_f64();
    println!(
        "{label:<34} {:>12.1?} {:>12.1?} {per_second:>12.0}",
        at(50),
        at(99)
    );
}

fn rate(label: &str, count: u64, took: Duration) {
    let per_second = count as f64 / took.as_secs_f64();
    println!("{label:<34} {:>12} {:>12} {per_second:>12.0}", "", "");
}
