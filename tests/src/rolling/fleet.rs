//! A small fleet: one store, agents with engines of their own, and masters that can be killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::model::{DeploymentGroup, RolloutOptions};
use helios_core::ops::CreateJob;
use helios_core::schema::{GoalRecord, Keys, Versioned};
use helios_core::store::Store;
use helios_core::{Cluster, HostName, Job, JobId, TaskState};
use helios_rollout::rolling::{
    Driver, GroupRecord, Groups, Policy, RollOut, Rollout, RolloutState,
};
use helios_store::MemoryStore;
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use helios_testkit::runtime::{FakeEngine, FakeImage};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) const GROUP: &str = "front";

pub(crate) struct Fleet {
    pub(crate) store: MemoryStore,
    pub(crate) cluster: Cluster,
    pub(crate) groups: Groups,
    hosts: BTreeMap<HostName, Machine>,
    masters: Vec<JoinHandle<()>>,
}

/// What outlives an agent.
struct Machine {
    engine: FakeEngine,
    state: MemoryStateDir,
    agent: Option<(JoinHandle<()>, MemoryStore)>,
    starts: u32,
}

pub(crate) fn host(number: usize) -> HostName {
    format!("n{number}").parse().expect("a host name")
}

impl Fleet {
    /// A group of so many hosts labelled `role=web`, whose agents run, without a master.
    pub(crate) async fn of(hosts: usize) -> Self {
        let store = MemoryStore::new();
        let cluster = Cluster::on(Arc::new(store.clone())).expect("randomness");
        cluster.init().await.expect("a cluster");
        let groups = Groups::of(cluster.clone());
        let mut fleet = Self {
            store,
            cluster,
            groups,
            hosts: BTreeMap::new(),
            masters: Vec::new(),
        };
        for number in 1..=hosts {
            fleet.start_agent(&host(number), "web").await;
        }
        let selectors = vec!["role=web".parse().expect("a selector")];
        let group = DeploymentGroup::new(GROUP, selectors);
        assert!(fleet.groups.create(&group).await.expect("a group"));
        fleet
    }

    /// Another master, over that store.
    pub(crate) fn start_master_on(&mut self, store: Arc<dyn Store>) {
        let number = self.masters.len();
        let cluster = Cluster::on(store).expect("randomness");
        let driver = Driver::new(&cluster, format!("m{number}"));
        self.masters
            .push(tokio::spawn(driver.run(std::future::pending())));
    }

    pub(crate) fn start_master(&mut self) {
        let store = self.store.session();
        self.start_master_on(Arc::new(store));
    }

    /// Starts the agent of a host with that role, and waits until the host is up.
    pub(crate) async fn start_agent(&mut self, name: &HostName, role: &str) {
        let machine = self.hosts.entry(name.clone()).or_insert_with(|| {
            let engine = FakeEngine::new();
            engine.image(
                "web",
                FakeImage::new()
                    .here()
                    .start_takes(Duration::from_millis(300)),
            );
            engine.image(
                "broken",
                FakeImage::new()
                    .here()
                    .exits_after(Duration::from_millis(50), 1),
            );
            Machine {
                engine,
                state: MemoryStateDir::new(),
                agent: None,
                starts: 0,
            }
        });
        machine.starts += 1;
        let session = self.store.session();
        let id = AgentId::load(&machine.state, Some(&format!("agent-{name}"))).await;
        let id = id.expect("an id");
        let runtime = machine.engine.runtime(id.owner().clone());
        let agent = Agent::new(
            name.clone(),
            id,
            Arc::new(session.clone()),
            Arc::new(runtime),
            Arc::new(machine.state.clone()),
        )
        .incarnation(format!("start{}", machine.starts))
        .probe(Arc::new(FakeProbe::new()))
        .machine(Arc::new(FakeMachine::new()))
        .labels([("role", role)]);
        let work = tokio::spawn(async move {
            agent
                .run(std::future::pending())
                .await
                .expect("the agent starts");
        });
        machine.agent = Some((work, session));
        let wanted = role.to_owned();
        self.until(&format!("{name} is up as {role}"), |fleet| {
            let (name, wanted) = (name.clone(), wanted.clone());
            async move {
                let view = fleet.cluster.host(&name).await.expect("a read");
                let view = view.filter(|view| view.up);
                let report = view.and_then(|view| view.report);
                report.is_some_and(|report| report.labels.get("role") == Some(&wanted))
            }
        })
        .await;
    }

