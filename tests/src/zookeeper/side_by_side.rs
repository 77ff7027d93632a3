//! The same random sequences against the store in memory and real servers: they never differ.

use std::collections::BTreeSet;

use helios_core::store::{Entry, Key, Snapshot, Store, Txn, Version};
use helios_store::MemoryStore;
use helios_store::zookeeper::ZooKeeperStore;

use crate::ensemble::Ensemble;
use crate::load::key;

/// Transactions per test; `HELIOS_STEPS` sets another number.
const STEPS: usize = 600;

/// Few keys, so that they meet: beside, above and below each other.
const KEYS: [&str; 9] = [
    "a", "a/b", "a/b/c", "a/b/d", "a-b", "b", "b/c", "b/d", "c/d/e/f",
];

/// Random numbers from a seed that the failure message names.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % limit as u64).unwrap()
    }

    /// A transaction of a few operations, most of which could be right.
    fn txn(&mut self, seen: &[(Key, Option<Entry>)]) -> Txn {
        let mut used = BTreeSet::new();
        let mut txn = Txn::new();
        for _ in 0..=self.below(4) {
            let (key, entry) = &seen[self.below(seen.len())];
            if !used.insert(key.clone()) {
                continue;
            }
            let value = vec![b'v'; self.below(20)];
            let version = match entry {
                Some(entry) if self.below(8) > 0 => entry.version,
                _ => Version::from_raw(self.below(3) as u64),
            };
            let key = key.clone();
            txn = match (self.below(8), entry.is_some()) {
                (0, _) | (1..=4, false) => txn.create(key, value),
                (5, false) => txn.create_ephemeral(key, value),
                (1 | 2, true) => txn.update(key, version, value),
                (3 | 4, true) | (6, false) => txn.delete(key, version),
                _ => txn.check(key, version),
            };
        }
        txn
    }
}

/// A handle on each side.
struct Pair {
    memory: MemoryStore,
    real: ZooKeeperStore,
}

impl Pair {
    async fn entries(&self, because: &str) -> Vec<(Key, Option<Entry>)> {
        let mut seen = Vec::new();
        for text in KEYS {
            let key = key(text);
            let entry = self.memory.get(&key).await.unwrap();
            let real = self.real.get(&key).await.unwrap();
            assert_eq!(real, entry, "{text} {because}");
            seen.push((key, entry));
        }
        for dir in ["a", "a/b", "b", "c", "c/d", "c/d/e", "nowhere"] {
            let memory: Snapshot = self.memory.list(&key(dir)).await.unwrap();
            let real = self.real.list(&key(dir)).await.unwrap();
            assert_eq!(real, memory, "the list of {dir} {because}");
        }
        seen
    }
}

async fn run(servers: usize, seed: u64) {
    let steps = match std::env::var("HELIOS_STEPS") {
        Ok(steps) => steps.parse().expect("HELIOS_STEPS is a number"),
        Err(_) => STEPS,
    };
    let ensemble = Ensemble::start(servers).await;
    let memory = MemoryStore::new();
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(Pair {
            memory: memory.session(),
            real: ensemble.store("helios").await,
        });
    }
    let mut dice = Dice(seed);
    let mut committed = 0;
    for step in 0..steps {
        let at = dice.below(pairs.len());
        let because = format!("differs after step {step} of seed {seed}");
        if dice.below(40) == 0 {
            let pair = &mut pairs[at];
            pair.memory.close();
            pair.real.close().await;
            pair.memory = memory.session();
            pair.real = ensemble.store("helios").await;
            continue;
        }
        let pair = &pairs[at];
        // A handle may lag behind the others until it commits something itself.
        let tick = Txn::new().create(key(&format!("ticks/{step}")), "");
        pair.memory.commit(tick.clone()).await.unwrap();
        pair.real.commit(tick).await.unwrap();
        let seen = pair.entries(&because).await;
        let txn = dice.txn(&seen);
        let told = pair.memory.commit(txn.clone()).await;
        let real = pair.real.commit(txn.clone()).await;
        let kinds = (
            real.map_err(|error| error.kind()),
            told.map_err(|error| error.kind()),
        );
        assert_eq!(kinds.0, kinds.1, "{txn:?} {because}");
        committed += usize::from(kinds.0.is_ok());
        pair.entries(&because).await;
    }
    assert!(
        committed > steps / 6,
        "only {committed} were legal: they prove little"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_is_as_the_store_in_memory() {
    run(1, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_are_as_the_store_in_memory() {
    run(3, 2).await;
}
