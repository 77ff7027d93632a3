//! What is learned from looks and from how actions ended.

use super::*;

fn deployed(job: &Job) -> Host {
    let mut host = Host::new();
    host.deploy(job, Goal::Start);
    host.settle();
    host
}

/// It died between two looks: nobody saw it run, and it is no less a failure.
#[test]
fn a_container_that_was_never_seen_to_run_is_held_back() {
    let web = job("web");
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.pass();
    host.pass();
    host.exit(&web, 1);
    let line = host.line(&web);
    assert_eq!(line.action, None, "{line:?}");
    assert_eq!(host.observed.memories[&web.id].failures, 1);
    // The same container again: the second end is news, though its id is not.
    let same = job("same").metadata("helios.restart", "same");
    let same = same.with_computed_id();
    let mut host = deployed(&same);
    for failures in 1..4 {
        host.exit(&same, 1);
        assert_eq!(host.line(&same).action, None);
        assert_eq!(host.observed.memories[&same.id].failures, failures);
        host.wait(Duration::from_secs(60));
        assert_eq!(host.settle().len(), 1);
    }
}

/// Else the next container would be said to follow an end that is long past.
#[test]
fn what_was_stopped_is_the_last_that_ended() {
    let web = job("web");
    let mut host = deployed(&web);
    host.exit(&web, 9);
    host.look();
    host.wait(Duration::from_secs(60));
    host.settle();
    host.deploy(&web, Goal::Stop);
    host.settle();
    host.deploy(&web, Goal::Start);
    let log = host.settle();
    assert_eq!(
        log[1], "Create web: its container ended with code 0",
        "{log:?}"
    );
}

#[test]
fn an_image_that_is_unknown_though_it_was_pulled_holds_the_job_back() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.fail
        .insert(Verb::Create, RuntimeErrorKind::ImageUnknown);
    let log = host.settle();
    assert_eq!(log.len(), 3, "create, pull, create: {log:?}");
    let line = host.line(&job("web"));
    assert_eq!(line.report.throttled, ThrottleState::ImageMissing);
}

/// What is worse than flapping is told in its place, and what is stopped does not flap.
#[test]
fn a_job_that_flaps_is_told_to_only_if_nothing_else_is_wrong() {
    let web = job("web");
    let mut host = deployed(&web);
    let runs = host.desired.policy.flapping.runs;
    for _ in 0..runs + 5 {
        host.exit(&web, 1);
        host.look();
        host.wait(Duration::from_secs(40));
        host.settle();
    }
    assert_eq!(host.observed.memories[&web.id].ended.len(), runs);
    assert_eq!(host.line(&web).report.throttled, ThrottleState::Flapping);
    host.deploy(&web, Goal::Stop);
    host.settle();
    let line = host.line(&web);
    assert_eq!(
        (line.report.state, line.report.throttled),
        (TaskState::Stopped, ThrottleState::No)
    );
    host.deploy(&web, Goal::Start);
    host.fail
        .insert(Verb::Create, RuntimeErrorKind::ImageUnknown);
    host.fail.insert(Verb::Pull, RuntimeErrorKind::ImageUnknown);
    host.settle();
    assert_eq!(
        host.line(&web).report.throttled,
        ThrottleState::ImageMissing
    );
}
