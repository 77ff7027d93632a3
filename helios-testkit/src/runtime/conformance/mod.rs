//! Every guarantee of the [`Runtime`](helios_core::Runtime) trait as a test.
//!
//! Write a [`RuntimeHarness`] for the engine and one line:
//!
//! ```
//! use helios_testkit::runtime::conformance::FakeHarness;
//!
//! helios_testkit::runtime_conformance!(|| async { FakeHarness::new() });
//! # fn main() {}
//! ```
//!
//! It expands to one `#[test]` for each case; no case can be left out. A case named `r04_...` proves
//! the guarantee R-04.

mod cases;
mod fake;
mod harness;
mod look;
#[cfg(test)]
mod self_check;

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::runtime::Runtime as Executor;

pub use fake::FakeHarness;
pub use harness::{Behaviour, RuntimeHarness, SampleImage};

/// How long a case may take before it counts as failed, in seconds. Not a measure of speed: a case
/// that waits for something that never happens must end some time.
pub const CASE_SECONDS_MAX: u64 = 180;

type Case = for<'a> fn(&'a dyn RuntimeHarness) -> LocalBoxFuture<'a, ()>;

/// Expands to one `#[test]` for each case of the suite.
///
/// The argument is a closure without parameters that gives a future of a fresh
/// [`RuntimeHarness`](crate::runtime::conformance::RuntimeHarness); it is called once for each case.
#[macro_export]
macro_rules! runtime_conformance {
    (@tests [$factory:expr] $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::runtime::conformance::run(stringify!($case), $factory);
            }
        )*
    };
    (@table [] $($case:ident)*) => {
        &[$((stringify!($case), |harness| Box::pin(cases::$case(harness)))),*]
    };
    (@each $mode:ident $($argument:tt)*) => {
        $crate::runtime_conformance! {
            @$mode [$($argument)*]
            r01_lists_containers_in_every_state
            r01_never_lists_what_another_owner_has
            r01_never_touches_what_another_owner_has
            r01_an_engine_that_is_away_is_an_error_and_not_an_empty_list
            r02_reads_what_it_did
            r03_watch_begins_with_the_present
            r04_watch_shows_every_later_change
            r04_watch_shows_a_process_that_was_killed
            r04_watch_shows_a_start_that_failed
            r04_watch_shows_what_happened_while_the_engine_was_away
            r04_watch_ends_a_burst_with_a_complete_look
            r04_every_watch_sees_every_change
            r05_trouble_is_an_item_and_not_the_end
            r06_a_pulled_image_can_be_created
            r06_pulling_again_succeeds
            r06_a_failed_pull_says_what_failed
            r07_concurrent_creates_make_one_container
            r07_another_spec_of_the_name_is_refused
            r07_a_name_of_another_owner_is_refused
            r08_labels_and_digest_are_there_from_the_start
            r09_create_pulls_nothing
            r09_a_refused_spec_leaves_nothing
            r10_creating_again_gives_the_same_container
            r11_a_started_container_runs
            r11_an_exit_code_is_kept
            r11_an_exited_container_starts_again
            r11_starting_the_missing_is_not_found
            r11_a_failed_start_leaves_the_container
            r11_a_taken_port_is_named_and_can_be_tried_again
            r12_starting_the_running_changes_nothing
            r13_a_stopped_container_does_not_run
            r14_a_process_has_its_grace
            r14_a_process_is_killed_when_its_grace_is_over
            r15_stopping_what_does_not_run_succeeds
            r16_the_name_of_a_removed_container_is_free
            r16_concurrent_removes_all_succeed
            r17_removing_the_missing_succeeds
        }
    };
    ($factory:expr) => {
        $crate::runtime_conformance! { @each tests $factory }
    };
}

const CASES: &[(&str, Case)] = runtime_conformance!(@each table);

/// Runs one case on a fresh harness, and cleans up after it whatever happens. What
/// [`runtime_conformance!`](crate::runtime_conformance) expands to.
///
/// # Panics
/// When the guarantee does not hold.
pub fn run<F>(case: &str, factory: impl FnOnce() -> F)
where
    F: Future<Output: RuntimeHarness>,
{
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match executor {
        Ok(executor) => run_on(&executor, case, factory),
        Err(error) => panic!("no executor for {case}: {error}"),
    }
}

fn run_on<F>(executor: &Executor, case: &str, factory: impl FnOnce() -> F)
where
    F: Future<Output: RuntimeHarness>,
{
    let found = CASES.iter().find(|(name, _)| *name == case);
    let Some((_, body)) = found else {
        panic!("the suite has no case {case}");
    };
    executor.block_on(async {
        let harness = factory().await;
        let within = Duration::from_secs(CASE_SECONDS_MAX);
        let body = AssertUnwindSafe(tokio::time::timeout(within, body(&harness)));
        let outcome = body.catch_unwind().await;
        harness.clean_up().await;
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("{case} did not end within {CASE_SECONDS_MAX} s"),
            Err(panic) => resume_unwind(panic),
        }
    });
}
