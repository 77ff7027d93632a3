//! A fleet of agents in a test tube, whose machines restart when they are told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::agent::{Agent, AgentId, HostReset};
use helios_core::clock::Clock;
use helios_core::ops::{CreateJob, Deploy, RegisterHost};
use helios_core::schema::OperationIds;
use helios_core::{Cluster, Goal, HostName, Job, Moment, Runtime, Store, Timestamp};
use helios_rollout::drive::EvidenceSource;
use helios_rollout::reset::{
    Action, Limits, NoAction, Patience, Reset, ResetAction, ResetDriver, ResetRecord, Resets,
    Wanted,
};
use helios_store::MemoryStore;
use helios_testkit::host::{FakeMachine, MemoryStateDir};
use helios_testkit::runtime::{FakeEngine, FakeImage};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::dying::DyingStore;

const BASE: i64 = 1_792_396_800_000;

/// A wall clock that goes with the virtual time.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(BASE).plus(self.0.elapsed())
    }

    fn moment(&self) -> Moment {
        Moment::default().plus(self.0.elapsed())
    }
}

/// Tells the rack to pull the plug.
#[derive(Debug)]
struct Plug {
    host: HostName,
    pulled: mpsc::UnboundedSender<(HostName, String)>,
    called_off: mpsc::UnboundedSender<(HostName, String)>,
    stuck: bool,
}

#[async_trait]
impl HostReset for Plug {
    async fn reset(&self, id: &str) -> Result<(), String> {
        if self.stuck {
            return Err("the plug is stuck".to_owned());
        }
        self.pulled
            .send((self.host.clone(), id.to_owned()))
            .map_err(|error| error.to_string())?;
        std::future::pending().await
    }

    fn call_off(&self, id: &str) {
        let order = (self.host.clone(), id.to_owned());
        // A test that is over does not listen.
        drop(self.called_off.send(order));
    }
}

/// One machine: what outlives its agent.
struct Machine {
    state: MemoryStateDir,
    facts: FakeMachine,
    boot: u32,
    agent: Option<(JoinHandle<()>, MemoryStore)>,
}

pub(crate) struct Fleet {
    pub(crate) store: MemoryStore,
    pub(crate) cluster: Cluster,
    pub(crate) engine: FakeEngine,
    clock: VirtualClock,
    stuck: bool,
    starts: u32,
    machines: BTreeMap<HostName, Machine>,
    plug: mpsc::UnboundedSender<(HostName, String)>,
    /// The orders that agents began to carry out.
    pub(crate) pulled: mpsc::UnboundedReceiver<(HostName, String)>,
    call_off: mpsc::UnboundedSender<(HostName, String)>,
    /// The orders that agents gave up.
    pub(crate) called_off: mpsc::UnboundedReceiver<(HostName, String)>,
}

pub(crate) fn host(number: usize) -> HostName {
    format!("web{number}").parse().expect("a host name")
}

impl Fleet {
    /// So many hosts, each with an instance of `front`; the first one also has the only one of `lonely`.
    pub(crate) async fn start(hosts: usize) -> Self {
        Self::start_with(hosts, false).await
    }

    /// As [`start`](Self::start); with plugs that are `stuck` no machine can reset itself.
    pub(crate) async fn start_with(hosts: usize, stuck: bool) -> Self {
        let store = MemoryStore::new();
        let clock = VirtualClock(Instant::now());
        let ids = OperationIds::new("test").expect("ids");
        let cluster = Cluster::new(Arc::new(store.clone()), Arc::new(clock.clone()), ids);
        cluster.init().await.expect("a cluster");
        let engine = FakeEngine::new();
        engine.image("busybox", FakeImage::new().here());
        let (plug, pulled) = mpsc::unbounded_channel();
        let (call_off, called_off) = mpsc::unbounded_channel();
        let mut fleet = Self {
            store,
            cluster,
            engine,
            clock,
            stuck,
            starts: 0,
            machines: BTreeMap::new(),
            plug,
            pulled,
            call_off,
            called_off,
        };
        for number in 1..=hosts {
            let machine = Machine {
                state: MemoryStateDir::new(),
                facts: FakeMachine::new(),
                boot: 0,
                agent: None,
            };
            let request = RegisterHost {
                host: host(number),
                agent_id: host(number).to_string(),
            };
            fleet
                .cluster
                .register_host(&request)
                .await
                .expect("a registration");
            fleet.machines.insert(host(number), machine);
            fleet.boot(&host(number)).await;
        }
        let front = fleet.create("front").await;
        for number in 1..=hosts {
            fleet.deploy(&front, number).await;
        }
        let lonely = fleet.create("lonely").await;
        fleet.deploy(&lonely, 1).await;
        fleet.until_well().await;
        fleet
    }

    async fn create(&self, name: &str) -> Job {
        let job = Job::new(&format!("{name}:1"), "busybox")
            .expect("a job")
            .with_computed_id();
        self.cluster
            .create_job(&CreateJob::new(job.clone()))
            .await
            .expect("a job");
        job
    }

    async fn deploy(&self, job: &Job, number: usize) {
        let deploy = Deploy::new(host(number), job.id.clone(), Goal::Start);
        self.cluster.deploy(&deploy).await.expect("a deployment");
    }

