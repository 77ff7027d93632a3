//! One host in a test tube.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::agent::{Agent, AgentId};
use helios_core::ops::{CreateJob, Deploy, SetGoal, Undeploy};
use helios_core::runtime::{Container, ContainerState};
use helios_core::schema::{HostReport, Keys, TaskReport, decode};
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use helios_core::{Cluster, Goal, HostName, Job, JobId, Runtime, TaskState};
use helios_store::MemoryStore;
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use helios_testkit::runtime::{FakeEngine, FakeImage, FakeRuntime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The store, the engine and the disk outlive the agent, which can be killed and started again.
pub(crate) struct Rig {
    pub(crate) store: MemoryStore,
    pub(crate) cluster: Cluster,
    pub(crate) engine: FakeEngine,
    pub(crate) state: MemoryStateDir,
    pub(crate) probe: FakeProbe,
    pub(crate) machine: FakeMachine,
    agent: Option<(JoinHandle<()>, MemoryStore)>,
    starts: u32,
}

pub(crate) fn host() -> HostName {
    "web1".parse().expect("a host name")
}

pub(crate) fn job(name: &str) -> Job {
    Job::new(&format!("{name}:1"), "busybox")
        .expect("a job id")
        .with_computed_id()
}

/// A store whose watch of one entry tells everything late.
#[derive(Debug)]
struct LateStore {
    store: MemoryStore,
    late: Key,
    by: Duration,
}

#[async_trait]
impl Store for LateStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.store.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.store.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.store.commit(txn).await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let looks = self.store.watch(scope.clone());
        if *scope.key() != self.late {
            return looks;
        }
        let by = self.by;
        looks
            .then(move |look| async move {
                sleep(by).await;
                look
            })
            .boxed()
    }
}

impl Rig {
    /// A cluster with one host, whose agent runs.
    pub(crate) async fn start() -> Self {
        let mut rig = Self::without_agent().await;
        rig.start_agent().await;
        rig.until_up().await;
        rig
    }

    pub(crate) async fn until_up(&self) {
        self.until("the host is up", async |rig| {
            rig.cluster
                .host(&host())
                .await
                .expect("a read")
                .is_some_and(|host| host.up)
        })
        .await;
    }

    pub(crate) async fn without_agent() -> Self {
        let store = MemoryStore::new();
        let cluster = Cluster::on(Arc::new(store.clone())).expect("randomness");
        cluster.init().await.expect("a cluster");
        let engine = FakeEngine::new();
        engine.image("busybox", FakeImage::new().here());
        Self {
            store,
            cluster,
            engine,
            state: MemoryStateDir::new(),
            probe: FakeProbe::new(),
            machine: FakeMachine::new(),
            agent: None,
            starts: 0,
        }
    }

    pub(crate) async fn start_agent(&mut self) {
        self.start_agent_with(|agent| agent).await;
    }

    pub(crate) async fn start_agent_with(&mut self, change: impl FnOnce(Agent) -> Agent) {
        let session = self.store.session();
        let agent = change(self.agent("a1", session.clone()).await);
        self.run(agent, session);
    }

    /// Starts an agent of another id, which it keeps in its state directory.
    pub(crate) async fn start_agent_as(&mut self, id: &str) {
        let session = self.store.session();
        let agent = self.agent(id, session.clone()).await;
        self.run(agent, session);
    }

    fn run(&mut self, agent: Agent, session: MemoryStore) {
        let work = tokio::spawn(async move {
            agent
                .run(std::future::pending())
                .await
                .expect("the agent starts");
        });
        self.agent = Some((work, session));
    }

    /// Starts the agent with a store whose watch of one entry tells everything late.
    pub(crate) async fn start_agent_late(&mut self, late: Key, by: Duration) {
        self.start_agent_over(|store| LateStore { store, late, by })
            .await;
    }

