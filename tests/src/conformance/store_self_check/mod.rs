//! The store suite is only worth something if it fails: each planted bug is caught by the case that is
//! about it, and each case catches a bug.

mod planted;
mod watches;

use std::collections::BTreeSet;

use helios_testkit::store::{CASES, verdict};

use planted::{Bug, Planted};

/// Makes one test of every bug and a table of all of them.
macro_rules! caught {
    ($($bug:ident by $case:ident;)*) => {
        const CAUGHT: &[(Bug, &str)] = &[$((Bug::$bug, stringify!($case))),*];

        mod bug {
            $(
                #[test]
                #[allow(non_snake_case, reason = "the tests are named as the bugs are")]
                fn $bug() {
                    super::check(super::Bug::$bug, stringify!($case));
                }
            )*
        }
    };
}

caught! {
    EmptyIsAbsent by s01_absent_and_deleted_entries_are_none;
    OkBeforeItShows by s02_a_handle_reads_what_it_committed;
    ReadsGoBack by s03_reads_never_go_back;
    ListsGrandchildren by s04_exactly_the_direct_children_in_order;
    EmptyDirIsAnError by s04_an_absent_directory_is_empty;
    ListLags by s05_a_listing_shows_what_the_handle_committed;
    ListingsGoBack by s05_listings_never_go_back;
    TornByFailure by s06_all_operations_or_none;
    TornInTime by s06_nobody_reads_a_part;
    SecondDeleteForgotten by s06_random_transactions_do_what_the_model_does;
    LostUpdate by s07_one_of_many_updates_wins;
    CreateOverwrites by s07_one_of_many_creates_wins;
    CheckForgotten by s07_a_checked_entry_cannot_change_meanwhile;
    ConflictSometimesOk by s07_acknowledged_increments_add_up;
    VersionReused by s08_every_update_changes_the_version;
    NotDurable by s09_ok_survives_a_restart;
    RefusalWrites by s10_a_refused_transaction_writes_nothing;
    ConflictNamesNothing by s10_a_conflict_names_its_entry;
    EphemeralsStay by s11_an_ephemeral_entry_vanishes_with_its_session;
    EphemeralsAreForeign by s11_an_ephemeral_entry_is_like_any_other_until_then;
    AnyEndTakesAll by s11_sessions_end_separately;
    EndTakesByName by s11_an_entry_taken_over_is_not_taken_away;
    LimitsTooTight by s12_what_is_within_the_limits_fits;
    LimitsForgotten by s12_what_is_over_a_limit_is_refused;
    EmptyTxnRefused by s12_an_empty_transaction_changes_nothing;
    EntriesOverEntries by s13_entries_are_leaves;
    DirectoriesStay by s13_directories_come_and_go_with_their_entries;
    StaleFirstSnapshot by s14_the_first_item_is_the_present;
    NothingIsNoSnapshot by s14_a_watch_of_nothing_begins_empty;
    WatchStops by s15_every_commit_reaches_the_watch;
    LastOfABurstSkipped by s15_the_last_of_a_burst_reaches_the_watch;
    OnlyFirstWatchServed by s15_every_watch_of_a_scope_is_served;
    WatchDiesWithTheEntry by s15_a_watched_entry_goes_and_comes_back;
    SnapshotsGoBack by s16_snapshots_never_go_back;
    SnapshotsCopied by s16_consecutive_snapshots_share_what_did_not_change;
    ErrorEndsTheStream by s17_trouble_does_not_end_the_stream;
    NewestDroppedWhenFull by s18_a_reader_that_sleeps_misses_only_the_past;
    CommitsAwaitReaders by s18_a_reader_that_sleeps_holds_up_nobody;
}

#[track_caller]
fn check(bug: Bug, case: &'static str) {
    let message =
        verdict(case, move || Planted::with(bug)).expect_err("the case passes in spite of the bug");
    let (guarantee, _) = case.split_once('_').unwrap();
    let expected = format!("{} broken ({case}): ", guarantee.replace('s', "S-"));
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn every_case_catches_a_bug() {
    let catching: BTreeSet<&str> = CAUGHT.iter().map(|(_, case)| *case).collect();
    let all: BTreeSet<&str> = CASES.iter().copied().collect();
    assert_eq!(catching, all);
}

#[test]
fn without_a_bug_the_same_store_passes() {
    for case in CASES {
        assert_eq!(verdict(case, || Planted::with(Bug::None)), Ok(()), "{case}");
    }
}

#[test]
fn a_store_that_never_answers_fails_by_name() {
    let message = verdict(CASES[0], || Planted::with(Bug::NeverAnswers)).unwrap_err();
    assert!(message.starts_with("S-01 broken"), "{message}");
    assert!(message.contains("waited"), "{message}");
}
