//! The list of all cases, and how one of them runs.

use std::any::Any;
use std::future::Future;
use std::panic;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::StoreHarness;
use super::cases;
use super::trial::Trial;

/// The longest a case may take in all, however patient the harness is.
const CASE_TIME_MAX: Duration = Duration::from_secs(300);

/// Makes one `#[test]` of every case of the store conformance suite.
///
/// The argument is the path of an `async fn` without arguments that gives a
/// [`StoreHarness`](crate::store::StoreHarness); it is called once for every case.
#[macro_export]
macro_rules! store_conformance {
    ($factory:path) => {
        $crate::__each_store_case!(__store_test, $factory);
    };
}

/// One test of the suite; an implementation detail of [`store_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __store_test {
    ($factory:path; $($group:ident: $($case:ident)*;)*) => {
        $($(
            #[test]
            fn $case() {
                $crate::store::check(stringify!($case), $factory);
            }
        )*)*
    };
}

/// Hands the names of all cases to another macro; an implementation detail of [`store_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __each_store_case {
    ($then:ident $(, $factory:path)?) => {
        $crate::$then! { $($factory;)?
            reads:
                s01_absent_and_deleted_entries_are_none
                s02_a_handle_reads_what_it_committed
                s03_reads_never_go_back
                s04_exactly_the_direct_children_in_order
                s04_an_absent_directory_is_empty
                s05_a_listing_shows_what_the_handle_committed
                s05_listings_never_go_back;
            commits:
                s06_all_operations_or_none
                s06_nobody_reads_a_part
                s08_every_update_changes_the_version
                s09_ok_survives_a_restart
                s10_a_refused_transaction_writes_nothing
                s10_a_conflict_names_its_entry
                s12_what_is_within_the_limits_fits
                s12_what_is_over_a_limit_is_refused
                s12_an_empty_transaction_changes_nothing
                s13_entries_are_leaves
                s13_directories_come_and_go_with_their_entries;
            contention:
                s07_one_of_many_updates_wins
                s07_one_of_many_creates_wins
                s07_a_checked_entry_cannot_change_meanwhile
                s07_acknowledged_increments_add_up;
            sessions:
                s11_an_ephemeral_entry_vanishes_with_its_session
                s11_an_ephemeral_entry_is_like_any_other_until_then
                s11_sessions_end_separately
                s11_an_entry_taken_over_is_not_taken_away;
            watches:
                s14_the_first_item_is_the_present
                s14_a_watch_of_nothing_begins_empty
                s15_every_commit_reaches_the_watch
                s15_the_last_of_a_burst_reaches_the_watch
                s15_every_watch_of_a_scope_is_served
                s15_a_watched_entry_goes_and_comes_back
                s16_snapshots_never_go_back
                s16_consecutive_snapshots_share_what_did_not_change
                s17_trouble_does_not_end_the_stream
                s18_a_reader_that_sleeps_misses_only_the_past
                s18_a_reader_that_sleeps_holds_up_nobody;
            generated:
                s06_random_transactions_do_what_the_model_does;
        }
    };
}

/// Turns the list into a table; an implementation detail of this module.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_table {
    ($($group:ident: $($case:ident)*;)*) => {
        /// The names of all cases, each beginning with the guarantee it proves.
        pub const CASES: &[&str] = &[$($(stringify!($case)),*),*];

        fn start(case: &str, trial: Trial) -> BoxFuture<'static, ()> {
            match case {
                $($(stringify!($case) => Box::pin(cases::$group::$case(trial)),)*)*
                _ => panic!("the suite has no case {case}; see helios_testkit::store::CASES"),
            }
        }
    };
}

crate::__each_store_case!(__store_table);

/// Runs one case.
///
/// # Panics
/// When the store breaks the guarantee, with a message that names it; and when there is no such case.
pub fn check<H, F>(case: &'static str, factory: impl FnOnce() -> F + Send + 'static)
where
    H: StoreHarness,
    F: Future<Output = H> + Send + 'static,
{
    if let Err(cause) = run(case, factory) {
        panic::resume_unwind(cause);
    }
}

/// Runs one case and gives the message of its failure, if it fails.
///
/// # Errors
/// The message of the failure.
pub fn verdict<H, F>(
    case: &'static str,
    factory: impl FnOnce() -> F + Send + 'static,
) -> Result<(), String>
where
    H: StoreHarness,
    F: Future<Output = H> + Send + 'static,
{
    run(case, factory).map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| format!("{case} panicked without a message"))
    })
}

/// Several threads, so that what can interleave does; and a limit that holds even if the store blocks one.
fn run<H, F>(
    case: &'static str,
    factory: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Box<dyn Any + Send>>
where
    H: StoreHarness,
    F: Future<Output = H> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Err(Box::new(format!("{case}: no runtime to run on: {error}"))),
    };
    let task = runtime.spawn(async move {
        let harness = factory().await;
        start(case, Trial::new(case, harness)).await;
    });
    let result = runtime.block_on(async { tokio::time::timeout(CASE_TIME_MAX, task).await });
    runtime.shutdown_background();
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error
            .try_into_panic()
            .unwrap_or_else(|error| Box::new(format!("{case}: {error}")))),
        Err(_) => Err(Box::new(format!(
            "{case}: not done after {} s",
            CASE_TIME_MAX.as_secs()
        ))),
    }
}
