//! S-07: many handles at once want to change the same entries.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use helios_core::store::{StoreErrorKind, Txn};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::reads::join;
use crate::store::trial::{Handle, Trial, number};

const HANDLES: usize = 8;
const ROUNDS: u64 = 10;

pub(in crate::store) async fn s07_one_of_many_updates_wins(trial: Trial) {
    let handles = trial.open_many(HANDLES).await;
    let (key, judge) = (trial.key("dir/entry"), trial.judge());
    for round in 0..ROUNDS {
        let Some(first) = handles.first() else { return };
        first.put(&key, round).await;
        let at = first.version(&key).await;
        let wins = race(&handles, |n, handle| {
            let txn = Txn::new().update(key.clone(), at, n.to_string());
            async move { won(&handle, txn).await }
        });
        let wins: Vec<usize> = wins.await;
        let [winner] = wins.as_slice() else {
            judge.fail(format_args!(
                "of {HANDLES} updates of one version {wins:?} were Ok"
            ));
        };
        for handle in &handles {
            let holds = |entry: Option<&_>| number(entry) == *winner as u64;
            handle
                .until(&key, "the winner's value everywhere", holds)
                .await;
        }
    }
}

pub(in crate::store) async fn s07_one_of_many_creates_wins(trial: Trial) {
    let handles = trial.open_many(HANDLES).await;
    let judge = trial.judge();
    for round in 0..ROUNDS {
        let key = trial.key(&format!("dir{round}/entry"));
        let wins = race(&handles, |n, handle| {
            let txn = Txn::new().create(key.clone(), n.to_string());
            async move { won(&handle, txn).await }
        });
        let wins = wins.await;
        judge.demand(
            wins.len() == 1,
            format_args!("of {HANDLES} creates of one entry {wins:?} were Ok"),
        );
    }
}

/// Each of two handles clears its own flag only while the other's is still set: both cleared is wrong.
pub(in crate::store) async fn s07_a_checked_entry_cannot_change_meanwhile(trial: Trial) {
    let handles = trial.open_many(2).await;
    let judge = trial.judge();
    let flags = [trial.key("flags/a"), trial.key("flags/b")];
    let [a, b] = &flags;
    for _ in 0..ROUNDS * 3 {
        let Some(first) = handles.first() else { return };
        first.put(a, "set").await;
        first.put(b, "set").await;
        let (at_a, at_b) = (first.version(a).await, first.version(b).await);
        let wins = race(&handles, |n, handle| {
            let txn = if n == 0 {
                Txn::new()
                    .check(b.clone(), at_b)
                    .update(a.clone(), at_a, "clear")
            } else {
                Txn::new()
                    .check(a.clone(), at_a)
                    .update(b.clone(), at_b, "clear")
            };
            async move { won(&handle, txn).await }
        });
        let wins = wins.await;
        judge.demand(
            wins.len() == 1,
            format_args!("of two that exclude each other {wins:?} were Ok"),
        );
    }
}

/// All read, all commit, first in step, so that all but one must fail, then as fast as each can: the
/// counter shows exactly what was acknowledged.
pub(in crate::store) async fn s07_acknowledged_increments_add_up(trial: Trial) {
    let handles = trial.open_many(HANDLES).await;
    let (key, judge) = (trial.key("dir/counter"), trial.judge());
    let Some(first) = handles.first() else { return };
    first.put(&key, 0).await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let step = Arc::new(Barrier::new(HANDLES));
    let done = race(&handles, |_, handle| {
        let (key, step) = (key.clone(), Arc::clone(&step));
        let acknowledged = Arc::clone(&acknowledged);
        async move {
            for round in 0..ROUNDS * 3 {
                let entry = handle.existing(&key).await;
                if round < ROUNDS {
                    step.wait().await;
                }
                let next = number(Some(&entry)) + 1;
                let txn = Txn::new().update(key.clone(), entry.version, next.to_string());
                if won(&handle, txn).await {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                if round < ROUNDS {
                    step.wait().await;
                }
            }
            true
        }
    });
    judge.within("all increments", done).await;
    let expected = acknowledged.load(Ordering::Relaxed);
    first.put(&trial.key("dir/fence"), "").await;
    let counted = number(first.get(&key).await.as_ref());
    judge.demand(
        counted == expected,
        format_args!("{expected} increments were Ok, the counter shows {counted}"),
    );
}

/// Whether the commit was the first; any answer but `Ok` and `Conflict` fails the case.
async fn won(handle: &Handle, txn: Txn) -> bool {
    match handle.try_commit(txn).await {
        Ok(()) => true,
        Err(error) if error.kind() == StoreErrorKind::Conflict => false,
        Err(error) => handle
            .judge()
            .fail(format_args!("a contended commit: {error}")),
    }
}

/// Runs `work` on all handles at once and gives the numbers of those that it was true for.
async fn race<F>(handles: &[Handle], work: impl Fn(usize, Handle) -> F) -> Vec<usize>
where
    F: Future<Output = bool> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (n, handle) in handles.iter().enumerate() {
        let work = work(n, handle.clone());
        tasks.spawn(async move { (n, work.await) });
    }
    let mut winners = Vec::new();
    while let Some(task) = tasks.join_next().await {
        let (n, won) = join(task);
        winners.extend(won.then_some(n));
    }
    winners
}