    /// The machine starts, with another boot, and its agent.
    pub(crate) async fn boot(&mut self, name: &HostName) {
        self.starts += 1;
        let now = self.clock.now();
        let machine = self.machines.get_mut(name).expect("a machine");
        machine.boot += 1;
        let boot = format!("{name}-boot-{}", machine.boot);
        machine.facts.change_info(|info| {
            info.boot_id = Some(boot);
            info.up_since = Some(now);
        });
        let id = AgentId::load(&machine.state, Some(name.as_str()))
            .await
            .expect("an id");
        let session = self.store.session();
        let runtime = self.engine.runtime(id.owner().clone());
        let agent = Agent::new(
            name.clone(),
            id,
            Arc::new(session.clone()),
            Arc::new(runtime),
            Arc::new(machine.state.clone()),
        )
        .incarnation(format!("start{}", self.starts))
        .machine(Arc::new(machine.facts.clone()))
        .on_reset(Arc::new(Plug {
            host: name.clone(),
            pulled: self.plug.clone(),
            called_off: self.call_off.clone(),
            stuck: self.stuck,
        }));
        let work = tokio::spawn(async move {
            agent
                .run(std::future::pending())
                .await
                .expect("the agent starts");
        });
        machine.agent = Some((work, session));
    }

    /// The machine loses its power: the agent is gone, and what runs.
    pub(crate) async fn pull(&mut self, name: &HostName) {
        let machine = self.machines.get_mut(name).expect("a machine");
        let (work, session) = machine.agent.take().expect("an agent");
        work.abort();
        let _ = work.await;
        session.close();
        let owner = AgentId::new(name.as_str()).expect("an id").owner().clone();
        let containers = self.engine.runtime(owner).list().await.expect("a look");
        for container in containers.iter() {
            self.engine.kill(&container.name);
        }
    }

    /// The machine is installed anew: its agent remembers nothing.
    pub(crate) fn forget(&mut self, name: &HostName) {
        let machine = self.machines.get_mut(name).expect("a machine");
        machine.state = MemoryStateDir::new();
    }

    pub(crate) fn boots(&self) -> Vec<u32> {
        self.machines.values().map(|machine| machine.boot).collect()
    }

    /// Every host reset since now, by its own agent, within an hour.
    pub(crate) fn reset(&self) -> Reset {
        let now = self.clock.now();
        Reset {
            name: "spring".to_owned(),
            hosts: vec![],
            wanted: Wanted::ResetSince(now),
            deadline: now.plus(Duration::from_secs(3600)),
            action: Action::Agent,
            limits: Limits {
                waived: ["lonely".to_owned()].into(),
                ..Limits::default()
            },
            patience: Patience {
                settle: Duration::from_secs(1),
                expected: Duration::from_secs(60),
                ..Patience::default()
            },
            guard: None,
        }
    }

    pub(crate) fn resets(&self) -> Resets {
        Resets::of(self.cluster.clone())
    }

    pub(crate) async fn record(&self) -> ResetRecord {
        let found = self.resets().get("spring").await.expect("the reset");
        ResetRecord::clone(&found)
    }

    /// A master, which lives until the handle is aborted.
    pub(crate) fn master(&self, name: &str) -> JoinHandle<()> {
        self.master_over(name, Arc::new(self.store.session()), Arc::new(NoAction))
    }

    /// A master that dies at its `n`-th commit.
    pub(crate) fn dying_master(&self, commits: i64, commits_last: bool) -> JoinHandle<()> {
        let store = DyingStore::new(Arc::new(self.store.session()), commits, commits_last);
        let died = Arc::clone(&store.died);
        let work = self.master_over("dying", Arc::new(store), Arc::new(NoAction));
        tokio::spawn(async move {
            died.notified().await;
            work.abort();
        })
    }

    pub(crate) fn master_over(
        &self,
        name: &str,
        store: Arc<dyn Store>,
        action: Arc<dyn ResetAction>,
    ) -> JoinHandle<()> {
        let ids = OperationIds::new(name).expect("ids");
        let cluster = Cluster::new(store, Arc::new(self.clock.clone()), ids);
        let driver = ResetDriver::new(&cluster, name, action);
        tokio::spawn(driver.run(std::future::pending()))
    }

    /// A master that asks this system of measurement.
    pub(crate) fn guarding_master(
        &self,
        name: &str,
        source: Arc<dyn EvidenceSource>,
    ) -> JoinHandle<()> {
        let ids = OperationIds::new(name).expect("ids");
        let store = Arc::new(self.store.session());
        let cluster = Cluster::new(store, Arc::new(self.clock.clone()), ids);
        let driver = ResetDriver::new(&cluster, name, Arc::new(NoAction)).source(source);
        tokio::spawn(driver.run(std::future::pending()))
    }

    /// Waits until every host is up and its jobs are well.
    pub(crate) async fn until_well(&self) {
        let well = async {
            loop {
                let view = self.cluster.fleet().await.expect("a view");
                let sights = helios_rollout::reset::Sights::of(&view).expect("sights");
                let is_well =
                    |sight: &helios_rollout::reset::Sight| sight.up && sight.unwell.is_empty();
                if sights.iter().count() == self.machines.len()
                    && sights
                        .iter()
                        .all(|(_, sight)| is_well(sight) && !sight.instances.is_empty())
                {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(600), well)
            .await
            .expect("all is well");
    }

    /// Lets machines restart as they are told to, half a minute each, until the reset is over.
    pub(crate) async fn until_over(&mut self) -> ResetRecord {
        let record = self.until(|record| record.progress.is_over()).await;
        self.until_well().await;
        record
    }

    /// As [`until_over`](Self::until_over), until the reset is like that.
    pub(crate) async fn until(&mut self, is_so: impl Fn(&ResetRecord) -> bool) -> ResetRecord {
        let end = Instant::now() + Duration::from_secs(7200);
        loop {
            let record = self.record().await;
            if is_so(&record) {
                return record;
            }
            assert!(
                Instant::now() < end,
                "it never came to that: {:#?}",
                record.progress
            );
            if let Ok((host, _)) = self.pulled.try_recv() {
                self.pull(&host).await;
                sleep(Duration::from_secs(30)).await;
                self.boot(&host).await;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}
