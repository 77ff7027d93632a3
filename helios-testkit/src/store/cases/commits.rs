//! S-06, S-08 to S-10, S-12, S-13: what a commit does, and what it refuses.

use bytes::Bytes;
use helios_core::store::{
    StoreErrorKind, TXN_BYTES_MAX, TXN_OPS_MAX, Txn, VALUE_BYTES_MAX, Version,
};

use super::reads::join;
use crate::store::trial::{Handle, Trial, number, written};

const ROUNDS: u64 = 100;

pub(in crate::store) async fn s06_all_operations_or_none(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let [kept, changed, gone, made] =
        ["kept", "changed", "gone", "made"].map(|name| trial.key(&format!("dir/{name}")));
    for key in [&kept, &changed, &gone] {
        handle.put(key, "old").await;
    }
    let stale = handle.version(&kept).await;
    handle.put(&kept, "older").await;
    let changed_at = handle.version(&changed).await;
    let gone_at = handle.version(&gone).await;
    let kept_at = handle.version(&kept).await;
    let txn = |at: Version| {
        Txn::new()
            .create(made.clone(), "new")
            .update(changed.clone(), changed_at, "new")
            .delete(gone.clone(), gone_at)
            .check(kept.clone(), at)
    };
    let before = written(&handle.list(&trial.key("dir")).await);
    handle.refused(txn(stale), StoreErrorKind::Conflict).await;
    let after = written(&handle.list(&trial.key("dir")).await);
    judge.demand(before == after, format_args!("{before} became {after}"));
    handle.commit(txn(kept_at)).await;
    let after = written(&handle.list(&trial.key("dir")).await);
    let expected = "changed=new kept=older made=new";
    judge.demand(after == expected, format_args!("{after}, not {expected}"));
}

