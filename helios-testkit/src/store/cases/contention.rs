//! S-07: many handles at once want to change the same entries.

use std::future::Future;

use helios_core::store::{Key, StoreErrorKind, Txn};

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

/// Everybody increments as fast as they can: the counter shows exactly what was acknowledged.
pub(in crate::store) async fn s07_acknowledged_increments_add_up(trial: Trial) {
    let handles = trial.open_many(HANDLES).await;
    let (key, judge) = (trial.key("dir/counter"), trial.judge());
    let Some(first) = handles.first() else { return };
    first.put(&key, 0).await;
    let target = ROUNDS * 2;
    let done = race(&handles, |_, handle| {
        let key = key.clone();
        async move {
            let mut acknowledged = 0;
            while acknowledged < target {
                if increment(&handle, &key).await {
                    acknowledged += 1;
                }
            }
            true
        }
    });
    judge.within("all increments", done).await;
    let expected = target * HANDLES as u64;
    first.put(&trial.key("dir/fence"), "").await;
    let counted = number(first.get(&key).await.as_ref());
    judge.demand(
        counted == expected,
        format_args!("{expected} increments were Ok, the counter shows {counted}"),
    );
}

async fn increment(handle: &Handle, key: &Key) -> bool {
    let entry = handle.existing(key).await;
    let next = number(Some(&entry)) + 1;
    let txn = Txn::new().update(key.clone(), entry.version, next.to_string());
    won(handle, txn).await
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
    let tasks: Vec<_> = handles
        .iter()
        .enumerate()
        .map(|(n, handle)| (n, tokio::spawn(work(n, handle.clone()))))
        .collect();
    let mut winners = Vec::new();
    for (n, task) in tasks {
        if join(task.await) {
            winners.push(n);
        }
    }
    winners
}
