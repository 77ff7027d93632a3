//! Random transactions, against a model that fits on a page.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::store::{Entry, Key, Op, StoreErrorKind, Txn, Version};

use crate::store::trial::{Handle, Trial, text};

const SEEDS: u64 = 6;
const STEPS: u64 = 60;
const HANDLES: u64 = 3;

/// Few, so that transactions meet; some lie below others, which is never legal at once.
const PATHS: [&str; 7] = [
    "a",
    "b",
    "dir/a",
    "dir/b",
    "dir/sub/a",
    "b/below",
    "dir/sub",
];

/// What should be there.
type Model = BTreeMap<Key, Entry>;

pub(in crate::store) async fn s06_random_transactions_do_what_the_model_does(trial: Trial) {
    let count = usize::try_from(HANDLES).unwrap_or(1);
    let handles = trial.open_many(count).await;
    for seed in 0..SEEDS {
        let run = Run {
            trial: &trial,
            seed,
            keys: PATHS.map(|path| trial.key(&format!("seed{seed}/{path}"))),
        };
        run.all_steps(&handles).await;
    }
}

struct Run<'a> {
    trial: &'a Trial,
    seed: u64,
    keys: [Key; PATHS.len()],
}

impl Run<'_> {
    async fn all_steps(&self, handles: &[Handle]) {
        let mut random = Random(self.seed);
        let mut model = Model::new();
        let mut past: Vec<Version> = vec![Version::from_raw(0)];
        for step in 0..STEPS {
            let Some(handle) = random.pick(handles) else {
                return;
            };
            let txn = self.transaction(&mut random, &model, &past);
            let expected = verdicts(&model, &txn);
            let outcome = handle.try_commit(txn.clone()).await;
            let got = outcome.as_ref().err().map(|error| error.kind());
            self.trial.judge().demand(
                expected.contains(&got),
                format_args!(
                    "seed {}, step {step}: {got:?} instead of {expected:?} for {txn:?} on {model:?}",
                    self.seed
                ),
            );
            if got.is_none() {
                execute(&mut model, &txn);
            }
            self.compare(handle, &mut model, step, &txn).await;
            past.extend(model.values().map(|entry| entry.version));
        }
        for handle in handles {
            self.arrives(handle, &model).await;
        }
    }

    /// Mostly right, often enough wrong.
    fn transaction(&self, random: &mut Random, model: &Model, past: &[Version]) -> Txn {
        let mut txn = Txn::new();
        let mut used = BTreeSet::new();
        for _ in 0..=random.below(3) {
            let Some(key) = random.pick(&self.keys) else {
                continue;
            };
            if !used.insert(key) {
                continue;
            }
            let wrong = random.below(6) == 0;
            let version = match model.get(key) {
                Some(entry) if !wrong => entry.version,
                _ => random.pick(past).copied().unwrap_or(Version::from_raw(0)),
            };
            let value = random.below(1000).to_string();
            let there = model.contains_key(key) != wrong;
            txn = match (there, random.below(4)) {
                (false, _) => txn.create(key.clone(), value),
                (true, 0) => txn.check(key.clone(), version),
                (true, 1) => txn.delete(key.clone(), version),
                (true, _) => txn.update(key.clone(), version, value),
            };
        }
        txn
    }

    /// Compares what the committing handle reads and learns the new versions.
    async fn compare(&self, handle: &Handle, model: &mut Model, step: u64, txn: &Txn) {
        let judge = self.trial.judge();
        for key in &self.keys {
            let touched = txn.ops().iter().any(|op| op.key() == key);
            if !touched {
                continue;
            }
            let read = handle.get(key).await;
            let modelled = model.get_mut(key);
            let same = match (&read, &modelled) {
                (None, None) => true,
                (Some(read), Some(modelled)) => read.value == modelled.value,
                _ => false,
            };
            judge.demand(
                same,
                format_args!(
                    "seed {}, step {step}: {key} is {:?} instead of {:?} after {txn:?}",
                    self.seed,
                    read.as_ref().map(text),
                    modelled.as_ref().map(|entry| text(entry)),
                ),
            );
            if let (Some(read), Some(modelled)) = (read, modelled) {
                modelled.version = read.version;
            }
        }
    }

    async fn arrives(&self, handle: &Handle, model: &Model) {
        for key in &self.keys {
            let what = format!(
                "seed {}: the last state of {key} at every handle",
                self.seed
            );
            let holds = |entry: Option<&Entry>| entry == model.get(key);
            handle.until(key, &what, holds).await;
        }
    }
}

/// The outcomes the contract allows: where several reasons to refuse meet, any of them.
fn verdicts(model: &Model, txn: &Txn) -> Vec<Option<StoreErrorKind>> {
    let mut allowed = Vec::new();
    let conflicts = txn.ops().iter().any(|op| match (op, model.get(op.key())) {
        (Op::Create { .. }, there) => there.is_some(),
        (
            Op::Check { version, .. } | Op::Update { version, .. } | Op::Delete { version, .. },
            there,
        ) => there.is_none_or(|entry| entry.version != *version),
    });
    if conflicts {
        allowed.push(Some(StoreErrorKind::Conflict));
    }
    let mut after = model.clone();
    execute(&mut after, txn);
    let created = |op: &Op| matches!(op, Op::Create { .. });
    let misplaced = txn.ops().iter().filter(|op| created(op)).any(|op| {
        let key = op.key();
        let tangled = |other: &Key| other.is_below(key) || key.is_below(other);
        after.keys().chain(model.keys()).any(tangled)
    });
    if misplaced {
        allowed.push(Some(StoreErrorKind::Invalid));
    }
    let settled = txn.ops().iter().filter(|op| created(op)).all(|op| {
        let key = op.key();
        !after
            .keys()
            .any(|other| other.is_below(key) || key.is_below(other))
    });
    if !conflicts && settled {
        allowed.push(None);
    }
    allowed
}

fn execute(model: &mut Model, txn: &Txn) {
    for op in txn.ops() {
        match op {
            Op::Check { .. } => {}
            Op::Create { key, value, .. } => {
                let version = Version::from_raw(0);
                let value = value.clone();
                model.insert(key.clone(), Entry { value, version });
            }
            Op::Update { key, value, .. } => {
                if let Some(entry) = model.get_mut(key) {
                    entry.value = value.clone();
                }
            }
            Op::Delete { key, .. } => {
                model.remove(key);
            }
        }
    }
}

/// A small generator of numbers, the same on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len() as u64);
        usize::try_from(index)
            .ok()
            .and_then(|index| from.get(index))
    }
}
