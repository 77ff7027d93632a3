//! Services of jobs: where they are, and that they are left before their containers are stopped.

use super::*;
use crate::model::{ServiceEndpoint, ServicePortParameters, ServicePorts};
use crate::registrar::{Endpoint, HealthHint, Services};

/// A host with one running job that gives a service, and has that many seconds of grace.
fn registered(check: Option<HealthCheck>) -> (Host, Job) {
    let tagged = ServicePortParameters::tagged(["blue"]);
    let ports = ServicePorts::default()
        .and("http", tagged)
        .and("nowhere", ServicePortParameters::default());
    let endpoint: ServiceEndpoint = "web/h2".parse().unwrap();
    let mut web = job("web")
        .port("http", PortMapping::tcp(80))
        .port("other", PortMapping::tcp(81))
        .register(endpoint, ports)
        .grace_period(5);
    web.health_check = check;
    let web = web.with_computed_id();
    let mut host = Host::new();
    host.deploy(&web, Goal::Start);
    host.settle();
    (host, web)
}

fn given(host: &Host) -> Services {
    let plan = reconcile(&host.desired, &host.observed, host.now);
    services(&host.desired, &host.observed, &plan).expect("the engine is there")
}

fn found_well(host: &mut Host, job: &Job, outcome: Result<(), &str>) {
    let look = host.line(job).look.expect("a look is due");
    let policy = Arc::clone(&host.desired.policy);
    let memory = host.observed.memories.get_mut(&job.id).unwrap();
    memory.looked(&look.container, outcome, &policy, host.now);
}

#[test]
fn a_service_is_where_the_port_of_its_job_is() {
    let (host, web) = registered(None);
    let port = host.observed.leases[&web.id]["http"];
    let endpoint = Endpoint {
        name: "web".to_owned(),
        protocol: "h2".to_owned(),
        host: "web1".to_owned(),
        port,
        port_name: "http".to_owned(),
        domain: String::new(),
        tags: vec!["blue".to_owned()],
        health: None,
    };
    let services = given(&host);
    assert_eq!(services.endpoints[&web.id], [endpoint]);
    assert_eq!(services.undecided.len(), 0);
}

#[test]
fn a_job_that_gives_nothing_is_left_out() {
    let mut host = Host::new();
    host.deploy(&job("web"), Goal::Start);
    host.settle();
    assert_eq!(given(&host), Services::default());
    host.observed.containers = None;
    let plan = reconcile(&host.desired, &host.observed, host.now);
    assert_eq!(services(&host.desired, &host.observed, &plan), None);
}

#[test]
fn a_registry_is_told_how_the_job_is_looked_at() {
    let http = |port: &str| HealthCheck::http(port, "/up");
    let path = "/up".to_owned();
    for (check, hint) in [
        (http("http"), Some(HealthHint::Http { path })),
        (http("other"), None),
        (HealthCheck::tcp("http"), Some(HealthHint::Tcp)),
        (HealthCheck::tcp("other"), None),
        (HealthCheck::exec(["true"]), None),
    ] {
        let (mut host, web) = registered(Some(check));
        assert_eq!(given(&host), Services::default(), "not before it is well");
        found_well(&mut host, &web, Ok(()));
        host.settle();
        assert_eq!(given(&host).endpoints[&web.id][0].health, hint);
    }
}

/// An agent that was restarted does not know yet, and takes nothing out of the registry.
#[test]
fn of_an_adopted_container_nothing_is_said_until_it_was_looked_at() {
    let (mut host, web) = registered(Some(HealthCheck::http("http", "/up")));
    host.observed.memories.clear();
    host.settle();
    assert!(given(&host).undecided.contains(&web.id));
    let failures_max = host.desired.policy.health.failures_max;
    for _ in 0..failures_max {
        assert!(given(&host).undecided.contains(&web.id));
        found_well(&mut host, &web, Err("500"));
        host.wait(Duration::from_secs(60));
        host.look();
    }
    assert_eq!(given(&host), Services::default(), "it is not well");
    host.desired.tasks.clear();
    host.desired.complete = false;
    assert!(given(&host).undecided.contains(&web.id), "no goal is known");
}

#[test]
fn an_adopted_container_that_is_being_stopped_is_taken_out() {
    let (mut host, web) = registered(Some(HealthCheck::http("http", "/up")));
    host.observed.memories.clear();
    host.settle();
    host.observed.memories.get_mut(&web.id).unwrap().under_way = Some(Verb::Stop);
    assert_eq!(given(&host), Services::default());
}

/// Until a registry says that it is out, and then for the time that its users have to go elsewhere.
#[test]
fn a_container_is_stopped_only_after_it_left_the_registry() {
    for undeployed in [false, true] {
        let (mut host, web) = registered(None);
        if undeployed {
            host.desired.tasks.clear();
        } else {
            host.deploy(&web, Goal::Stop);
        }
        let line = host.line(&web);
        assert_eq!(
            (line.action, line.waiting),
            (None, Some(Waiting::ForRegistry))
        );
        assert_eq!(
            (line.because, line.report.state),
            (Because::Leaving, TaskState::Stopping)
        );
        assert!(line.leaving);
        assert_eq!(given(&host), Services::default(), "it is taken out");
        let left = host.now;
        let memory = host.observed.memories.get_mut(&web.id).unwrap();
        memory.leaving = Some(Leaving {
            since: left,
            left: Some(left),
        });
        let until = left.plus(Duration::from_secs(5));
        assert_eq!(host.line(&web).waiting, Some(Waiting::Until(until)));
        host.wait(Duration::from_secs(5));
        let verbs = host.settle();
        assert!(verbs[0].starts_with("Stop web"), "{verbs:?}");
    }
}
