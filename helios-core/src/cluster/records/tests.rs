use bytes::Bytes;

use super::*;
use crate::model::HostName;
use crate::schema::Presence;
use crate::store::{StoreErrorKind, Version};

fn entry(text: &'static str, version: u64) -> Entry {
    Entry {
        value: Bytes::from_static(text.as_bytes()),
        version: Version::from_raw(version),
    }
}

const GOOD: &str = r#"{"id":"a1","incarnation":"i1"}"#;

fn up() -> Key {
    Key::new("up").unwrap()
}

/// What is in the records, in short.
fn outline(records: &Records<HostName, Presence>) -> (Vec<String>, Vec<String>) {
    let readable = records.iter().map(|(name, up)| format!("{name} {}", up.id));
    let unreadable = records.unreadable().map(|entry| entry.key.to_string());
    (readable.collect(), unreadable.collect())
}

#[test]
fn a_bad_entry_takes_nothing_else_with_it() {
    let snapshot = Snapshot::from_iter([
        ("web1", entry(GOOD, 1)),
        ("web2", entry("{", 1)),
        ("_", entry(GOOD, 1)),
    ]);
    let records = Records::decode(&up(), &snapshot);
    let expected = (
        vec!["web1 a1".to_owned()],
        vec!["up/_".to_owned(), "up/web2".to_owned()],
    );
    assert_eq!(outline(&records), expected);
    assert!(
        records
            .unreadable_at(|| up().child("web2").unwrap())
            .is_some()
    );
    assert!(
        records
            .unreadable_at(|| up().child("web1").unwrap())
            .is_none()
    );
    let reason = records.unreadable().next().unwrap().to_string();
    assert!(
        reason.starts_with(r#"up/_ cannot be read: "_" is not a host name"#),
        "{reason}"
    );
}

#[test]
fn why_an_entry_cannot_be_read_is_told_once() {
    let corrupt = || StoreError::new(StoreErrorKind::Corrupt, "no JSON");
    for (error, told) in [
        (corrupt(), &*corrupt().to_string()),
        (
            corrupt().caused_by(std::fmt::Error),
            &std::fmt::Error.to_string(),
        ),
    ] {
        assert_eq!(Unreadable::because(up(), &error).reason, told);
    }
}

#[test]
fn records_follow_snapshots_and_share_what_stays() {
    let older = Snapshot::from_iter([
        ("a", entry(GOOD, 1)),
        ("b", entry(GOOD, 1)),
        ("c", entry("{", 1)),
        ("d", entry("{", 1)),
    ]);
    let mut records: Records<HostName, Presence> = Records::decode(&up(), &older);
    let before = records.clone();
    let mut newer = older.clone();
    newer.insert("b", entry("[]", 2));
    newer.insert("c", entry(GOOD, 2));
    newer.remove("d");
    assert!(records.advance(&up(), &older, &newer));
    assert!(!records.advance(&up(), &newer, &newer.clone()));
    let expected = (
        vec!["a a1".to_owned(), "c a1".to_owned()],
        vec!["up/b".to_owned()],
    );
    assert_eq!(outline(&records), expected);
    let a = "a".parse().unwrap();
    let (old, new) = (before.get(&a).unwrap(), records.get(&a).unwrap());
    assert!(Arc::ptr_eq(&old.record, &new.record));
    let changed: Vec<_> = records
        .changed_since(&before)
        .map(HostName::as_str)
        .collect();
    assert_eq!(changed, ["b", "c"]);
    newer.remove("a");
    records.advance(&up(), &older, &newer);
    assert_eq!((records.len(), before.len()), (1, 2));
}
