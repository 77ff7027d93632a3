//! The checks of the simulator, on what two agents did with a real ensemble and a real engine while they were
//! killed, their containers ended, and the ensemble went away.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use helios_core::agent::{Agent, AgentId};
use helios_core::cluster::ClusterError;
use helios_core::model::{HealthCheck, PortMapping};
use helios_core::ops::{CreateJob, Deploy, SetGoal, Undeploy};
use helios_core::runtime::{Container, ContainerState};
use helios_core::state_dir::FileStateDir;
use helios_core::store::StoreErrorKind;
use helios_core::{Cluster, Goal, HostName, Job, JobId, Runtime};
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_store::zookeeper::{ZooKeeperOptions, ZooKeeperStore};
use helios_testkit::sim::{Actor, Bounds, Machine, Phase, Recorder, checks};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::ensemble::{Ensemble, SESSION};
use crate::load::soon;

/// How long after the last trouble all must be as wanted. A job that ended may be held back for a while.
const SETTLE: Duration = Duration::from_secs(30);

/// For how long it must stay so.
const STABLE: Duration = Duration::from_secs(10);

/// A host with a real engine, which it shares with the others.
struct RealHost {
    number: u16,
    name: HostName,
    id: AgentId,
    /// By which the test looks at the engine, and does what nobody is told of.
    engine: Arc<DockerRuntime>,
    dir: TempDir,
    recorder: Recorder,
    agent: Option<JoinHandle<()>>,
    observer: JoinHandle<()>,
    starts: u32,
}

impl RealHost {
    async fn new(number: u16, recorder: &Recorder) -> Self {
        let dir = TempDir::new().unwrap();
        let state = FileStateDir::open(dir.path()).unwrap();
        let id = AgentId::load(&state, None).await.unwrap();
        let engine = DockerRuntime::connect(DockerEndpoint::default(), id.owner().clone())
            .await
            .expect("this test needs a Docker engine: run 'make services', which starts one");
        let (name, engine) = (format!("real{number}"), Arc::new(engine));
        let name: HostName = name.parse().unwrap();
        recorder.machine(
            number,
            Machine {
                host: name.clone(),
                agent_id: id.as_str().to_owned(),
            },
        );
        let (observing, observed) = (recorder.clone(), Arc::clone(&engine));
        let observer = tokio::spawn(async move { observing.observe(number, observed).await });
        Self {
            number,
            name,
            id,
            engine,
            dir,
            recorder: recorder.clone(),
            agent: None,
            observer,
            starts: 0,
        }
    }

    fn actor(&self) -> Actor {
        Actor::Agent(self.number)
    }

    async fn start_agent(&mut self, store: ZooKeeperOptions) {
        self.starts += 1;
        self.recorder.started(self.actor());
        let runtime = DockerRuntime::connect(DockerEndpoint::default(), self.id.owner().clone());
        let runtime = Arc::new(runtime.await.unwrap());
        let state = Arc::new(FileStateDir::open(self.dir.path()).unwrap());
        let store = Arc::new(ZooKeeperStore::start(store));
        let ports = 27_000 + self.number * 200;
        let agent = Agent::new(
            self.name.clone(),
            self.id.clone(),
            self.recorder.store(self.actor(), store),
            self.recorder
                .runtime(self.number, Arc::clone(&runtime) as _),
            self.recorder.state_dir(self.number, state),
        )
        .incarnation(format!("start{}", self.starts))
        .probe(self.recorder.probe(self.number, runtime))
        .policy(|policy| policy.port_range = ports..ports + 200);
        self.agent = Some(tokio::spawn(async move {
            agent.run(std::future::pending()).await.unwrap();
        }));
    }

    /// As kill -9 does.
    async fn kill_agent(&mut self) {
        let agent = self.agent.take().expect("an agent");
        agent.abort();
        assert!(agent.await.unwrap_err().is_cancelled(), "it ended before");
        self.recorder.killed(self.actor());
    }

    async fn running(&self) -> Vec<Container> {
        let containers = self.engine.list().await.unwrap();
        let mut running: Vec<_> = containers.iter().cloned().collect();
        running.retain(|container| container.state == ContainerState::Running);
        running
    }

