//! The ensemble is emptied, or is not the agent's: nothing that runs is touched, and it is said why. And
//! a session that ends is only a session.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helios_core::ops::{CreateJob, Deploy, RegisterHost, Undeploy};
use helios_core::schema::Keys;
use helios_core::{Cluster, Goal};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::time::sleep;
use tracing::subscriber::DefaultGuard;

use crate::ensemble::{Ensemble, options};
use crate::host::{Host, job};
use crate::load::{get, soon};
use crate::presence::{until_absent, until_present};
use crate::proxy::{Link, Proxy};

/// What is logged in this thread: an agent that may not write to the store can say it nowhere else.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_this_thread() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    async fn until_told(&self, what: &str) {
        soon(what, async {
            while !String::from_utf8_lossy(&self.0.lock().unwrap()).contains(what) {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn cluster(store: &ZooKeeperStore) -> (Cluster, String) {
    let cluster = Cluster::on(Arc::new(store.clone())).unwrap();
    let id = cluster.init().await.unwrap();
    (cluster, id)
}

/// Two jobs run on the host.
async fn deploy_two(cluster: &Cluster, host: &Host) {
    host.until_up(cluster).await;
    for name in ["web", "db"] {
        let id = cluster.create_job(&CreateJob::new(job(name))).await;
        let asked = Deploy::new(host.name.clone(), id.unwrap(), Goal::Start);
        cluster.deploy(&asked).await.unwrap();
    }
    host.until_running(2).await;
}

/// The agent minds its containers, as it did before: it starts one that died.
async fn still_minds(host: &Host) {
    let before = host.running().await;
    let (victim, _) = before.first().unwrap();
    let starts = host.starts();
    host.engine.kill(victim);
    soon("another start", async {
        while host.starts() == starts {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(host.until_running(2).await, before);
}

#[tokio::test]
async fn an_emptied_ensemble_stops_nothing() {
    let (log, _guard) = Log::of_this_thread();
    let mut ensemble = Ensemble::start(3).await;
    let store = ensemble.store("helios").await;
    let (master, first) = cluster(&store).await;
    let mut host = Host::new("web1");
    host.start_agent(ensemble.options("helios")).await;
    deploy_two(&master, &host).await;
    let running = host.running().await;

    for server in 0..3 {
        ensemble.kill(server);
        ensemble.wipe(server);
    }
    for server in 0..3 {
        ensemble.restart(server);
    }
    ensemble.until_all_serve().await;
    log.until_told("the store does not say which cluster it is")
        .await;
    assert_eq!(
        (host.taken_away(), host.running().await),
        (0, running.clone())
    );

    // A master that comes makes it another cluster, which gives this agent no orders either.
    let (_, second) = cluster(&store).await;
    log.until_told(&format!(
        "the store belongs to cluster {second}, this agent to {first}"
    ))
    .await;
    assert_eq!((host.taken_away(), host.running().await), (0, running));
    still_minds(&host).await;
}

#[tokio::test]
async fn another_cluster_gives_no_orders() {
    let (log, _guard) = Log::of_this_thread();
    let ensemble = Ensemble::start(1).await;
    let own = ensemble.store("own").await;
    let (master, id) = cluster(&own).await;
    let mut host = Host::new("web1");
    host.start_agent(ensemble.options("own")).await;
    deploy_two(&master, &host).await;
    let running = host.running().await;
    host.kill_agent().await;

    // There the host is known, even as this agent's, and has nothing to do.
    let other = ensemble.store("other").await;
    let (elsewhere, wrong) = cluster(&other).await;
    let registration = RegisterHost {
        host: host.name.clone(),
        agent_id: host.name.to_string(),
    };
    elsewhere.register_host(&registration).await.unwrap();
    host.start_agent(ensemble.options("other")).await;
    log.until_told(&format!(
        "the store belongs to cluster {wrong}, this agent to {id}"
    ))
    .await;
    assert_eq!(
        (host.taken_away(), host.running().await),
        (0, running.clone())
    );
    assert_eq!(get(&other, "up/web1").await, None, "not announced there");
    host.kill_agent().await;

    // Back where it belongs, it takes orders again.
    host.start_agent(ensemble.options("own")).await;
    let undeploy = Undeploy::new(host.name.clone(), job("db").id);
    master.undeploy(&undeploy).await.unwrap();
    let left = host.until_running(1).await;
    assert!(left.is_subset(&running));
    host.until_up(&master).await;
}

#[tokio::test]
async fn presence_comes_back_after_the_session_has_ended() {
    let ensemble = Ensemble::start(1).await;
    let direct = ensemble.store("helios").await;
    let (master, _) = cluster(&direct).await;
    let proxy = Proxy::to(ensemble.server(0)).await;
    let mut host = Host::new("web1");
    host.start_agent(options(proxy.address(), "helios")).await;
    deploy_two(&master, &host).await;
    let running = host.running().await;
    let up = Keys::up(&host.name);
    for _ in 0..2 {
        proxy.set(Link::Stall);
        until_absent(&direct, &up).await;
        proxy.set(Link::Pass);
        until_present(&direct, &up).await;
        host.until_up(&master).await;
    }
    assert_eq!((host.taken_away(), host.running().await), (0, running));
    still_minds(&host).await;
}
