//! Scripts for a host in a test tube: plans are applied to containers that do as they are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Goal, HealthCheck, Job, PortMapping, TaskState, ThrottleState};
use crate::runtime::{
    Container, ContainerId, ContainerState, Containers, Exit, ProbeTarget, Protocol, RuntimeError,
    RuntimeErrorKind,
};

/// A host whose engine obeys at once, or fails as it is told to.
struct Host {
    desired: Desired,
    observed: Observed,
    now: Moment,
    made: u64,
    fail: BTreeMap<Verb, RuntimeErrorKind>,
    log: Vec<String>,
}

impl Host {
    fn new() -> Self {
        Self {
            desired: Desired::new(Policy::for_host("web1")),
            observed: Observed {
                containers: Some(Containers::new()),
                ..Observed::default()
            },
            now: Moment::default(),
            made: 0,
            fail: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn deploy(&mut self, job: &Job, goal: Goal) {
        self.desired = self.desired.clone().with(job.clone(), goal);
    }

    fn look(&mut self) {
        let Some(containers) = self.observed.containers.clone() else {
            return;
        };
        let policy = Arc::clone(&self.desired.policy);
        let mut known: Vec<_> = self.desired.tasks.keys().cloned().collect();
        known.extend(containers.iter().filter_map(container_spec::job_of));
        for id in known {
            let container = containers.get(&container_name(&policy.namespace, &id));
            self.observed
                .memories
                .entry(id.clone())
                .or_default()
                .see(&id, container, &policy, self.now);
        }
    }

    /// One pass: decide and do. Says whether anything was done.
    fn pass(&mut self) -> bool {
        self.look();
        let plan = reconcile(&self.desired, &self.observed, self.now);
        self.observed.leases = Arc::clone(&plan.leases);
        let mut acted = false;
        for line in plan.tasks {
            let Some(action) = line.action else { continue };
            acted = true;
            self.log.push(format!(
                "{:?} {}: {}",
                action.verb(),
                line.job.name(),
                line.because
            ));
            self.apply(&line.job, &action);
        }
        acted
    }

    fn apply(&mut self, job: &JobId, action: &Action) {
        let verb = action.verb();
        let failure = self
            .fail
            .get(&verb)
            .map(|kind| RuntimeError::new(*kind, format!("{kind:?}")));
        let policy = Arc::clone(&self.desired.policy);
        if failure.is_none() {
            self.obey(action);
        }
        let memory = self.observed.memories.entry(job.clone()).or_default();
        memory.done(
            job,
            verb,
            failure.as_ref().map_or(Ok(()), Err),
            &policy,
            self.now,
        );
        if let (Action::Stop(id, _), None) = (action, failure) {
            memory.stopped(id);
        }
    }

    fn obey(&mut self, action: &Action) {
        let containers = self.observed.containers.as_mut().expect("an engine");
        let with = |containers: &Containers, id: &ContainerId| {
            containers
                .iter()
                .find(|c| c.id == *id)
                .cloned()
                .expect("the container is there")
        };
        match action {
            Action::Create(spec) => {
                self.made += 1;
                assert!(
                    containers.get(&spec.name).is_none(),
                    "a second container for {}",
                    spec.name
                );
                containers.insert(Container {
                    id: ContainerId::new(format!("c{}", self.made)),
                    name: spec.name.clone(),
                    digest: Some(spec.digest()),
                    labels: spec.labels.clone(),
                    state: ContainerState::Created { error: None },
                    ip: Some([127, 0, 0, 1].into()),
                });
            }
            Action::Start(id) => {
                let container = with(containers, id);
                containers.insert(Container {
                    state: ContainerState::Running,
                    ..container
                });
            }
            Action::Stop(id, _) => {
                let container = with(containers, id);
                let state = ContainerState::Exited(Exit::default());
                containers.insert(Container { state, ..container });
            }
            Action::Remove(id) => {
                let name = with(containers, id).name;
                containers.remove(&name);
            }
            Action::Keep(id, name) => {
                let container = with(containers, id);
                containers.remove(&container.name);
                let name = name.clone();
                containers.insert(Container { name, ..container });
            }
            Action::Pull(_) | Action::AbandonPull => {}
        }
    }

    fn settle(&mut self) -> Vec<String> {
        for _ in 0..100 {
            if !self.pass() {
                return std::mem::take(&mut self.log);
            }
        }
        panic!("never comes to rest: {:?}", self.log);
    }

    fn exit(&mut self, job: &Job, code: i64) {
        let containers = self.observed.containers.as_mut().unwrap();
        let name = container_name("helios", &job.id);
        let container = containers.get(&name).cloned().expect("it runs");
        let state = ContainerState::Exited(Exit {
            code,
            ..Exit::default()
        });
        containers.insert(Container { state, ..container });
    }

    fn wait(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    fn line(&mut self, job: &Job) -> TaskPlan {
        self.look();
        reconcile(&self.desired, &self.observed, self.now)
            .task(&job.id)
            .expect("a line")
            .clone()
    }
}

fn job(name: &str) -> Job {
    Job::new(&format!("{name}:1"), "busybox")
        .unwrap()
        .with_computed_id()
}

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
    host.wait(Duration::from_secs(121));
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
fn ports_are_leased_before_the_first_create_and_kept() {
    let mut host = Host::new();
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    host.deploy(&web, Goal::Start);
    let plan = reconcile(&host.desired, &host.observed, host.now);
    let port = plan.leases[&web.id]["http"];
    let Some(Action::Create(spec)) = &plan.tasks[0].action else {
        panic!("{plan:?}")
    };
    assert_eq!(spec.ports[0].host_port, port);
    assert_eq!(spec.env["HELIOS_PORT_http"], format!("web1:{port}"));
    host.settle();
    host.wait(Duration::from_secs(60));
    host.exit(&web, 1);
    host.settle();
    assert_eq!(host.observed.leases[&web.id]["http"], port);
}

#[test]
fn a_dynamic_port_that_was_taken_meanwhile_is_given_back() {
    let mut host = Host::new();
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    host.deploy(&web, Goal::Start);
    host.fail.insert(Verb::Start, RuntimeErrorKind::PortInUse);
    host.settle();
    let port = host.observed.leases[&web.id]["http"];
    host.fail.clear();
    host.observed.ports_in_use.insert((Protocol::Tcp, port));
    host.wait(Duration::from_secs(1));
    host.settle();
    assert_ne!(host.observed.leases[&web.id]["http"], port);
    assert_eq!(host.line(&web).report.state, TaskState::Running);
}

#[test]
fn a_port_that_is_leased_to_another_task_is_waited_for() {
    let mut host = Host::new();
    let first = job("first")
        .port("p", PortMapping::tcp(80).external(8080))
        .with_computed_id();
    let second = job("second")
        .port("p", PortMapping::tcp(80).external(8080))
        .with_computed_id();
    host.deploy(&first, Goal::Start);
    host.settle();
    host.deploy(&second, Goal::Start);
    host.settle();
    let line = host.line(&second);
    assert_eq!(
        (line.because, line.report.state),
        (Because::NoPort, TaskState::Failed)
    );
    assert!(
        line.report.error.contains("still leased to first:1"),
        "{}",
        line.report.error
    );
    host.desired.tasks.remove(&first.id);
    host.settle();
    assert_eq!(host.line(&second).report.state, TaskState::Running);
}

#[test]
fn a_name_keeps_what_an_engine_allows_and_nothing_else() {
    let id = "web/site.old_1-2:v 1".parse().unwrap();
    assert_eq!(container_name("h s", &id), "h_s-web_site.old_1-2_v_1_");
}

#[test]
fn leases_are_rebuilt_from_labels_when_the_state_was_lost() {
    let mut host = Host::new();
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    host.deploy(&web, Goal::Start);
    let odd = BTreeMap::from([("http".to_owned(), 31_313)]);
    host.observed.leases = Arc::new(BTreeMap::from([(web.id.clone(), Arc::new(odd))]));
    host.settle();
    let before = host.observed.leases.clone();
    host.observed.leases = Arc::default();
    host.observed.memories.clear();
    assert_eq!(
        host.settle(),
        [""; 0],
        "a healthy container is adopted untouched"
    );
    assert_eq!(host.observed.leases, before);
}

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

#[derive(Clone, Debug)]
enum Step {
    Goal(usize, Goal),
    Undeploy(usize),
    Exit(usize),
    Fail(Verb, RuntimeErrorKind),
    Heal,
    Pass,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        Just(Verb::Pull),
        Just(Verb::Create),
        Just(Verb::Start),
        Just(Verb::Keep),
        Just(Verb::Stop)
    ];
    let kind = prop_oneof![
        Just(RuntimeErrorKind::ImageUnknown),
        Just(RuntimeErrorKind::PortInUse),
        Just(RuntimeErrorKind::Failed),
        Just(RuntimeErrorKind::RegistryUnreachable),
    ];
    prop_oneof![
        (0..4_usize, prop_oneof![Just(Goal::Start), Just(Goal::Stop)])
            .prop_map(|(j, g)| Step::Goal(j, g)),
        (0..4_usize).prop_map(Step::Undeploy),
        (0..4_usize).prop_map(Step::Exit),
        (verb, kind).prop_map(|(verb, kind)| Step::Fail(verb, kind)),
        Just(Step::Heal),
        Just(Step::Pass),
        (0..200_000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever happened before: once failures end and time passes, exactly what is wanted runs, and then
    /// nothing more is done.
    #[test]
    fn any_history_ends_at_rest_with_what_is_wanted(keep in 0_usize..2, steps in prop::collection::vec(step(), 0..60)) {
        let mut host = Host::new();
        let mut policy = Policy::for_host("web1");
        policy.keep_dead.of_each_job = keep;
        host.desired = Desired::new(policy);
        let jobs: Vec<_> = (0..4)
            .map(|n| job(&format!("j{n}")).port("p", PortMapping::tcp(80)).with_computed_id())
            .collect();
        for step in steps {
            match step {
                Step::Goal(n, goal) => host.deploy(&jobs[n], goal),
                Step::Undeploy(n) => { host.desired.tasks.remove(&jobs[n].id); }
                Step::Exit(n) => {
                    let name = container_name("helios", &jobs[n].id);
                    if host.observed.container(&name).is_some_and(|c| c.state == ContainerState::Running) {
                        host.exit(&jobs[n], 1);
                    }
                }
                Step::Fail(verb, kind) => { host.fail.insert(verb, kind); }
                Step::Heal => host.fail.clear(),
                Step::Pass => { host.pass(); }
                Step::Wait(millis) => host.wait(Duration::from_millis(millis)),
            }
        }
        host.fail.clear();
        for _ in 0..12 {
            host.settle();
            host.wait(Duration::from_secs(130));
        }
        host.settle();
        let again = reconcile(&host.desired, &host.observed, host.now);
        prop_assert!(again.tasks.iter().all(|line| line.action.is_none()));
        for (id, task) in &host.desired.tasks {
            let running = host.observed.container(&task.container)
                .is_some_and(|c| c.state == ContainerState::Running);
            prop_assert_eq!(running, task.goal == Goal::Start, "{}", id);
        }
        let wanted = host.desired.tasks.len();
        let there = host.observed.containers.as_ref().unwrap().iter().filter(|c| !is_kept(c));
        prop_assert!(there.count() <= wanted);
        let ports: Vec<_> = host.observed.leases.values().flat_map(|lease| lease.values()).collect();
        prop_assert_eq!(ports.len(), ports.iter().collect::<std::collections::BTreeSet<_>>().len());
    }
}