/// Both entries always change together, so whoever has seen one new sees the other no older.
pub(in crate::store) async fn s06_nobody_reads_a_part(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let (left, right) = (trial.key("left/entry"), trial.key("right/entry"));
    let pair = Txn::new().create(left.clone(), "0");
    writer.commit(pair.create(right.clone(), "0")).await;
    let follow = tokio::spawn({
        let (left, right) = (left.clone(), right.clone());
        async move {
            let mut last = 0;
            while last < ROUNDS {
                for (first, second) in [(&left, &right), (&right, &left)] {
                    let seen = number(reader.get(first).await.as_ref());
                    let then = number(reader.get(second).await.as_ref());
                    judge.demand(
                        then >= seen,
                        format_args!("{first} was {seen} when {second} was still {then}"),
                    );
                    last = then;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    for round in 1..=ROUNDS {
        let (at, other) = (writer.version(&left).await, writer.version(&right).await);
        let value = round.to_string();
        let txn = Txn::new().update(left.clone(), at, value.clone());
        writer.commit(txn.update(right.clone(), other, value)).await;
    }
    join(
        judge
            .within("the reader to see the last commit", follow)
            .await,
    );
}

pub(in crate::store) async fn s08_every_update_changes_the_version(trial: Trial) {
    let handle = trial.open().await;
    let (key, judge) = (trial.key("dir/entry"), trial.judge());
    handle.put(&key, "same").await;
    let mut versions = vec![handle.version(&key).await];
    for _ in 0..ROUNDS / 2 {
        handle.put(&key, "same").await;
        let version = handle.version(&key).await;
        judge.demand(
            !versions.contains(&version),
            format_args!("{version:?} stood for an earlier state too"),
        );
        versions.push(version);
    }
    versions.pop();
    for stale in versions {
        let txn = Txn::new().update(key.clone(), stale, "stale");
        handle.refused(txn, StoreErrorKind::Conflict).await;
    }
}

pub(in crate::store) async fn s09_ok_survives_a_restart(trial: Trial) {
    let judge = trial.judge();
    let handle = trial.open().await;
    let large = Bytes::from(vec![7; VALUE_BYTES_MAX]);
    let txn = Txn::new().create(trial.key("large"), large.clone());
    handle.commit(txn).await;
    for round in 0..20 {
        handle
            .put(&trial.key(&format!("dir/n{round}")), "made")
            .await;
    }
    handle.put(&trial.key("dir/n0"), "changed").await;
    handle.delete(&trial.key("dir/n1")).await;
    let before = handle.list(&trial.key("dir")).await;
    trial.restart(vec![handle]).await;
    let handle = trial.open().await;
    let after = handle.list(&trial.key("dir")).await;
    judge.demand(
        before == after,
        format_args!("{} became {}", written(&before), written(&after)),
    );
    let kept = handle.get(&trial.key("large")).await;
    judge.demand(
        kept.is_some_and(|entry| entry.value == large),
        "the largest value is not what it was",
    );
    handle.put(&trial.key("dir/n0"), "changed again").await;
}

pub(in crate::store) async fn s10_a_refused_transaction_writes_nothing(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let entry = trial.key("dir/entry");
    handle.put(&entry, "old").await;
    let at = handle.version(&entry).await;
    let made = || Txn::new().create(trial.key("dir/made"), "new");
    let too_large = Bytes::from(vec![0; VALUE_BYTES_MAX + 1]);
    let refusals = [
        (
            made().create(entry.clone(), "new"),
            StoreErrorKind::Conflict,
        ),
        (
            made().delete(trial.key("dir/absent"), at),
            StoreErrorKind::Conflict,
        ),
        (
            made().update(entry.clone(), at, too_large),
            StoreErrorKind::LimitExceeded,
        ),
        (
            made().create(entry.child("below").unwrap_or(entry.clone()), "new"),
            StoreErrorKind::Invalid,
        ),
        (
            made()
                .update(entry.clone(), at, "1")
                .delete(entry.clone(), at),
            StoreErrorKind::Invalid,
        ),
    ];
    for (txn, kind) in refusals {
        handle.refused(txn, kind).await;
        let left = written(&handle.list(&trial.key("dir")).await);
        judge.demand(
            left == "entry=old",
            format_args!("after {kind:?} there is {left}"),
        );
    }
    handle.commit(made()).await;
}

pub(in crate::store) async fn s10_a_conflict_names_its_entry(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let (fine, wrong) = (trial.key("dir/fine"), trial.key("dir/wrong"));
    handle.put(&fine, "1").await;
    handle.put(&wrong, "1").await;
    let at = handle.version(&fine).await;
    let stale = handle.version(&wrong).await;
    handle.put(&wrong, "2").await;
    let fine = || Txn::new().check(fine.clone(), at);
    for txn in [
        fine().check(wrong.clone(), stale),
        fine().update(wrong.clone(), stale, "3"),
        fine().delete(wrong.clone(), stale),
        fine().create(wrong.clone(), "3"),
    ] {
        let error = handle.refused(txn, StoreErrorKind::Conflict).await;
        judge.demand(
            error.key() == Some(&wrong),
            format_args!("{wrong} was in the way, the error names {:?}", error.key()),
        );
    }
}

pub(in crate::store) async fn s12_what_is_within_the_limits_fits(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let large = trial.key("large");
    let value = Bytes::from(vec![1; VALUE_BYTES_MAX]);
    handle
        .commit(Txn::new().create(large.clone(), value.clone()))
        .await;
    let read = handle.get(&large).await;
    judge.demand(
        read.is_some_and(|entry| entry.value == value),
        "the largest value did not come back",
    );
    let rest = trial.key("rest");
    let free = TXN_BYTES_MAX - VALUE_BYTES_MAX - large.as_str().len() - rest.as_str().len();
    let txn = Txn::new()
        .update(large.clone(), handle.version(&large).await, value)
        .create(rest, vec![2; free]);
    handle.commit(txn).await;
    handle.commit(creates(&trial, TXN_OPS_MAX)).await;
    let made = handle.list(&trial.key("many")).await.len();
    judge.demand(
        made == TXN_OPS_MAX,
        format_args!("{made} of {TXN_OPS_MAX} made"),
    );
}

pub(in crate::store) async fn s12_what_is_over_a_limit_is_refused(trial: Trial) {
    let handle = trial.open().await;
    let over = StoreErrorKind::LimitExceeded;
    let value = Txn::new().create(trial.key("a"), vec![0; VALUE_BYTES_MAX + 1]);
    handle.refused(value, over).await;
    let half = TXN_BYTES_MAX / 2;
    let sum = Txn::new()
        .create(trial.key("a"), vec![0; half])
        .create(trial.key("b"), vec![0; half]);
    handle.refused(sum, over).await;
    handle.refused(creates(&trial, TXN_OPS_MAX + 1), over).await;
    nothing_below_root(&trial, &handle).await;
}

pub(in crate::store) async fn s12_an_empty_transaction_changes_nothing(trial: Trial) {
    let handle = trial.open().await;
    handle.commit(Txn::new()).await;
    nothing_below_root(&trial, &handle).await;
}

pub(in crate::store) async fn s13_entries_are_leaves(trial: Trial) {
    let handle = trial.open().await;
    let invalid = StoreErrorKind::Invalid;
    handle.put(&trial.key("entry"), "x").await;
    for below in ["entry/a", "entry/a/b/c"] {
        let txn = Txn::new().create(trial.key(below), "");
        handle.refused(txn, invalid).await;
        let txn = Txn::new().create_ephemeral(trial.key(below), "");
        handle.refused(txn, invalid).await;
    }
    handle.put(&trial.key("dir/sub/entry"), "x").await;
    for above in ["dir", "dir/sub"] {
        let txn = Txn::new().create(trial.key(above), "");
        handle.refused(txn, invalid).await;
    }
    let both = Txn::new().create(trial.key("new"), "");
    let both = both.create(trial.key("new/below"), "");
    handle.refused(both, invalid).await;
}

pub(in crate::store) async fn s13_directories_come_and_go_with_their_entries(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let (dir, below) = (trial.key("dir"), trial.key("dir/sub/below"));
    for round in 0..3 {
        handle.put(&below, round).await;
        handle.delete(&below).await;
        handle.put(&dir, round).await;
        let read = number(handle.get(&dir).await.as_ref());
        judge.demand(read == round, "what was a directory became no entry");
        handle.delete(&dir).await;
    }
}

fn creates(trial: &Trial, count: usize) -> Txn {
    let dir = trial.key("many");
    (0..count)
        .filter_map(|n| dir.child(&format!("n{n}")).ok())
        .fold(Txn::new(), |txn, key| txn.create(key, "x"))
}

async fn nothing_below_root(trial: &Trial, handle: &Handle) {
    for path in ["a", "b"] {
        let found = handle.get(&trial.key(path)).await;
        trial
            .judge()
            .demand(found.is_none(), format_args!("{path} is there"));
    }
    let found = handle.list(&trial.key("many")).await;
    trial
        .judge()
        .demand(found.is_empty(), "some of many are there");
}
