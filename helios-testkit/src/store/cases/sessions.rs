//! S-11: entries that live as long as a session.

use helios_core::store::{Scope, StoreErrorKind, Txn};

use crate::store::trial::{Trial, text};

pub(in crate::store) async fn s11_an_ephemeral_entry_vanishes_with_its_session(trial: Trial) {
    let (agent, master) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let (up, kept) = (trial.key("up/host"), trial.key("up/kept"));
    let mut watch = master.watch(Scope::Children(trial.key("up")));
    let txn = Txn::new().create_ephemeral(up.clone(), "here");
    agent.commit(txn.create(kept.clone(), "stays")).await;
    master
        .until(&up, "the entry", |entry| entry.is_some())
        .await;
    let there = |snapshot: &helios_core::store::Snapshot| snapshot.get("host").is_some();
    watch.until("the entry in a watch", there).await;
    agent.end().await;
    let gone = |entry: Option<&_>| entry.is_none();
    master.until(&up, "the entry to vanish", gone).await;
    let gone = |snapshot: &helios_core::store::Snapshot| snapshot.get("host").is_none();
    let left = watch.until("the entry to vanish from a watch", gone).await;
    judge.demand(left.get("kept").is_some(), "a lasting entry went along");
    let txn = Txn::new().create_ephemeral(up.clone(), "back");
    trial.open().await.commit(txn).await;
}

pub(in crate::store) async fn s11_an_ephemeral_entry_is_like_any_other_until_then(trial: Trial) {
    let (agent, master) = (trial.open().await, trial.open().await);
    let (up, judge) = (trial.key("up/host"), trial.judge());
    let create = || Txn::new().create_ephemeral(up.clone(), "here");
    agent.commit(create()).await;
    judge.demand(
        agent.get(&up).await.is_some(),
        "its own handle does not see it",
    );
    let listed = agent.list(&trial.key("up")).await;
    judge.demand(listed.get("host").is_some(), "it is not listed");
    master
        .until(&up, "the entry at another handle", |entry| entry.is_some())
        .await;
    master.refused(create(), StoreErrorKind::Conflict).await;
    let at = master.version(&up).await;
    let update = Txn::new().update(up.clone(), at, "changed");
    master.commit(update).await;
    let changed = |entry: Option<&_>| entry.is_some_and(|entry| text(entry) == "changed");
    agent.until(&up, "another handle's update", changed).await;
    let stale = Txn::new().delete(up.clone(), at);
    agent.refused(stale, StoreErrorKind::Conflict).await;
    let at = agent.version(&up).await;
    master.commit(Txn::new().check(up.clone(), at)).await;
    agent.end().await;
    let gone = |entry: Option<&_>| entry.is_none();
    master.until(&up, "the changed entry to vanish", gone).await;
}

pub(in crate::store) async fn s11_sessions_end_separately(trial: Trial) {
    let (one, two) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let keys = [trial.key("up/one"), trial.key("up/two")];
    let [first, second] = &keys;
    one.commit(Txn::new().create_ephemeral(first.clone(), ""))
        .await;
    two.commit(Txn::new().create_ephemeral(second.clone(), ""))
        .await;
    let observer = trial.open().await;
    one.end().await;
    observer
        .until(first, "the first to vanish", |entry| entry.is_none())
        .await;
    judge.demand(
        two.get(second).await.is_some(),
        "the second went with the first",
    );
    two.put(second, "still open").await;
}

/// An entry with the same key that somebody else created stays when the first session ends.
pub(in crate::store) async fn s11_an_entry_taken_over_is_not_taken_away(trial: Trial) {
    let (one, two) = (trial.open().await, trial.open().await);
    let judge = trial.judge();
    let [lasting, bound, marker] =
        ["lasting", "bound", "marker"].map(|name| trial.key(&format!("up/{name}")));
    let txn = Txn::new().create_ephemeral(lasting.clone(), "one");
    let txn = txn.create_ephemeral(bound.clone(), "one");
    one.commit(txn.create_ephemeral(marker.clone(), "")).await;
    for key in [&lasting, &bound] {
        two.until(key, "the entry", |entry| entry.is_some()).await;
        two.delete(key).await;
    }
    let txn = Txn::new().create(lasting.clone(), "two");
    two.commit(txn.create_ephemeral(bound.clone(), "two")).await;
    one.end().await;
    two.until(&marker, "the end of the session", |entry| entry.is_none())
        .await;
    for key in [&lasting, &bound] {
        let left = two.text(key).await;
        judge.demand(
            left.as_deref() == Some("two"),
            format_args!("{key} went with a session it did not belong to"),
        );
    }
}