    async fn until_running(&self, count: usize) {
        soon("the containers", async {
            while self.running().await.len() != count {
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
    }

    async fn clean_up(&mut self) {
        self.observer.abort();
        if let Some(agent) = self.agent.take() {
            agent.abort();
            drop(agent.await);
        }
        for container in self.engine.list().await.unwrap().iter() {
            self.engine.remove(&container.id).await.unwrap();
        }
    }
}

fn job(name: &str) -> Job {
    let mut job = Job::new(&format!("{name}:1"), "helios-test/busybox:1").unwrap();
    job.command = vec!["/bin/idle".to_owned()];
    job.seconds_to_wait_before_kill(2)
}

/// A plain job, one that takes a second to end, and one with a port and a health check.
fn jobs() -> [Job; 3] {
    let mut slow = job("slow");
    slow.command = vec!["/bin/slow".to_owned()];
    let mut web = job("web").port("http", PortMapping::tcp(80));
    web.image = Some("helios-test/web:1".to_owned());
    web.command = Vec::new();
    web.health_check = Some(HealthCheck::http("http", "/"));
    [job("idle"), slow, web].map(Job::with_computed_id)
}

/// Asks until the store is there to answer.
async fn ask<T, F>(call: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, ClusterError>>,
{
    soon("an answer", async {
        loop {
            match call().await {
                Ok(value) => return value,
                Err(ClusterError::Store(error)) if error.kind() == StoreErrorKind::Unavailable => {
                    sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await
}

struct Fleet {
    ensemble: Ensemble,
    recorder: Recorder,
    cluster: Cluster,
    hosts: [RealHost; 2],
    observer: JoinHandle<()>,
}

impl Fleet {
    async fn start() -> Self {
        let ensemble = Ensemble::start(1).await;
        let recorder = Recorder::new(Bounds {
            session_timeout: SESSION + Duration::from_secs(2),
            settle: SETTLE,
            ..Bounds::default()
        });
        let master = Actor::Master(0);
        recorder.started(master);
        let store = recorder.store(master, Arc::new(ensemble.store("recorded").await));
        let cluster = Cluster::on(store).unwrap();
        cluster.init().await.unwrap();
        let (observing, observed) = (recorder.clone(), ensemble.store("recorded").await);
        let observer = async move { observing.observe_presence(Arc::new(observed)).await };
        let observer = tokio::spawn(observer);
        let mut hosts = [
            RealHost::new(0, &recorder).await,
            RealHost::new(1, &recorder).await,
        ];
        for host in &mut hosts {
            host.start_agent(ensemble.options("recorded")).await;
        }
        Self {
            ensemble,
            recorder,
            cluster,
            hosts,
            observer,
        }
    }

    async fn until_up(&self) {
        for host in &self.hosts {
            let is_up = async || {
                let found = ask(|| async { Ok(self.cluster.host(&host.name).await?) }).await;
                found.is_some_and(|host| host.up)
            };
            soon("an agent's presence", async {
                while !is_up().await {
                    sleep(Duration::from_millis(50)).await;
                }
            })
            .await;
        }
    }

    async fn deploy(&self, host: usize, job: &JobId) {
        let deploy = Deploy::new(self.hosts[host].name.clone(), job.clone(), Goal::Start);
        ask(|| self.cluster.deploy(&deploy)).await;
    }

    async fn undeploy(&self, host: usize, job: &JobId) {
        let undeploy = Undeploy::new(self.hosts[host].name.clone(), job.clone());
        ask(|| self.cluster.undeploy(&undeploy)).await;
    }

    /// Kills, ends and cuts off, and changes what is wanted meanwhile.
    async fn trouble(&mut self) {
        let jobs = jobs();
        let [idle, slow, web] = jobs.each_ref().map(|job| &job.id);
        self.until_up().await;
        for job in &jobs {
            let create = CreateJob::new(job.clone());
            ask(|| self.cluster.create_job(&create)).await;
        }
        for job in [idle, slow, web] {
            self.deploy(0, job).await;
        }
        self.deploy(1, web).await;
        // While its containers are being made.
        self.hosts[1].kill_agent().await;
        self.deploy(1, idle).await;
        self.hosts[0].until_running(3).await;
        let options = self.ensemble.options("recorded");
        self.hosts[1].start_agent(options.clone()).await;
        self.hosts[1].until_running(2).await;
        // Away while goals change and a container ends.
        self.hosts[0].kill_agent().await;
        self.undeploy(0, slow).await;
        let victim = self.hosts[1].running().await.remove(0);
        let grace = Duration::ZERO;
        self.hosts[1].engine.stop(&victim.id, grace).await.unwrap();
        self.hosts[0].start_agent(options.clone()).await;
        self.hosts[0].until_running(2).await;
        self.hosts[1].until_running(2).await;
        // The store goes away; a container ends meanwhile, and an agent starts.
        for host in [0, 1] {
            self.recorder
                .fault(Actor::Agent(host), "the ensemble is killed");
        }
        self.recorder.killed(Actor::Store);
        self.ensemble.kill(0);
        let victim = self.hosts[0].running().await.remove(0);
        self.hosts[0].engine.stop(&victim.id, grace).await.unwrap();
        self.hosts[1].kill_agent().await;
        self.hosts[1].start_agent(options).await;
        self.hosts[0].until_running(2).await;
        sleep(SESSION).await;
        self.ensemble.restart(0);
        self.ensemble.until_all_serve().await;
        self.recorder.started(Actor::Store);
        self.until_up().await;
        // There and back, faster than anybody looks.
        self.undeploy(1, idle).await;
        self.deploy(1, idle).await;
        let stop = SetGoal::new(self.hosts[0].name.clone(), web.clone(), Goal::Stop);
        ask(|| self.cluster.set_goal(&stop)).await;
    }

    async fn run(&mut self) {
        self.trouble().await;
        self.recorder.phase(Phase::Heal { lost: Vec::new() });
        self.hosts[0].until_running(1).await;
        self.hosts[1].until_running(2).await;
        sleep(SETTLE).await;
        self.recorder.phase(Phase::Stable);
        sleep(STABLE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_fleet_in_trouble_violates_nothing() {
    let mut fleet = Fleet::start().await;
    let ran = AssertUnwindSafe(fleet.run()).catch_unwind().await;
    let trace = fleet.recorder.trace();
    fleet.observer.abort();
    for host in &mut fleet.hosts {
        host.clean_up().await;
    }
    for event in &trace.events {
        println!("{event}");
    }
    assert!(ran.is_ok(), "see above");
    let violations = checks::judge(&trace, checks::all());
    let told: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{told:#?}");
    let commits = |event: &&helios_testkit::sim::Event| {
        matches!(event.what, helios_testkit::sim::What::Commit { .. })
    };
    assert!(
        trace.events.iter().filter(commits).count() > 20,
        "it was recorded"
    );
}