    /// Starts the agent with what `over` makes of its store.
    pub(crate) async fn start_agent_over<S: Store + 'static>(
        &mut self,
        over: impl FnOnce(MemoryStore) -> S,
    ) {
        let session = self.store.session();
        let store = over(session.clone());
        let agent = self.agent("a1", store).await;
        let work = tokio::spawn(async move {
            agent
                .run(std::future::pending())
                .await
                .expect("the agent starts");
        });
        self.agent = Some((work, session));
    }

    pub(crate) async fn agent(&mut self, id: &str, session: impl Store + 'static) -> Agent {
        self.starts += 1;
        let id = AgentId::load(&self.state, Some(id)).await.expect("an id");
        let runtime = self.engine.runtime(id.owner().clone());
        Agent::new(
            host(),
            id,
            Arc::new(session),
            Arc::new(runtime),
            Arc::new(self.state.clone()),
        )
        .incarnation(format!("start{}", self.starts))
        .probe(Arc::new(self.probe.clone()))
        .machine(Arc::new(self.machine.clone()))
    }

    /// As kill -9 does: nothing of it goes on, and its session ends when the store notices.
    pub(crate) async fn kill_agent(&mut self) {
        let (work, session) = self.agent.take().expect("an agent");
        work.abort();
        let _ = work.await;
        session.close();
    }

    pub(crate) async fn create(&self, job: &Job) -> JobId {
        self.cluster
            .create_job(&CreateJob::new(job.clone()))
            .await
            .expect("a job")
    }

    pub(crate) async fn deploy(&self, job: &Job, goal: Goal) -> JobId {
        let id = self.create(job).await;
        self.cluster
            .deploy(&Deploy::new(host(), id.clone(), goal))
            .await
            .expect("a deployment");
        id
    }

    pub(crate) async fn undeploy(&self, job: &JobId) {
        self.cluster
            .undeploy(&Undeploy::new(host(), job.clone()))
            .await
            .expect("an undeployment");
    }

    pub(crate) async fn set_goal(&self, job: &JobId, goal: Goal) {
        self.cluster
            .set_goal(&SetGoal::new(host(), job.clone(), goal))
            .await
            .expect("a goal");
    }

    pub(crate) async fn report(&self, job: &JobId) -> Option<TaskReport> {
        self.host_report().await?.tasks.get(job).cloned()
    }

    /// Also where the rest of the host cannot be read.
    async fn host_report(&self) -> Option<HostReport> {
        let key = Keys::report(&host());
        let entry = self.store.get(&key).await.expect("a read")?;
        Some(decode(&key, &entry.value).expect("a report"))
    }

    pub(crate) async fn problems(&self) -> Vec<String> {
        let report = self.host_report().await;
        report.map(|report| report.problems).unwrap_or_default()
    }

    pub(crate) fn runtime(&self) -> FakeRuntime {
        self.engine
            .runtime(AgentId::new("a1").expect("an id").owner().clone())
    }

    pub(crate) async fn containers(&self) -> Vec<Container> {
        self.runtime()
            .list()
            .await
            .expect("a look")
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) async fn running(&self) -> Vec<Container> {
        let mut containers = self.containers().await;
        containers.retain(|container| container.state == ContainerState::Running);
        containers
    }

    /// Waits until the agent reports the job in that state.
    pub(crate) async fn until_state(&self, job: &JobId, state: TaskState) -> TaskReport {
        self.until(&format!("{job} is {state:?}"), async |rig| {
            rig.report(job)
                .await
                .is_some_and(|report| report.state == state)
        })
        .await;
        self.report(job).await.expect("a report")
    }

    /// Waits until the agent does not report the job any more.
    pub(crate) async fn until_gone(&self, job: &JobId) {
        self.until(&format!("{job} is gone"), async |rig| {
            rig.report(job).await.is_none() && rig.containers().await.is_empty()
        })
        .await;
    }

    /// Waits, in virtual time, until something holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self).await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(Duration::from_secs(900), wait).await.is_err() {
            let host = self.cluster.host(&host()).await.expect("a read");
            panic!(
                "not within 15 minutes: {what}\n{host:#?}\n{:#?}",
                self.containers().await
            );
        }
    }

    /// Lets virtual time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        sleep(time).await;
    }
}
