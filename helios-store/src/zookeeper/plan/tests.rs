use super::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn terrain(places: &[(&str, Place)]) -> Terrain {
    let places = places.iter().map(|(text, place)| (key(text), *place));
    Terrain::seen(places.collect())
}

fn refusal(txn: &Txn, terrain: &Terrain) -> StoreError {
    match plan(txn, terrain) {
        Err(NoPlan::Refused(error)) => error,
        other => panic!("{other:?} is no refusal"),
    }
}

const FIRST: Place = Place::Entry(Version::from_raw(0));

fn shown(txn: &Txn, terrain: &Terrain) -> Vec<String> {
    plan(txn, terrain)
        .unwrap()
        .iter()
        .map(|step| match step {
            Step::Check { key, version } => format!("check {key} {version}"),
            Step::Write { key, version, .. } => format!("write {key} {version}"),
            Step::Delete { key, version } => format!("delete {key} {version}"),
            Step::DropDirectory(key) => format!("drop {key}"),
            Step::MakeDirectory(key) => format!("make {key}"),
            Step::CheckDirectory(key) => format!("is-dir {key}"),
            Step::Create { key, .. } => format!("create {key}"),
        })
        .collect()
}

fn kind(txn: &Txn, terrain: &Terrain) -> StoreErrorKind {
    refusal(txn, terrain).kind()
}

#[test]
fn the_usual_transaction_needs_no_look_at_the_tree() {
    let txn = Txn::new()
        .check(key("jobs/web"), Version::from_raw(0))
        .create(key("audit/7"), "x")
        .update(key("hosts/a"), Version::from_raw(3), "y");
    assert_eq!(
        shown(&txn, &Terrain::default()),
        [
            "check jobs/web 1",
            "write hosts/a 4",
            "is-dir audit",
            "create audit/7",
            "write audit/7 0"
        ]
    );
}

#[test]
fn missing_directories_are_made_from_the_top() {
    let txn = Txn::new().create(key("a/b/c"), "").create(key("a/d"), "");
    let bare = terrain(&[("a", Place::Missing), ("a/b", Place::Missing)]);
    assert_eq!(
        shown(&txn, &bare)[..3],
        ["make a", "make a/b", "create a/b/c"]
    );
}

#[test]
fn an_entry_takes_the_place_of_directories_with_nothing_in_them() {
    let txn = Txn::new()
        .create(key("a"), "")
        .delete(key("a/b/c"), Version::from_raw(0));
    let left = terrain(&[
        ("a", Place::Directory),
        ("a/b", Place::Directory),
        ("a/b/c", FIRST),
        ("ab", FIRST),
    ]);
    assert_eq!(
        shown(&txn, &left),
        [
            "delete a/b/c 1",
            "drop a/b",
            "drop a",
            "create a",
            "write a 0"
        ]
    );
}

#[test]
fn a_directory_takes_the_place_of_an_entry_deleted_with_it() {
    let txn = Txn::new()
        .delete(key("a"), Version::from_raw(0))
        .create(key("a/b"), "");
    let before = terrain(&[("a", FIRST), ("a/b", Place::Missing)]);
    assert_eq!(
        shown(&txn, &before),
        ["delete a 1", "make a", "create a/b", "write a/b 0"]
    );
}

#[test]
fn entries_never_lie_below_entries() {
    let below = Txn::new().create(key("a/b"), "");
    assert_eq!(
        kind(&below, &terrain(&[("a", FIRST)])),
        StoreErrorKind::Invalid
    );
    let over = Txn::new().create(key("a"), "");
    let full = terrain(&[("a", Place::Directory), ("a/b", FIRST)]);
    assert_eq!(kind(&over, &full), StoreErrorKind::Invalid);
    let both = Txn::new().create(key("a"), "").create(key("a/b"), "");
    assert!(matches!(
        plan(&both, &Terrain::default()),
        Err(NoPlan::Look)
    ));
    let bare = terrain(&[("a", Place::Missing), ("a/b", Place::Missing)]);
    assert_eq!(kind(&both, &bare), StoreErrorKind::Invalid);
}

#[test]
fn a_precondition_that_fails_goes_before_a_bad_shape() {
    let txn = Txn::new()
        .create(key("a/b"), "")
        .check(key("c"), Version::from_raw(7));
    for c in [Place::Missing, Place::Directory, FIRST] {
        let conflict = refusal(&txn, &terrain(&[("a", FIRST), ("c", c)]));
        assert_eq!(conflict.kind(), StoreErrorKind::Conflict);
        assert_eq!(conflict.key(), Some(&key("c")));
    }
}

#[test]
fn versions_that_mean_something_else_to_zookeeper_conflict() {
    for raw in [u64::from(u32::MAX), u64::from(u32::MAX - 1), u64::MAX] {
        let txn = Txn::new().delete(key("a"), Version::from_raw(raw));
        assert_eq!(kind(&txn, &Terrain::default()), StoreErrorKind::Conflict);
    }
}

#[test]
fn a_version_comes_back_as_it_went() {
    for version in [1, 2, i32::MAX, i32::MIN, -2] {
        assert_eq!(
            from_version(&key("a"), to_version(version)).unwrap(),
            version
        );
    }
}

#[test]
fn what_depends_on_directories_is_looked_at_again_and_the_rest_is_an_answer() {
    let a = key("a");
    let looks = [
        (Step::CheckDirectory(key("a")), Meaning::OtherVersion),
        (Step::MakeDirectory(key("a")), Meaning::Present),
        (Step::DropDirectory(key("a")), Meaning::HasChildren),
        (
            Step::Create {
                key: a.clone(),
                ephemeral: false,
            },
            Meaning::Present,
        ),
    ];
    for (step, meaning) in looks {
        assert!(matches!(judge(&step, meaning), Verdict::Look), "{step:?}");
    }
    let check = Step::Check { key: a, version: 1 };
    for (meaning, kind) in [
        (Meaning::Missing, StoreErrorKind::Conflict),
        (Meaning::OtherVersion, StoreErrorKind::Conflict),
        (Meaning::Denied, StoreErrorKind::Denied),
        (Meaning::Declined, StoreErrorKind::Unavailable),
    ] {
        let Verdict::Refuse(error) = judge(&check, meaning) else {
            panic!("{meaning:?} must be an answer");
        };
        assert_eq!(error.kind(), kind);
    }
}
