//! A host whose agent works on a real ensemble. Its containers are fake, and outlive the agent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::reconcile::JOB_LABEL;
use helios_core::runtime::ContainerState;
use helios_core::{Cluster, HostName, Job, Runtime};
use helios_store::zookeeper::{ZooKeeperOptions, ZooKeeperStore};
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use helios_testkit::runtime::{FakeEngine, FakeImage, Verb};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::load::{soon, until_there};

/// Container, by name, and the job it is of.
pub(crate) type Running = BTreeSet<(String, String)>;

/// A host and, while it lives, its agent.
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) engine: FakeEngine,
    state: MemoryStateDir,
    starts: u32,
    agent: Option<JoinHandle<()>>,
}

pub(crate) fn job(name: &str) -> Job {
    Job::new(&format!("{name}:1"), "busybox")
        .unwrap()
        .with_computed_id()
}

impl Host {
    pub(crate) fn new(name: &str) -> Self {
        let engine = FakeEngine::new();
        engine.image("busybox", FakeImage::new().here());
        Self {
            name: name.parse().unwrap(),
            engine,
            state: MemoryStateDir::new(),
            starts: 0,
            agent: None,
        }
    }

    /// Starts the agent in a session of its own, as the process does: also when no server answers.
    pub(crate) async fn start_agent(&mut self, store: ZooKeeperOptions) {
        self.starts += 1;
        let id = AgentId::load(&self.state, Some(self.name.as_str()))
            .await
            .unwrap();
        let runtime = self.engine.runtime(id.owner().clone());
        let agent = Agent::new(
            self.name.clone(),
            id,
            Arc::new(ZooKeeperStore::start(store)),
            Arc::new(runtime),
            Arc::new(self.state.clone()),
        )
        .incarnation(format!("start{}", self.starts))
        .probe(Arc::new(FakeProbe::new()))
        .machine(Arc::new(FakeMachine::new()));
        self.agent = Some(tokio::spawn(async move {
            agent.run(std::future::pending()).await.unwrap();
        }));
    }

    /// As kill -9 does: it says goodbye to nobody.
    pub(crate) async fn kill_agent(&mut self) {
        let agent = self.agent.take().expect("an agent");
        agent.abort();
        assert!(agent.await.unwrap_err().is_cancelled(), "it ended before");
    }

    /// What runs there, whatever the store says.
    pub(crate) async fn running(&self) -> Running {
        let id = AgentId::load(&self.state, Some(self.name.as_str()))
            .await
            .unwrap();
        let runtime = self.engine.runtime(id.owner().clone());
        let containers = runtime.list().await.unwrap();
        let running = containers
            .iter()
            .filter(|container| container.state == ContainerState::Running);
        running
            .map(|container| (container.name.clone(), container.labels[JOB_LABEL].clone()))
            .collect()
    }

    /// How often a container was told to stop or to go.
    pub(crate) fn taken_away(&self) -> usize {
        self.calls(&[Verb::Stop, Verb::Remove])
    }

    /// How often a container was told to start.
    pub(crate) fn starts(&self) -> usize {
        self.calls(&[Verb::Start])
    }

    fn calls(&self, verbs: &[Verb]) -> usize {
        let calls = self.engine.calls();
        calls
            .iter()
            .filter(|call| verbs.contains(&call.verb))
            .count()
    }

    /// Waits until that many containers run.
    pub(crate) async fn until_running(&self, containers: usize) -> Running {
        soon("the containers", async {
            loop {
                let running = self.running().await;
                if running.len() == containers {
                    return running;
                }
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    /// Waits until the cluster sees the agent.
    pub(crate) async fn until_up(&self, cluster: &Cluster) {
        soon("the agent's presence", async {
            while !until_there(|| cluster.host(&self.name))
                .await
                .is_some_and(|host| host.up)
            {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.abort();
        }
    }
}
