//! What is decided and said in each state that a task can be in.

use super::*;

fn deployed(job: &Job) -> Host {
    let mut host = Host::new();
    host.deploy(job, Goal::Start);
    host.settle();
    host
}

fn put(host: &mut Host, job: &Job, state: ContainerState) {
    let containers = host.observed.containers.as_mut().unwrap();
    let name = container_name("helios", &job.id);
    let container = containers.get(&name).cloned().expect("it is there");
    containers.insert(Container { state, ..container });
}

fn memory<'a>(host: &'a mut Host, job: &Job) -> &'a mut Memory {
    host.observed.memories.get_mut(&job.id).expect("a memory")
}

/// A job whose container is started again as it is.
fn same(job: Job) -> Job {
    job.metadata("helios.restart", "same").with_computed_id()
}

#[test]
fn the_same_container_runs_again_where_its_job_wants_that() {
    for (job, starts_again) in [
        (same(job("web")), true),
        (
            job("web")
                .metadata("helios.restart", "fresh")
                .with_computed_id(),
            false,
        ),
        (job("web"), false),
    ] {
        let mut host = deployed(&job);
        host.wait(Duration::from_secs(60));
        host.exit(&job, 1);
        host.look();
        host.wait(Duration::from_secs(1));
        let action = host.line(&job).action;
        assert_eq!(
            matches!(action, Some(Action::Start(_))),
            starts_again,
            "{action:?}"
        );
        assert_eq!(host.settle().len(), if starts_again { 1 } else { 3 });
    }
}

/// One that is not what the job says any more, that did not start, or whose port is gone is replaced.
#[test]
fn the_same_container_does_not_run_again_if_something_is_wrong_with_it() {
    let web = same(job("web").port("http", PortMapping::tcp(80)));
    let spoil: [fn(&mut Host, &Job); 3] = [
        |host, _| {
            let mut policy = Policy::for_host("web1");
            policy.environment = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
            host.desired.policy = Arc::new(policy);
        },
        |host, web| {
            let message = "no such command".to_owned();
            let throttled = ThrottleState::No;
            memory(host, web).failure = Some(Failure { throttled, message });
        },
        |host, web| {
            memory(host, web).port_trouble = true;
            let port = host.observed.leases[&web.id]["http"];
            host.observed.ports_in_use.insert((Protocol::Tcp, port));
        },
    ];
    for spoil in spoil {
        let mut host = deployed(&web);
        host.wait(Duration::from_secs(60));
        host.exit(&web, 1);
        host.look();
        host.wait(Duration::from_secs(1));
        spoil(&mut host, &web);
        let action = host.line(&web).action;
        assert!(matches!(action, Some(Action::Remove(_))), "{action:?}");
    }
}

#[test]
fn what_is_held_back_begins_at_the_very_moment() {
    let web = job("web");
    let mut host = deployed(&web);
    host.exit(&web, 1);
    let Some(Waiting::Until(until)) = host.line(&web).waiting else {
        panic!("it is held back");
    };
    host.wait(until.since(host.now) - Duration::from_millis(1));
    assert_eq!(host.line(&web).action, None);
    host.wait(Duration::from_millis(1));
    assert!(host.line(&web).action.is_some());
    // The same without a container: it says what the last one came to.
    host.observed.containers = Some(Containers::new());
    memory(&mut host, &web).not_before = Some(host.now.plus(Duration::from_secs(9)));
    assert_eq!(host.line(&web).report.state, TaskState::Exited);
    let message = "no space".to_owned();
    let throttled = ThrottleState::No;
    memory(&mut host, &web).failure = Some(Failure { throttled, message });
    let line = host.line(&web);
    assert_eq!(
        (line.report.state, line.report.error.as_str()),
        (TaskState::Failed, "no space")
    );
}

