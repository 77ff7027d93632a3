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
