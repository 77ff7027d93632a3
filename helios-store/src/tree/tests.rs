use helios_core::store::{Change, TXN_OPS_MAX};

use super::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn version(raw: u64) -> Version {
    Version::from_raw(raw)
}

/// A tree with one session and these entries at their first version.
fn tree(keys: &[&str]) -> (Tree, SessionId) {
    let mut tree = Tree::default();
    let session = SessionId::unused();
    tree.open_session(session);
    let txn = keys
        .iter()
        .fold(Txn::new(), |txn, text| txn.create(key(text), "first"));
    tree.apply(&txn, session).unwrap();
    (tree, session)
}

/// Applies `txn` to a tree of `keys` and compares the refusal, or the keys afterwards.
fn check(keys: &[&str], txn: &Txn, expected: &str) {
    let (mut tree, session) = tree(keys);
    let before = written(&tree);
    let got = match tree.apply(txn, session) {
        Ok(_) => written(&tree),
        Err(error) => {
            assert_eq!(written(&tree), before, "a refused transaction left a mark");
            error.to_string()
        }
    };
    assert_eq!(got, expected);
}

fn written(tree: &Tree) -> String {
    let entries = tree.dirs.iter().flat_map(|(dir, entries)| {
        let line =
            move |(name, entry): (&str, &Entry)| format!("{dir}/{name}@{}", entry.version.as_raw());
        entries.iter().map(line)
    });
    entries.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_precondition_names_its_entry() {
    let missing = "the store changed meanwhile: a: is not there";
    check(&["b"], &Txn::new().check(key("a"), version(0)), missing);
    check(
        &["b"],
        &Txn::new().update(key("a"), version(0), "x"),
        missing,
    );
    check(&["b"], &Txn::new().delete(key("a"), version(0)), missing);
    let other = "the store changed meanwhile: a: is at version 0, not 7";
    check(&["a"], &Txn::new().check(key("a"), version(7)), other);
    check(&["a"], &Txn::new().update(key("a"), version(7), "x"), other);
    check(&["a"], &Txn::new().delete(key("a"), version(7)), other);
    check(
        &["a"],
        &Txn::new().create(key("b"), "").create(key("a"), ""),
        "the store changed meanwhile: a: is there already",
    );
}

#[test]
fn an_update_counts_and_a_new_entry_starts_again() {
    check(
        &["a"],
        &Txn::new().update(key("a"), version(0), "x"),
        "/a@1",
    );
    let (mut tree, session) = tree(&["a"]);
    for txn in [
        Txn::new().update(key("a"), version(0), "x"),
        Txn::new().delete(key("a"), version(1)),
        Txn::new().create(key("a"), "y"),
    ] {
        tree.apply(&txn, session).unwrap();
    }
    assert_eq!(written(&tree), "/a@0");
}

#[test]
fn entries_are_leaves_in_whatever_order_the_operations_stand() {
    let below = "not a legal store request: a/b/c: a is an entry, so nothing can lie below it";
    check(&["a"], &Txn::new().create(key("a/b/c"), ""), below);
    let above = "not a legal store request: a: there are entries below it";
    check(&["a/b/c"], &Txn::new().create(key("a"), ""), above);
    check(&["a/b"], &Txn::new().create(key("a"), ""), above);
    check(
        &[],
        &Txn::new().create(key("a"), "").create(key("a/b"), ""),
        above,
    );
    check(
        &["a-b/c", "a.b"],
        &Txn::new().create(key("a"), ""),
        "/a@0 /a.b@0 a-b/c@0",
    );
    let replace = Txn::new()
        .create(key("a/b"), "")
        .delete(key("a"), version(0));
    check(&["a"], &replace, "a/b@0");
}

#[test]
fn limits_come_before_preconditions() {
    let many = (0..=TXN_OPS_MAX).fold(Txn::new(), |txn, n| txn.create(key(&format!("n{n}")), ""));
    let (mut tree, session) = tree(&["n0"]);
    let refused = tree.apply(&many, session).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::LimitExceeded);
}

#[test]
fn a_session_takes_only_what_is_still_its_own() {
    let (mut tree, session) = tree(&["kept"]);
    let other = SessionId::unused();
    tree.open_session(other);
    let create = |name: &str| Txn::new().create_ephemeral(key(name), "");
    tree.apply(&create("mine"), session).unwrap();
    tree.apply(&create("passed-on"), session).unwrap();
    let delete = Txn::new().delete(key("passed-on"), version(0));
    tree.apply(&delete, other).unwrap();
    tree.apply(&create("passed-on"), other).unwrap();
    let gone = tree.end_session(session);
    assert_eq!(gone.len(), 1);
    assert_eq!(written(&tree), "/kept@0 /passed-on@0");
    assert!(tree.end_session(session).is_empty());
    let refused = tree.apply(&create("late"), session).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
}

#[test]
fn an_update_keeps_an_ephemeral_entry_bound() {
    let (mut tree, session) = tree(&[]);
    let create = Txn::new().create_ephemeral(key("up"), "");
    tree.apply(&create, session).unwrap();
    let update = Txn::new().update(key("up"), version(0), "again");
    let changed = tree.apply(&update, session).unwrap();
    assert!(changed.iter().all(|changed| changed.owner == Some(session)));
    tree.end_session(session);
    assert_eq!(written(&tree), "");
}

#[test]
fn a_commit_shares_what_it_does_not_change() {
    let names: Vec<String> = (0..500).map(|n| format!("hosts/h{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut tree, session) = tree(&names);
    let before = tree.list(&key("hosts"));
    let update = Txn::new().update(key("hosts/h7"), version(0), Bytes::from_static(b"new"));
    tree.apply(&update, session).unwrap();
    let after = tree.list(&key("hosts"));
    let changes: Vec<Change<'_>> = after.changes_since(&before).collect();
    assert!(matches!(
        changes.as_slice(),
        [Change::Put { name: "h7", .. }]
    ));
}

#[test]
fn a_replay_leads_to_the_same_tree() {
    let (mut tree, session) = tree(&["a", "b"]);
    let mut follower = tree.clone();
    let txn = Txn::new()
        .create_ephemeral(key("up/x"), "here")
        .delete(key("a"), version(0))
        .update(key("b"), version(0), "second");
    for changed in tree.apply(&txn, session).unwrap() {
        follower.replay(&changed);
    }
    assert_eq!(written(&follower), written(&tree));
    follower.end_session(session);
    assert_eq!(written(&follower), "/b@1");
}

#[test]
fn a_replay_brings_nothing_back_for_an_ended_session() {
    let (mut tree, session) = tree(&[]);
    let mut follower = tree.clone();
    let create = Txn::new().create_ephemeral(key("up"), "");
    let changed = tree.apply(&create, session).unwrap();
    follower.end_session(session);
    changed.iter().for_each(|changed| follower.replay(changed));
    assert_eq!(written(&follower), "");
}
