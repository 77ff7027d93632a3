//! Containers that have to be well.

use super::*;

/// A host with one running job that has a health check.
fn checked() -> (Host, Job) {
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .health_check(HealthCheck::http("http", "/up"))
        .with_computed_id();
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.settle();
    (host, web)
}

fn looked(host: &mut Host, job: &Job, outcome: Result<(), &str>) {
    let look = host.line(job).look.expect("a look is due");
    let policy = Arc::clone(&host.desired.policy);
    let memory = host.observed.memories.get_mut(&job.id).unwrap();
    memory.looked(&look.container, outcome, &policy, host.now);
}

#[test]
fn a_job_with_a_health_check_runs_only_once_it_passed() {
    let (mut host, web) = checked();
    let line = host.line(&web);
    assert_eq!(
        (line.report.state, line.because),
        (TaskState::Healthchecking, Because::NotWellYet)
    );
    let address = ([127, 0, 0, 1], 80).into();
    let path = "/up".to_owned();
    assert_eq!(
        line.look.unwrap().target,
        ProbeTarget::Http { address, path }
    );
    looked(&mut host, &web, Err("connection refused"));
    let line = host.line(&web);
    assert_eq!(line.report.error, "connection refused");
    assert_eq!(line.look, None, "not at once again");
    let again = host.now.plus(Duration::from_secs(1));
    let plan = reconcile(&host.desired, &host.observed, host.now);
    assert_eq!(plan.wake, Some(again));
    host.wait(Duration::from_secs(1));
    looked(&mut host, &web, Ok(()));
    let line = host.line(&web);
    assert_eq!(
        (line.report.state, line.report.error.as_str()),
        (TaskState::Running, "")
    );
}

#[test]
fn health_is_looked_at_again_and_lost_after_failures_in_a_row() {
    let (mut host, web) = checked();
    looked(&mut host, &web, Ok(()));
    for _ in 0..2 {
        host.wait(Duration::from_secs(10));
        looked(&mut host, &web, Err("500"));
        assert_eq!(host.line(&web).report.state, TaskState::Running);
    }
    host.wait(Duration::from_secs(1));
    looked(&mut host, &web, Err("500"));
    assert_eq!(host.line(&web).report.state, TaskState::Healthchecking);
    assert_eq!(
        host.settle(),
        [""; 0],
        "it is reported, and not replaced unless that is wanted"
    );
}

#[test]
fn an_unwell_container_is_replaced_if_the_policy_says_so() {
    let (mut host, web) = checked();
    let mut policy = (*host.desired.policy).clone();
    policy.health.replace_after = Some(2);
    policy.health.start_period = Duration::from_secs(5);
    host.desired.policy = Arc::new(policy);
    looked(&mut host, &web, Err("500"));
    host.wait(Duration::from_secs(2));
    looked(&mut host, &web, Err("500"));
    assert_eq!(host.settle(), [""; 0], "the start period protects it");
    host.wait(Duration::from_secs(4));
    let log = host.settle();
    assert_eq!(log[0], "Stop web: its health check failed too often");
    assert_eq!(
        host.line(&web).report.state,
        TaskState::Healthchecking,
        "a fresh one is checked anew"
    );
}

#[test]
fn what_was_never_well_does_not_run_while_the_engine_is_away() {
    let (mut host, web) = checked();
    host.observed.containers = None;
    assert_eq!(host.line(&web).report.state, TaskState::Healthchecking);
}

#[test]
fn a_check_that_cannot_be_made_never_passes() {
    let mut host = Host::new();
    let mut web = job("web");
    web.health_check = Some(HealthCheck::tcp("nowhere"));
    host.deploy(&web, Goal::Start);
    host.settle();
    let line = host.line(&web);
    assert_eq!(line.report.state, TaskState::Healthchecking);
    assert!(
        line.report.error.contains("nowhere"),
        "{}",
        line.report.error
    );
}
