//! How long after a commit others know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt;
use helios_core::Cluster;
use helios_core::agent::{Agent, AgentId};
use helios_core::schema::{HostRecord, Keys, Versioned, encode};
use helios_core::state_dir::{StateDir, StateDirError};
use helios_core::store::{Scope, Store, Txn};
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use helios_testkit::runtime::FakeEngine;
use tokio::sync::mpsc;

use crate::ensemble::Ensemble;
use crate::{ROUNDS, bare, host, table};

/// How many changes are made one after the other.
const CHANGES: usize = 200;

/// Each change is seen by the watch of another handle before the next is made.
pub(crate) async fn commit_until_watched(ensemble: &Ensemble) {
    let (writer, reader) = (
        ensemble.store("helios").await,
        ensemble.store("helios").await,
    );
    let mut watch = reader.watch(Scope::Children(Keys::hosts()));
    watch.next().await.unwrap().unwrap();
    let at = Keys::host(&host(7));
    let mut rounds = table::Rounds::new();
    for _ in 0..ROUNDS {
        let mut entry = writer.get(&at).await.unwrap().unwrap();
        let value = entry.value.clone();
        let start = Instant::now();
        for _ in 0..CHANGES {
            let txn = Txn::new().update(at.clone(), entry.version, value.clone());
            let before = entry.version;
            writer.commit(txn).await.unwrap();
            while entry.version == before {
                let seen = watch.next().await.unwrap().unwrap();
                entry = seen.get(at.name()).unwrap().clone();
            }
        }
        rounds.push((
            start.elapsed(),
            bare::watched(ensemble, CHANGES, &value).await,
        ));
    }
    table::row("commit until watched (of 1,000)", CHANGES, &rounds);
}

/// Each change has been read, accepted and reconciled by an agent before the next is made.
pub(crate) async fn commit_until_reconciled(ensemble: &Ensemble, cluster: &Cluster) {
    let name = "reconciled".parse().unwrap();
    let (told, mut stored) = mpsc::unbounded_channel();
    let state = Told {
        state: MemoryStateDir::new(),
        told,
    };
    let id = AgentId::load(&state, Some("reconciled")).await.unwrap();
    let engine = FakeEngine::new();
    let agent = Agent::new(
        name,
        id.clone(),
        Arc::new(ensemble.store("helios").await),
        Arc::new(engine.runtime(id.owner().clone())),
        Arc::new(state),
    )
    .probe(Arc::new(FakeProbe::new()))
    .machine(Arc::new(FakeMachine::new()));
    let running = tokio::spawn(agent.run(std::future::pending()));
    let at = Keys::host(&"reconciled".parse().unwrap());
    // It has registered, and follows what it was told.
    while cluster.read::<HostRecord>(&at).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut rounds = table::Rounds::new();
    for _ in 0..ROUNDS {
        while stored.try_recv().is_ok() {}
        let ours = reconciled(cluster, &mut stored).await;
        let seen = cluster.store().get(&at).await.unwrap().unwrap();
        rounds.push((ours, bare::watched(ensemble, CHANGES, &seen.value).await));
    }
    running.abort();
    table::row("commit until an agent reconciled", CHANGES, &rounds);
}

async fn reconciled(cluster: &Cluster, stored: &mut mpsc::UnboundedReceiver<()>) -> Duration {
    let at = Keys::host(&"reconciled".parse().unwrap());
    let mut spent = Duration::ZERO;
    for _ in 0..CHANGES {
        // What changes of the goals has no part in this, only that they are others.
        let seen: Versioned<HostRecord> = cluster.read(&at).await.unwrap().unwrap();
        let mut record = HostRecord::clone(&seen);
        record.revision += 1;
        let txn = Txn::new().update(at.clone(), seen.version, encode(&record));
        let start = Instant::now();
        cluster.store().commit(txn).await.unwrap();
        stored.recv().await.unwrap();
        spent += start.elapsed();
    }
    spent
}

/// A state directory that tells of each time the agent stores what it follows, which is right after it reconciled.
#[derive(Debug)]
struct Told {
    state: MemoryStateDir,
    told: mpsc::UnboundedSender<()>,
}

#[async_trait]
impl StateDir for Told {
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        self.state.load(name).await
    }

    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError> {
        if name == "agent.json" {
            let _ = self.told.send(());
        }
        self.state.save(name, document).await
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        self.state.set_aside(name).await
    }
}
