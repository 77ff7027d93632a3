//! Seeds that once showed a bug of ours.

use super::swarm;

fn stays_clean(seed: u64) {
    let report = swarm(seed).run();
    assert!(report.is_clean(), "{report}");
}

/// A job that was never found well was reported as running while the engine was away.
#[test]
fn seed_10_unwell_is_not_running_while_the_engine_is_away() {
    stays_clean(10);
}

/// After a restart goals that were only remembered stopped a job that was wanted again by then.
#[test]
fn seed_142_what_is_remembered_stops_nothing() {
    stays_clean(142);
}

/// An agent announced itself and reported under a name that had been given to another one meanwhile.
#[test]
fn seed_155_a_lost_name_is_not_announced() {
    stays_clean(155);
}

/// The presence of another agent had the version of the own one that was gone, and so the report was written.
#[test]
fn seed_412_a_version_that_repeats_proves_nothing() {
    stays_clean(412);
}

/// A start that took effect during a remove made the job be reported as running.
#[test]
fn seed_166_what_is_being_removed_does_not_run() {
    stays_clean(166);
}

/// A start that was given up long ago took effect a moment before the dead container was removed: its agent
/// could not know that it ran again, and the checks thought that it did.
#[test]
fn seed_2026_what_came_back_a_moment_ago_is_not_known_to_run() {
    stays_clean(2026);
}

/// Goals that could not be stored were not followed, and what the older ones did not want was stopped, though
/// it was known to be wanted again.
#[test]
fn seed_1485_what_cannot_be_stored_stops_nothing() {
    stays_clean(1485);
}

/// The same when the answer of a save was lost.
#[test]
fn seed_1489_a_save_whose_answer_was_lost_stops_nothing() {
    stays_clean(1489);
}

/// An agent that had just registered its host anew went by the goals of the former registration until its
/// watch told, and started again what it could know to be undeployed.
#[test]
fn seed_1849_what_a_registration_says_is_known_at_once() {
    stays_clean(1849);
}
