//! From goals to containers.

use super::*;

#[test]
fn a_deployed_job_gets_one_running_container() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    let log = host.settle();
    assert_eq!(
        log,
        [
            "Create web: it is deployed and has no container",
            "Start web: its container is not started yet",
        ]
    );
    assert_eq!(host.line(&job("web")).report.state, TaskState::Running);
}

#[test]
fn a_dead_container_is_replaced_by_a_fresh_one_after_the_backoff() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.settle();
    host.wait(Duration::from_secs(60));
    host.exit(&job("web"), 137);
    assert_eq!(host.settle(), [""; 0], "the backoff holds it back");
    assert_eq!(host.line(&job("web")).report.state, TaskState::Exited);
    host.wait(Duration::from_millis(200));
    assert_eq!(
        host.settle(),
        [
            "Remove web: its container ended with code 137",
            "Create web: its container ended with code 137",
            "Start web: its container is not started yet",
        ]
    );
}

#[test]
fn a_dead_container_makes_room_by_its_name_or_is_removed() {
    let mut host = Host::new();
    let mut policy = Policy::for_host("web1");
    policy.keep_dead.of_each_job = 1;
    host.desired = Desired::new(policy);
    let web = job("web").port("http", PortMapping::tcp(80));
    let web = web.with_computed_id();
    host.deploy(&web, Goal::Start);
    host.settle();
    let ports = host.observed.leases.clone();
    for (fails, verbs) in [
        (false, ["Keep", "Create", "Start"].as_slice()),
        (true, &["Keep", "Remove", "Create", "Start"]),
    ] {
        host.wait(Duration::from_secs(60));
        host.exit(&web, 1);
        host.look();
        host.wait(Duration::from_millis(200));
        if fails {
            host.fail.insert(Verb::Keep, RuntimeErrorKind::Failed);
            host.pass();
            host.fail.clear();
            host.wait(Duration::from_secs(60));
        }
        let log = host.settle();
        let done = log.iter().map(|line| line.split(' ').next().unwrap());
        assert_eq!(done.collect::<Vec<_>>(), verbs, "{log:?}");
        assert_eq!(host.observed.leases, ports);
    }
    assert_eq!(host.observed.containers.as_ref().unwrap().len(), 2);
    host.desired.tasks.clear();
    let log = host.settle();
    assert!(log[0].starts_with("Stop web") && log.len() == 2, "{log:?}");
    let left = host.observed.containers.as_ref().unwrap();
    assert!(left.iter().all(is_kept) && left.len() == 1, "{left:?}");
}

/// An agent before this one may have asked for a start that still takes effect, beside the fresh container.
#[test]
fn what_may_still_be_started_is_not_kept() {
    for (ran, verb) in [(60, "Remove"), (600, "Keep")] {
        let mut host = Host::new();
        let mut policy = Policy::for_host("web1");
        policy.keep_dead.of_each_job = 1;
        host.desired = Desired::new(policy);
        let web = job("web").with_computed_id();
        host.deploy(&web, Goal::Start);
        host.settle();
        host.observed.memories.clear();
        host.look();
        host.wait(Duration::from_secs(ran));
        host.exit(&web, 1);
        host.look();
        host.wait(Duration::from_secs(60));
        let log = host.settle();
        assert!(log[0].starts_with(verb), "{log:?}");
    }
}

#[test]
fn a_goal_that_cannot_be_read_leaves_its_job_alone_and_no_other() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.deploy(&job("db"), Goal::Start);
    host.settle();
    host.desired.tasks.clear();
    host.desired.unread.insert(job("web").id);
    assert_eq!(host.settle().len(), 2, "db is stopped and removed");
    assert_eq!(host.line(&job("web")).because, Because::GoalsUnknown);
}

#[test]
fn a_job_that_keeps_dying_is_throttled_and_recovers() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    for _ in 0..10 {
        host.settle();
        host.exit(&job("web"), 1);
        host.look();
        host.wait(Duration::from_secs(40));
    }
    host.settle();
    let line = host.line(&job("web"));
    assert_eq!(
        (line.report.state, line.report.throttled),
        (TaskState::Running, ThrottleState::Flapping)
    );
    let wake = reconcile(&host.desired, &host.observed, host.now).wake;
    assert!(
        wake.is_some(),
        "it is looked at again when it stops flapping"
    );
    host.wait(Duration::from_secs(61));
    assert_eq!(host.line(&job("web")).report.throttled, ThrottleState::No);
}

#[test]
fn an_image_that_is_not_here_is_pulled_once() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.fail
        .insert(Verb::Create, RuntimeErrorKind::ImageUnknown);
    assert!(host.pass());
    host.fail.clear();
    let log = host.settle();
    assert_eq!(log[1], "Pull web: the image is not here");
    assert_eq!(log.len(), 4, "{log:?}");
}

#[test]
fn an_unknown_image_holds_the_job_back_and_says_so() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.fail
        .insert(Verb::Create, RuntimeErrorKind::ImageUnknown);
    host.fail.insert(Verb::Pull, RuntimeErrorKind::ImageUnknown);
    host.settle();
    let line = host.line(&job("web"));
    assert_eq!(
        (line.report.state, line.report.throttled),
        (TaskState::Failed, ThrottleState::ImageMissing)
    );
    assert_eq!(line.report.error, "ImageUnknown");
    host.wait(Duration::from_secs(151));
    host.fail.clear();
    assert_eq!(
        host.settle().len(),
        2,
        "an image that came by other ways is used without a pull"
    );
}

#[test]
fn a_goal_to_stop_stops_and_keeps_and_starts_again() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.settle();
    host.deploy(&job("web"), Goal::Stop);
    assert_eq!(host.settle(), ["Stop web: it should be stopped"]);
    assert_eq!(host.line(&job("web")).report.state, TaskState::Stopped);
    host.deploy(&job("web"), Goal::Start);
    assert_eq!(host.settle().len(), 3, "at once, without a backoff");
}

#[test]
fn what_is_undeployed_is_stopped_removed_and_forgotten() {
    let mut host = Host::new();
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .seconds_to_wait_before_kill(7)
        .with_computed_id();
    host.deploy(&web, Goal::Start);
    host.settle();
    assert_eq!(host.observed.leases.len(), 1);
    host.desired.tasks.clear();
    let line = host.line(&web);
    assert!(matches!(line.action, Some(Action::Stop(_, grace)) if grace == Duration::from_secs(7)));
    assert_eq!(
        host.settle(),
        [
            "Stop web: it is not deployed here any more",
            "Remove web: it is not deployed here any more"
        ]
    );
    assert!(host.observed.leases.is_empty());
    assert!(
        reconcile(&host.desired, &host.observed, host.now)
            .tasks
            .is_empty()
    );
}

#[test]
fn an_agent_that_never_read_its_goals_stops_nothing() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.settle();
    host.desired.tasks.clear();
    host.desired.complete = false;
    assert_eq!(host.settle(), [""; 0]);
    assert_eq!(host.line(&job("web")).because, Because::GoalsUnknown);
}

#[test]
fn an_engine_that_cannot_be_read_is_left_alone() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.observed.containers = None;
    let plan = reconcile(&host.desired, &host.observed, host.now);
    assert!(plan.tasks.iter().all(|line| line.action.is_none()));
    assert_eq!(plan.tasks[0].waiting, Some(Waiting::ForEngine));
}

#[test]
fn a_name_keeps_what_an_engine_allows_and_nothing_else() {
    let id = "web/site.old_1-2:v 1".parse().unwrap();
    assert_eq!(container_name("h s", &id), "h_s-web_site.old_1-2_v_1_");
}
