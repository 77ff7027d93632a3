//! Who has which port.

use super::*;

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

/// A host whose agent may choose from four ports, of which something else has all but `free`.
fn crowded(free: Option<u16>) -> Host {
    let mut host = Host::new();
    let range = 20_000..20_004;
    Arc::make_mut(&mut host.desired.policy).port_range = range.clone();
    let taken = range.filter(|port| Some(*port) != free);
    let taken = taken.map(|port| (Protocol::Tcp, port));
    host.observed.ports_in_use.extend(taken);
    // The ports of the other protocol are others.
    let udp = free.map(|port| (Protocol::Udp, port));
    host.observed.ports_in_use.extend(udp);
    host
}

#[test]
fn the_last_free_port_of_the_range_is_found_wherever_it_is() {
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    for free in 20_000..20_004 {
        let mut host = crowded(Some(free));
        host.deploy(&web, Goal::Start);
        host.settle();
        assert_eq!(host.observed.leases[&web.id]["http"], free);
    }
    let mut host = crowded(None);
    host.deploy(&web, Goal::Start);
    host.settle();
    let line = host.line(&web);
    assert_eq!(
        (line.because, line.report.state),
        (Because::NoPort, TaskState::Failed)
    );
    let error = &line.report.error;
    assert!(error.starts_with("no free port in 20000..20004"), "{error}");
}

#[test]
fn two_ports_of_one_job_are_two() {
    let web = job("web")
        .port("a", PortMapping::tcp(80))
        .port("b", PortMapping::tcp(81))
        .with_computed_id();
    let mut host = Host::new();
    Arc::make_mut(&mut host.desired.policy).port_range = 20_000..20_002;
    host.deploy(&web, Goal::Start);
    host.settle();
    let mut ports: Vec<_> = host.observed.leases[&web.id].values().copied().collect();
    ports.sort_unstable();
    assert_eq!(ports, [20_000, 20_001]);
}

/// Also if the one that can choose is asked first.
#[test]
fn what_can_choose_leaves_the_port_to_what_cannot() {
    for fixed in [20_000, 20_001] {
        let chooses = job("a").port("p", PortMapping::tcp(80)).with_computed_id();
        let cannot = PortMapping::tcp(80).external(fixed);
        let cannot = job("b").port("p", cannot).with_computed_id();
        let mut host = Host::new();
        Arc::make_mut(&mut host.desired.policy).port_range = 20_000..20_002;
        host.deploy(&chooses, Goal::Start);
        host.deploy(&cannot, Goal::Start);
        host.settle();
        let port = |job: &Job| host.observed.leases[&job.id]["p"];
        assert_eq!([port(&cannot), port(&chooses)], [fixed, 40_001 - fixed]);
    }
}

/// What runs keeps the port that was chosen for it. The leases were stored anew at every step as long as the other job waited.
#[test]
fn a_job_that_waits_for_a_port_changes_no_leases() {
    let chooses = job("a").port("p", PortMapping::tcp(80)).with_computed_id();
    let cannot = PortMapping::tcp(80).external(20_000);
    let cannot = job("b").port("p", cannot).with_computed_id();
    let mut host = Host::new();
    Arc::make_mut(&mut host.desired.policy).port_range = 20_000..20_001;
    host.deploy(&chooses, Goal::Start);
    host.settle();
    host.deploy(&cannot, Goal::Start);
    let plan = reconcile(&host.desired, &host.observed, host.now);
    assert!(Arc::ptr_eq(&plan.leases, &host.observed.leases));
    let state = |job: &Job| plan.task(&job.id).map(|line| line.report.state);
    assert_eq!(state(&chooses), Some(TaskState::Running));
    assert_eq!(state(&cannot), Some(TaskState::Failed));
}

/// Neither while the goals are only remembered nor while the engine is away it is known that nobody needs them.
#[test]
fn ports_are_given_back_only_when_all_is_known() {
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.settle();
    host.desired.tasks.clear();
    let leased = |host: &Host| {
        let plan = reconcile(&host.desired, &host.observed, host.now);
        plan.leases.contains_key(&web.id)
    };
    host.observed.containers = Some(Containers::new());
    host.desired.complete = false;
    assert!(leased(&host));
    host.desired.complete = true;
    host.observed.containers = None;
    assert!(leased(&host));
    host.observed.containers = Some(Containers::new());
    assert!(!leased(&host));
}

#[test]
fn what_needs_no_port_gets_no_lease() {
    let mut host = Host::new();
    let stopped = job("stopped")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    host.deploy(&stopped, Goal::Stop);
    host.deploy(&job("plain"), Goal::Start);
    host.settle();
    assert_eq!(*host.observed.leases, BTreeMap::new());
}

/// A port is chosen anew only in trouble, and when no container is to use the old one any more; a port that the job
/// names stays its own.
#[test]
fn another_port_is_chosen_when_the_container_of_the_old_one_is_gone() {
    let web = job("web")
        .port("admin", PortMapping::tcp(81).external(8_080))
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.settle();
    let before = Arc::clone(&host.observed.leases[&web.id]);
    let now = |host: &Host| {
        let plan = reconcile(&host.desired, &host.observed, host.now);
        Arc::clone(&plan.leases[&web.id])
    };
    let port = (Protocol::Tcp, before["http"]);
    host.observed.ports_in_use.insert(port);
    host.observed.containers = Some(Containers::new());
    assert_eq!(now(&host), before, "it had no trouble");
    host.observed
        .memories
        .get_mut(&web.id)
        .unwrap()
        .port_trouble = true;
    host.observed.containers = None;
    assert_eq!(now(&host), before, "its container may be there");
    host.observed.containers = Some(Containers::new());
    let after = now(&host);
    assert_ne!(after["http"], before["http"]);
    assert_eq!(after["admin"], 8_080);
}

/// Else every start of an agent whose neighbours share its ports would begin with the same collision.
#[test]
fn tasks_choose_from_the_whole_range() {
    let chosen = (0..40).map(|number| {
        let job = job(&format!("j{number}")).port("p", PortMapping::tcp(80));
        let job = job.with_computed_id();
        let mut host = Host::new();
        host.deploy(&job, Goal::Start);
        host.settle();
        host.observed.leases[&job.id]["p"]
    });
    let chosen: std::collections::BTreeSet<_> = chosen.collect();
    assert!(chosen.len() > 35, "{chosen:?}");
    let spread = chosen.last().unwrap() - chosen.first().unwrap();
    assert!(spread > 6_000, "of 12768 ports: {chosen:?}");
}
