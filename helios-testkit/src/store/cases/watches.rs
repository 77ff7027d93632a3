//! S-14 to S-18: what a watch shows, and that it goes on.

use std::collections::BTreeSet;

use helios_core::store::{Scope, Snapshot, Txn};

use super::reads::join;
use crate::store::trial::{Rising, Trial, Watch, number, text, written};

const ROUNDS: u64 = 100;

pub(in crate::store) async fn s14_the_first_item_is_the_present(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    for round in 0..10 {
        handle.put(&trial.key("dir/a"), round).await;
        handle
            .put(&trial.key(&format!("dir/n{round}")), round)
            .await;
        handle.put(&trial.key("dir/sub/below"), round).await;
        let present = written(&handle.list(&trial.key("dir")).await);
        let first = handle.watch(Scope::Children(trial.key("dir"))).next().await;
        judge.demand(
            written(&first) == present,
            format_args!(
                "there is {present}, the watch began with {}",
                written(&first)
            ),
        );
        let first = handle.watch(Scope::Entry(trial.key("dir/a"))).next().await;
        let expected = format!("a={round}");
        judge.demand(
            written(&first) == expected,
            format_args!(
                "there is {expected}, the watch began with {}",
                written(&first)
            ),
        );
    }
}

pub(in crate::store) async fn s14_a_watch_of_nothing_begins_empty(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    handle.put(&trial.key("gone/entry"), "").await;
    handle.delete(&trial.key("gone/entry")).await;
    for scope in [
        Scope::Children(trial.key("never/was")),
        Scope::Entry(trial.key("never/was")),
        Scope::Children(trial.key("gone")),
        Scope::Entry(trial.key("gone/entry")),
    ] {
        let first = handle.watch(scope.clone()).next().await;
        judge.demand(
            first.is_empty(),
            format_args!("{scope:?} began with {}", written(&first)),
        );
    }
}

pub(in crate::store) async fn s15_every_commit_reaches_the_watch(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let key = trial.key("dir/entry");
    let mut dir = reader.watch(Scope::Children(trial.key("dir")));
    let mut entry = reader.watch(Scope::Entry(key.clone()));
    dir.next().await;
    entry.next().await;
    for round in 1..=ROUNDS / 2 {
        writer.put(&key, round).await;
        let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == round;
        dir.until(&format!("commit {round} in the directory"), there)
            .await;
        entry
            .until(&format!("commit {round} of the entry"), there)
            .await;
        if round % 7 == 0 {
            writer.delete(&key).await;
            let gone = |snapshot: &Snapshot| snapshot.is_empty();
            dir.until("a delete in the directory", gone).await;
            entry.until("a delete of the entry", gone).await;
        }
    }
}

/// Nothing follows the burst that could cover up what was missed.
pub(in crate::store) async fn s15_the_last_of_a_burst_reaches_the_watch(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let mut last = 0;
    let key = trial.key("dir/entry");
    let mut dir = reader.watch(Scope::Children(trial.key("dir")));
    let mut entry = reader.watch(Scope::Entry(key.clone()));
    for burst in 1..=10 {
        for _ in 0..burst {
            last += 1;
            writer.put(&key, last).await;
        }
        let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == last;
        dir.until("the last of a burst in the directory", there)
            .await;
        entry.until("the last of a burst at the entry", there).await;
    }
}

pub(in crate::store) async fn s15_every_watch_of_a_scope_is_served(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let scope = Scope::Children(trial.key("dir"));
    let mut watches: Vec<_> = (0..6)
        .map(|n| if n % 2 == 0 { &writer } else { &reader })
        .map(|handle| handle.watch(scope.clone()))
        .collect();
    for round in 1..=6 {
        writer.put(&trial.key("dir/entry"), round).await;
        writer.put(&trial.key("elsewhere/entry"), round).await;
        for watch in &mut watches {
            let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == round;
            watch.until("the commit at every watch", there).await;
        }
        watches.pop();
    }
}

pub(in crate::store) async fn s15_a_watched_entry_goes_and_comes_back(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let key = trial.key("dir/sub/entry");
    let mut dir = reader.watch(Scope::Children(trial.key("dir/sub")));
    let mut entry = reader.watch(Scope::Entry(key.clone()));
    for round in 1..=10 {
        writer.put(&key, round).await;
        let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == round;
        dir.until("the entry made anew in the directory", there)
            .await;
        entry.until("the entry made anew", there).await;
        writer.delete(&key).await;
        dir.until("the emptied directory", Snapshot::is_empty).await;
        entry.until("the deleted entry", Snapshot::is_empty).await;
    }
}

