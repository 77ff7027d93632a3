//! Services: when they are registered, and that they are out before their container ends.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::model::{HealthCheck, PortMapping, ServicePorts};
use helios_core::registrar::{HealthHint, Registrar, RegistrarError, Services};
use helios_core::{Goal, Job, JobId, TaskState};
use tokio::time::Instant;

use crate::rig::{Rig, job};

/// A registry that keeps all it was told, and when.
#[derive(Clone, Debug, Default)]
struct Told {
    all: Arc<Mutex<Vec<(Instant, Services)>>>,
    hangs: bool,
}

#[async_trait]
impl Registrar for Told {
    async fn publish(&self, services: &Services) -> Result<(), RegistrarError> {
        if self.hangs {
            pending::<()>().await;
        }
        let told = (Instant::now(), services.clone());
        self.all.lock().expect("the lock").push(told);
        Ok(())
    }
}

impl Told {
    fn last(&self) -> Services {
        let all = self.all.lock().expect("the lock");
        all.last()
            .map(|(_, services)| services.clone())
            .unwrap_or_default()
    }

    fn has(&self, job: &JobId) -> bool {
        self.last().endpoints.contains_key(job)
    }

    fn forget(&self) {
        self.all.lock().expect("the lock").clear();
    }
}

async fn start(told: &Told) -> Rig {
    let mut rig = Rig::without_agent().await;
    start_again(&mut rig, told).await;
    rig
}

async fn start_again(rig: &mut Rig, told: &Told) {
    let registrar = Arc::new(told.clone());
    rig.start_agent_with(|agent| agent.registrar(registrar))
        .await;
    rig.until("the host is up", async |rig| {
        let host = rig.cluster.host(&crate::rig::host()).await.expect("a read");
        host.is_some_and(|host| host.up)
    })
    .await;
}

/// A job with a port, a service on it, and 30 seconds between leaving the registry and being stopped.
fn service() -> Job {
    let web = "web/http".parse().expect("an endpoint");
    job("web")
        .port("http", PortMapping::tcp(80))
        .register(web, ServicePorts::of("http"))
        .grace_period(30)
        .with_computed_id()
}

#[tokio::test(start_paused = true)]
async fn a_service_is_registered_once_it_is_well_and_out_when_it_is_not() {
    let told = Told::default();
    let rig = start(&told).await;
    rig.probe.see(Some("it is unwell"));
    let web = service().health_check(HealthCheck::http("http", "/health"));
    let id = rig.deploy(&web.with_computed_id(), Goal::Start).await;
    rig.until_state(&id, TaskState::Healthchecking).await;
    rig.pass(Duration::from_secs(5)).await;
    assert!(!told.has(&id));
    rig.probe.see(None);
    let report = rig.until_state(&id, TaskState::Running).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    let endpoint = told.last().endpoints[&id][0].clone();
    assert_eq!(
        (endpoint.name.as_str(), endpoint.host.as_str()),
        ("web", "web1")
    );
    let port = report.ports["http"].external_port;
    assert_eq!(Some(i32::from(endpoint.port)), port);
    let path = "/health".to_owned();
    assert_eq!(endpoint.health, Some(HealthHint::Http { path }));
    rig.engine.kill(&rig.running().await[0].name);
    rig.probe.see(Some("it is unwell"));
    rig.until("it is out", async |_| !told.has(&id)).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_leaves_the_registry_and_then_has_its_grace() {
    let told = Told::default();
    let rig = start(&told).await;
    let id = rig.deploy(&service(), Goal::Start).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    rig.undeploy(&id).await;
    rig.until("it is out", async |_| !told.has(&id)).await;
    rig.until_state(&id, TaskState::Stopping).await;
    rig.pass(Duration::from_secs(28)).await;
    assert_eq!(rig.running().await.len(), 1, "it has its grace");
    rig.until_gone(&id).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_wanted_again_while_leaving_stays() {
    let told = Told::default();
    let rig = start(&told).await;
    let id = rig.deploy(&service(), Goal::Start).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    let before = rig.running().await.remove(0).id;
    rig.set_goal(&id, Goal::Stop).await;
    rig.until("it is out", async |_| !told.has(&id)).await;
    rig.set_goal(&id, Goal::Start).await;
    rig.until("it is registered again", async |_| told.has(&id))
        .await;
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(rig.running().await[0].id, before);
}

#[tokio::test(start_paused = true)]
async fn an_undeploy_while_the_agent_was_down_takes_the_same_way() {
    let told = Told::default();
    let mut rig = start(&told).await;
    let id = rig.deploy(&service(), Goal::Start).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    rig.kill_agent().await;
    rig.undeploy(&id).await;
    start_again(&mut rig, &told).await;
    rig.until("it is out", async |_| !told.has(&id)).await;
    rig.pass(Duration::from_secs(28)).await;
    assert_eq!(rig.running().await.len(), 1, "it has its grace");
    rig.until_gone(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_agent_takes_no_service_out() {
    let told = Told::default();
    let mut rig = start(&told).await;
    let web = service().health_check(HealthCheck::http("http", "/health"));
    let id = rig.deploy(&web.with_computed_id(), Goal::Start).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    rig.kill_agent().await;
    told.forget();
    start_again(&mut rig, &told).await;
    rig.until_state(&id, TaskState::Running).await;
    rig.until("it is registered", async |_| told.has(&id)).await;
    for (_, services) in &*told.all.lock().expect("the lock") {
        let stays = services.endpoints.contains_key(&id) || services.undecided.contains(&id);
        assert!(stays, "{services:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_hangs_is_named_and_holds_up_nothing() {
    let told = Told {
        hangs: true,
        ..Told::default()
    };
    let rig = start(&told).await;
    let id = rig.deploy(&service(), Goal::Start).await;
    rig.until_state(&id, TaskState::Running).await;
    rig.until("it is told", async |rig| {
        let problems = rig.problems().await;
        problems
            .iter()
            .any(|problem| problem.contains("service registry"))
    })
    .await;
    let begun = Instant::now();
    rig.undeploy(&id).await;
    rig.until_gone(&id).await;
    assert!(begun.elapsed() < Duration::from_secs(60));
}
