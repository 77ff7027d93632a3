//! An agent and a cluster in memory, for one test.

use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::runtime::Owner;
use helios_core::{Cluster, HostName, Runtime};
use helios_store::MemoryStore;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};

use super::Engine;
use super::error::{TemporaryError, TemporaryErrorKind};
use super::journal::Journal;
use crate::host::MemoryStateDir;

/// What the host is called.
pub(super) const HOST: &str = "solo";

/// How long the agent may take to register.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// How long the agent may take to end.
const END_WITHIN: Duration = Duration::from_secs(10);

/// How often what is left on the engine is removed before it is given up.
const REMOVALS_MAX: u32 = 5;

/// The agent of one test, and what it runs on.
#[derive(Debug)]
pub(super) struct OwnAgent {
    runtime: Arc<dyn Runtime>,
    journal: Option<Journal>,
    keeper: Option<AbortHandle>,
    end: Option<oneshot::Sender<()>>,
    agent: Option<JoinHandle<()>>,
}

impl OwnAgent {
    /// Starts the agent, and waits until its host is up.
    pub(super) async fn start(
        engine: &Engine,
        owner: &Owner,
    ) -> Result<(Self, Cluster), TemporaryError> {
        let failed = |error| TemporaryError::because("the agent of the test does not start", error);
        let store = Arc::new(MemoryStore::new());
        let cluster = Cluster::on(store.clone())
            .map_err(|error| TemporaryError::because("there is no randomness", error))?;
        cluster.init().await.map_err(|error| {
            TemporaryError::because("the cluster of the test is not made", error)
        })?;
        let host: HostName = HOST
            .parse()
            .map_err(|error| TemporaryError::because("the test has no host", error))?;
        let id = AgentId::new(owner.as_str()).map_err(failed)?;
        let mut agent = Agent::new(
            host.clone(),
            id,
            store,
            Arc::clone(&engine.runtime),
            Arc::new(MemoryStateDir::new()),
        )
        .machine(Arc::clone(&engine.machine))
        .policy(|policy| {
            // The names of the jobs are nobody else's already.
            policy.namespace = "helios".to_owned();
            // What a test leaves is of no worth.
            policy.kill_after = Duration::ZERO;
            policy.health.retry = Duration::from_millis(200);
        });
        if let Some(probe) = &engine.probe {
            agent = agent.probe(Arc::clone(probe));
        }
        let (end, ended) = oneshot::channel::<()>();
        let agent = tokio::spawn(async move {
            let _ = agent.run(async { drop(ended.await) }).await;
        });
        let journal = engine
            .logs
            .as_ref()
            .map(|logs| Journal::new(Arc::clone(&engine.runtime), Arc::clone(logs)));
        let keeper = journal
            .clone()
            .map(|journal| tokio::spawn(journal.keep()).abort_handle());
        let own = Self {
            runtime: Arc::clone(&engine.runtime),
            journal,
            keeper,
            end: Some(end),
            agent: Some(agent),
        };
        let is_up = cluster.wait_until(|fleet| fleet.is_up(&host));
        match timeout(UP_WITHIN, is_up).await {
            Ok(Ok(_)) => Ok((own, cluster)),
            Ok(Err(error)) => Err(TemporaryError::because(
                "the host of the test is not up",
                error,
            )),
            Err(_) => Err(TemporaryError::new(
                TemporaryErrorKind::NoPlace,
                format!("the agent of the test did not register within {UP_WITHIN:?}"),
            )),
        }
    }

    /// What containers wrote, if the engine tells.
    pub(super) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// The runtime, to see what no report tells.
    pub(super) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    /// Ends the agent, and removes whatever is left of its containers.
    pub(super) async fn end(&mut self) -> Result<(), TemporaryError> {
        drop(self.end.take());
        if let Some(mut agent) = self.agent.take()
            && timeout(END_WITHIN, &mut agent).await.is_err()
        {
            agent.abort();
        }
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
        }
        remove_all(&*self.runtime).await
    }
}

/// Removes all containers of the runtime's owner.
pub(super) async fn remove_all(runtime: &dyn Runtime) -> Result<(), TemporaryError> {
    let failed = |error| TemporaryError::because("a container of the test is not removed", error);
    for attempt in 0..REMOVALS_MAX {
        let containers = runtime.list().await.map_err(failed)?;
        if containers.is_empty() {
            return Ok(());
        }
        let removals = containers.iter().map(|one| runtime.remove(&one.id));
        for outcome in futures_util::future::join_all(removals).await {
            outcome.map_err(failed)?;
        }
        // What an ended agent had begun may come into being a little later.
        sleep(Duration::from_millis(u64::from(attempt) * 100)).await;
    }
    let left = runtime.list().await.map_err(failed)?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = left.iter().map(|one| one.name.as_str()).collect();
    Err(TemporaryError::new(
        TemporaryErrorKind::Unavailable,
        format!(
            "these containers come back after they were removed: {}",
            names.join(", ")
        ),
    ))
}