pub(in crate::store) async fn s16_snapshots_never_go_back(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let key = trial.key("dir/counter");
    let scopes = [Scope::Children(trial.key("dir")), Scope::Entry(key.clone())];
    let mut watches = scopes.map(|scope| (reader.watch(scope), Rising::new(judge)));
    for round in 1..=10 {
        writer.put(&key, round).await;
        for (watch, rising) in &mut watches {
            rise(watch, rising, round).await;
        }
    }
    let burst = tokio::spawn(async move {
        for round in 11..=ROUNDS {
            writer.put(&key, round).await;
        }
    });
    for (watch, rising) in &mut watches {
        rise(watch, rising, ROUNDS).await;
    }
    join(burst.await);
}

/// Follows the counter until it shows `target`; it must never fall.
async fn rise(watch: &mut Watch, rising: &mut Rising, target: u64) {
    while !rising.reaches(number(watch.next().await.get("counter")), target) {}
}

pub(in crate::store) async fn s16_consecutive_snapshots_share_what_did_not_change(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let dir = trial.key("dir");
    let names = (0..200).filter_map(|n| dir.child(&format!("n{n}")).ok());
    let many = names.fold(Txn::new(), |txn, key| txn.create(key, "unchanged"));
    handle.commit(many).await;
    let mut watch = handle.watch(Scope::Children(dir));
    let mut older = watch
        .until("200 entries", |snapshot| snapshot.len() == 200)
        .await;
    for round in 1..=5 {
        handle.put(&trial.key("dir/n7"), round).await;
        let there = |snapshot: &Snapshot| number(snapshot.get("n7")) == round;
        let newer = watch.until("the changed entry", there).await;
        let addresses: BTreeSet<_> = older.iter().map(|(_, e)| e.value.as_ptr()).collect();
        let copied = newer
            .iter()
            .filter(|(_, entry)| text(entry) == "unchanged")
            .filter(|(_, entry)| !addresses.contains(&entry.value.as_ptr()))
            .count();
        judge.demand(
            copied == 0,
            format_args!("{copied} unchanged values were copied"),
        );
        older = newer;
    }
}

pub(in crate::store) async fn s17_trouble_does_not_end_the_stream(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let key = trial.key("dir/entry");
    let mut dir = reader.watch(Scope::Children(trial.key("dir")));
    let mut entry = reader.watch(Scope::Entry(key.clone()));
    dir.next().await;
    entry.next().await;
    for round in 1..=3 {
        trial.disturb().await;
        writer.put(&key, round).await;
        let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == round;
        dir.until("a commit after trouble in the directory", there)
            .await;
        entry
            .until("a commit after trouble at the entry", there)
            .await;
    }
}

pub(in crate::store) async fn s18_a_reader_that_sleeps_misses_only_the_past(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let key = trial.key("dir/entry");
    let mut dir = reader.watch(Scope::Children(trial.key("dir")));
    let mut entry = reader.watch(Scope::Entry(key.clone()));
    dir.next().await;
    entry.next().await;
    for round in 1..=ROUNDS {
        writer.put(&key, round).await;
    }
    let there = |snapshot: &Snapshot| number(snapshot.get("entry")) == ROUNDS;
    dir.until("the last state of the directory", there).await;
    entry.until("the last state of the entry", there).await;
}

/// Not one of these watches is ever read, yet every commit goes through.
pub(in crate::store) async fn s18_a_reader_that_sleeps_holds_up_nobody(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let key = trial.key("dir/entry");
    let sleeping: Vec<_> = (0..10)
        .map(|_| reader.watch(Scope::Children(trial.key("dir"))))
        .collect();
    let mut begun = reader.watch(Scope::Entry(key.clone()));
    begun.next().await;
    for round in 1..=ROUNDS * 3 {
        writer.put(&key, round).await;
    }
    let read = number(writer.get(&key).await.as_ref());
    judge.demand(
        read == ROUNDS * 3,
        format_args!("only {read} commits went through"),
    );
    drop((sleeping, begun));
    writer.put(&key, "after the watches").await;
}