#[test]
fn a_pull_is_waited_for_while_its_job_is_wanted_and_abandoned_otherwise() {
    let web = job("web");
    let mut host = deployed(&web);
    host.observed.containers = Some(Containers::new());
    memory(&mut host, &web).under_way = Some(Verb::Pull);
    let line = host.line(&web);
    assert_eq!(
        (line.action, line.waiting),
        (None, Some(Waiting::ForAction(Verb::Pull)))
    );
    assert_eq!(line.report.state, TaskState::PullingImage);
    host.deploy(&web, Goal::Stop);
    assert_eq!(host.line(&web).action, Some(Action::AbandonPull));
    host.desired.tasks.clear();
    assert_eq!(host.line(&web).action, Some(Action::AbandonPull));
    memory(&mut host, &web).under_way = Some(Verb::Create);
    let line = host.line(&web);
    assert_eq!(
        (line.action, line.waiting),
        (None, Some(Waiting::ForAction(Verb::Create)))
    );
}

#[test]
fn while_an_action_is_under_way_its_state_is_told() {
    let web = job("web");
    for (verb, state) in [
        (Verb::Create, TaskState::Creating),
        (Verb::Start, TaskState::Starting),
        (Verb::Stop, TaskState::Stopping),
        (Verb::Remove, TaskState::Stopping),
        (Verb::Keep, TaskState::Stopping),
    ] {
        let mut host = deployed(&web);
        memory(&mut host, &web).under_way = Some(verb);
        let line = host.line(&web);
        assert_eq!((line.action, line.report.state), (None, state), "{verb:?}");
    }
    let mut host = deployed(&web);
    host.exit(&web, 0);
    memory(&mut host, &web).under_way = Some(Verb::Remove);
    assert_eq!(host.line(&web).report.state, TaskState::Exited);
}

/// By the goals that an agent only remembers it starts what is to run, and ends nothing.
#[test]
fn goals_that_are_only_remembered_start_and_do_not_stop() {
    let web = job("web");
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.desired.complete = false;
    assert_eq!(host.settle().len(), 2, "it is created and started");
    host.deploy(&web, Goal::Stop);
    assert_eq!(host.settle(), [""; 0]);
    let line = host.line(&web);
    assert_eq!(
        (line.because, line.report.state),
        (Because::GoalsUnknown, TaskState::Running)
    );
    host.exit(&web, 0);
    assert_eq!(host.line(&web).report.state, TaskState::Exited);
    host.desired.tasks.clear();
    assert_eq!(host.line(&web).report.state, TaskState::Exited);
}

#[test]
fn while_the_engine_is_away_what_was_known_is_told() {
    let checked = job("web")
        .health_check(HealthCheck::exec(["true"]))
        .with_computed_id();
    let plain = job("web");
    let last_known = |job: &Job, learn: fn(&mut Memory)| {
        let mut host = deployed(job);
        host.look();
        learn(memory(&mut host, job));
        host.observed.containers = None;
        host.line(job).report.state
    };
    assert_eq!(last_known(&plain, |_| ()), TaskState::Running);
    assert_eq!(last_known(&checked, |_| ()), TaskState::Healthchecking);
    assert_eq!(
        last_known(&checked, |memory| memory.health.as_mut().unwrap().well =
            true),
        TaskState::Running
    );
    assert_eq!(
        last_known(&plain, |memory| memory.run = None),
        TaskState::Unknown
    );
    let fail = |memory: &mut Memory| {
        let message = String::new();
        let throttled = ThrottleState::No;
        (memory.run, memory.failure) = (None, Some(Failure { throttled, message }));
    };
    assert_eq!(last_known(&plain, fail), TaskState::Failed);
}

#[test]
fn a_container_that_vanishes_or_is_outdated_is_not_started() {
    let web = job("web");
    let mut host = deployed(&web);
    put(&mut host, &web, ContainerState::Removing);
    let line = host.line(&web);
    assert_eq!(
        (line.action, line.waiting),
        (None, Some(Waiting::ForEngine))
    );
    put(&mut host, &web, ContainerState::Created { error: None });
    host.look();
    host.wait(Duration::from_secs(1));
    assert!(matches!(host.line(&web).action, Some(Action::Start(_))));
    let mut policy = Policy::for_host("web1");
    policy.environment = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
    host.desired.policy = Arc::new(policy);
    let line = host.line(&web);
    assert!(matches!(line.action, Some(Action::Remove(_))), "{line:?}");
    assert_eq!(line.because, Because::Outdated);
    host.desired.tasks.clear();
    put(&mut host, &web, ContainerState::Removing);
    let line = host.line(&web);
    assert_eq!(
        (line.action, line.waiting),
        (None, Some(Waiting::ForEngine))
    );
}