    pub(crate) async fn kill_agent(&mut self, name: &HostName) {
        let machine = self.hosts.get_mut(name).expect("a host");
        let (work, session) = machine.agent.take().expect("an agent");
        work.abort();
        let _ = work.await;
        session.close();
    }

    /// A job of that version; `image` is `web` or `broken`.
    pub(crate) async fn job(&self, version: u32, image: &str) -> JobId {
        let job = Job::new(&format!("web:{version}"), image).expect("an id");
        let job = CreateJob::new(job.with_computed_id());
        self.cluster.create_job(&job).await.expect("a job")
    }

    pub(crate) async fn roll_out(&self, job: &JobId, parallelism: i32, policy: Policy) {
        let mut options = RolloutOptions::default();
        (options.parallelism, options.timeout) = (Some(parallelism), Some(60));
        self.roll_out_with(job, options, policy).await;
    }

    pub(crate) async fn roll_out_with(&self, job: &JobId, options: RolloutOptions, policy: Policy) {
        let request = RollOut {
            options,
            policy,
            ..RollOut::new(GROUP, job.clone())
        };
        assert!(self.groups.roll_out(&request).await.expect("a rollout"));
    }

    pub(crate) async fn record(&self) -> Versioned<GroupRecord> {
        self.groups
            .get(GROUP)
            .await
            .expect("a read")
            .expect("a group")
    }

    pub(crate) async fn rollout(&self) -> Rollout {
        self.record().await.rollout.clone().expect("a rollout")
    }

    /// Waits until the rollout has ended, one way or the other.
    pub(crate) async fn until_ended(&self) -> Rollout {
        self.until("the rollout ends", |fleet| async move {
            fleet.rollout().await.state != RolloutState::RollingOut
        })
        .await;
        self.rollout().await
    }

    /// The group's deployments on a host.
    pub(crate) async fn goals(&self, name: &HostName) -> Vec<GoalRecord> {
        let view = self
            .cluster
            .host(name)
            .await
            .expect("a read")
            .expect("a host");
        view.record.goals.values().cloned().collect()
    }

    /// Whether the host runs that job and nothing else.
    pub(crate) async fn runs_only(&self, name: &HostName, job: &JobId) -> bool {
        let view = self
            .cluster
            .host(name)
            .await
            .expect("a read")
            .expect("a host");
        let Some(report) = view.report else {
            return false;
        };
        let running = |state: TaskState| state == TaskState::Running;
        view.record.goals.keys().eq([job])
            && report.tasks.len() == 1
            && report
                .tasks
                .get(job)
                .is_some_and(|task| running(task.state))
    }

    pub(crate) async fn until_all_run(&self, hosts: usize, job: &JobId) {
        self.until(&format!("all run {job}"), |fleet| async move {
            for number in 1..=hosts {
                if !fleet.runs_only(&host(number), job).await {
                    return false;
                }
            }
            true
        })
        .await;
    }

    /// How many audit records of rollouts there are.
    pub(crate) async fn commits(&self) -> usize {
        let now = self.cluster.clock().now();
        let mut count = 0;
        for minute in 0..3 {
            let at = helios_core::Timestamp::from_millis(now.as_millis() - minute * 60_000);
            count += self
                .store
                .list(&Keys::audit_of(at))
                .await
                .expect("a read")
                .len();
        }
        count
    }

    /// Waits, in virtual time, until something holds.
    pub(crate) async fn until<'a, F>(&'a self, what: &str, mut holds: impl FnMut(&'a Self) -> F)
    where
        F: Future<Output = bool>,
    {
        let wait = async {
            while !holds(self).await {
                sleep(Duration::from_millis(50)).await;
            }
        };
        if timeout(Duration::from_secs(1_800), wait).await.is_err() {
            panic!(
                "not within half an hour: {what}\n{:#?}",
                self.record().await
            );
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for master in &self.masters {
            master.abort();
        }
        for machine in self.hosts.values() {
            if let Some((work, _)) = &machine.agent {
                work.abort();
            }
        }
    }
}
