//! A host, and all that belongs to it, of which nothing ever answers: for tests of what an agent is told, what it begins and
//! how long it waits.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, stream};

use super::run::Running;
use super::{Agent, AgentId, HostReset, Machine, PortHolder};
use crate::clock::Clock;
use crate::model::HostInfo;
use crate::orphans::{Look, OrphanPolicy, Surroundings, What};
use crate::reconcile::KeepDead;
use crate::registrar::{Registrar, RegistrarError, Services};
use crate::runtime::{
    ContainerId, ContainerSpec, Containers, Probe, ProbeTarget, Protocol, Rename, Runtime,
    RuntimeError,
};
use crate::state_dir::{StateDir, StateDirError};
use crate::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use crate::time::{Moment, Timestamp};

/// It has one CPU, its boot is `b1`, and it is up for a minute at ten minutes past the epoch.
#[derive(Debug)]
pub(super) struct Silent;

impl Silent {
    pub(super) fn agent() -> Agent {
        let id = AgentId::new("a1").unwrap();
        let host = "web1".parse().unwrap();
        Agent::new(host, id, Arc::new(Self), Arc::new(Self), Arc::new(Self))
    }

    /// The agent, started as `i1`, with all that it can be given.
    pub(super) fn running() -> Running {
        let agent = Self::agent()
            .clock(Arc::new(Self))
            .machine(Arc::new(Self))
            .registrar(Arc::new(Self))
            .orphans(Arc::new(Self), OrphanPolicy::default())
            .keep_dead(Arc::new(Self), KeepDead::default());
        let started = Running::start(agent, "i1".to_owned()).now_or_never();
        started.expect("at once").unwrap()
    }
}

impl Clock for Silent {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(600_000)
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(60_000)
    }
}

impl Machine for Silent {
    fn info(&self) -> HostInfo {
        HostInfo {
            cpus: 1,
            boot_id: Some("b1".to_owned()),
            ..HostInfo::default()
        }
    }

    fn ports_in_use(&self) -> BTreeMap<(Protocol, u16), Option<PortHolder>> {
        BTreeMap::new()
    }
}

#[async_trait]
impl Surroundings for Silent {
    async fn look(&self) -> Result<Look, RuntimeError> {
        pending().await
    }

    async fn reap(&self, _: &What) -> Result<(), RuntimeError> {
        pending().await
    }
}

#[async_trait]
impl Registrar for Silent {
    async fn publish(&self, _: &Services) -> Result<(), RegistrarError> {
        pending().await
    }
}

#[async_trait]
impl HostReset for Silent {
    async fn reset(&self, _: &str) -> Result<(), String> {
        pending().await
    }
}

#[async_trait]
impl Runtime for Silent {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        pending().await
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        stream::pending().boxed()
    }

    async fn pull(&self, _: &str) -> Result<(), RuntimeError> {
        pending().await
    }

    async fn create(&self, _: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        pending().await
    }

    async fn start(&self, _: &ContainerId) -> Result<(), RuntimeError> {
        pending().await
    }

    async fn stop(&self, _: &ContainerId, _: Duration) -> Result<(), RuntimeError> {
        pending().await
    }

    async fn remove(&self, _: &ContainerId) -> Result<(), RuntimeError> {
        pending().await
    }
}

#[async_trait]
impl Rename for Silent {
    async fn rename(&self, _: &ContainerId, _: &str) -> Result<(), RuntimeError> {
        pending().await
    }
}

#[async_trait]
impl Probe for Silent {
    async fn probe(&self, _: &ContainerId, _: &ProbeTarget, _: Duration) -> Result<(), String> {
        pending().await
    }
}

#[async_trait]
impl StateDir for Silent {
    async fn load(&self, _: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        Ok(None)
    }

    async fn save(&self, _: &str, _: &[u8]) -> Result<(), StateDirError> {
        pending().await
    }

    async fn set_aside(&self, _: &str) -> Result<String, StateDirError> {
        pending().await
    }
}

#[async_trait]
impl Store for Silent {
    async fn get(&self, _: &Key) -> Result<Option<Entry>, StoreError> {
        pending().await
    }

    async fn list(&self, _: &Key) -> Result<Snapshot, StoreError> {
        pending().await
    }

    async fn commit(&self, _: Txn) -> Result<(), StoreError> {
        pending().await
    }

    fn watch(&self, _: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        stream::pending().boxed()
    }
}
