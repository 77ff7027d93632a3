//! A runtime of your own: plain processes instead of containers. The agent does not know the difference: it starts
//! them again when they die, and stops what is not deployed any more.
//!
//! They are kept in memory, so that this runtime dies with its program; a real one would keep its table on disk, and run
//! `runtime_conformance!` of the test kit, as `helios-docker` does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use helios_core::agent::{Agent, AgentId};
use helios_core::ops::{CreateJob, Deploy, Undeploy};
use helios_core::runtime::{
    Container, ContainerId, ContainerSpec, ContainerState, Containers, Exit, RuntimeError,
    RuntimeErrorKind,
};
use helios_core::{Cluster, Goal, HostName, Job, Runtime};
use helios_store::MemoryStore;
use helios_testkit::host::MemoryStateDir;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

#[derive(Clone, Debug)]
struct Process {
    as_container: Container,
    spec: ContainerSpec,
    pid: Option<u32>,
}

/// The processes by name.
#[derive(Clone, Debug, Default)]
struct Processes {
    table: Arc<Mutex<BTreeMap<String, Process>>>,
    changes: watch::Sender<u64>,
}

impl Processes {
    fn table(&self) -> MutexGuard<'_, BTreeMap<String, Process>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Containers {
        let table = self.table();
        table
            .values()
            .map(|process| process.as_container.clone())
            .collect()
    }

    fn get(&self, id: &ContainerId) -> Option<Process> {
        let table = self.table();
        table
            .values()
            .find(|process| process.as_container.id == *id)
            .cloned()
    }

    fn set(&self, id: &ContainerId, state: ContainerState, pid: Option<u32>) {
        let mut table = self.table();
        for process in table.values_mut().filter(|one| one.as_container.id == *id) {
            process.as_container.state = state.clone();
            process.pid = pid;
        }
        drop(table);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Sends a signal if the process runs, and waits until it does not.
    async fn end(&self, id: &ContainerId, signal: &str) {
        let mut changes = self.changes.subscribe();
        while let Some(pid) = self.get(id).and_then(|process| process.pid) {
            let _ = Command::new("kill")
                .args([signal, &pid.to_string()])
                .status()
                .await;
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

#[async_trait]
impl Runtime for Processes {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        Ok(self.look())
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        let mut changes = self.changes.subscribe();
        changes.mark_changed(); // The first item is the present.
        let looks = stream::unfold((self.clone(), changes), |(this, mut changes)| async move {
            changes.changed().await.ok()?;
            Some((Ok(this.look()), (this, changes)))
        });
        looks.boxed()
    }

    /// The image of a process is a program of this machine.
    async fn pull(&self, _image: &str) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        let mut table = self.table();
        if let Some(there) = table.get(&spec.name) {
            let message = format!("another process is called {}", spec.name);
            let taken = RuntimeError::new(RuntimeErrorKind::NameInUse, message);
            let is_same = there.spec == *spec;
            return is_same.then(|| there.as_container.id.clone()).ok_or(taken);
        }
        self.changes.send_modify(|changes| *changes += 1);
        let id = ContainerId::new(format!("{}.{}", spec.name, *self.changes.borrow()));
        let as_container = Container {
            id: id.clone(),
            name: spec.name.clone(),
            digest: Some(spec.digest()),
            labels: spec.labels.clone(),
            state: ContainerState::Created { error: None },
            ip: None,
        };
        let spec = spec.clone();
        table.insert(
            spec.name.clone(),
            Process {
                as_container,
                spec,
                pid: None,
            },
        );
        Ok(id)
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let failed = |kind, why: &str| RuntimeError::new(kind, format!("cannot start {id}: {why}"));
        let process = self.get(id);
        let process = process.ok_or_else(|| failed(RuntimeErrorKind::NotFound, "it is gone"))?;
        if process.pid.is_some() {
            return Ok(());
        }
        let mut child = Command::new(&process.spec.image)
            .args(&process.spec.command)
            .envs(&process.spec.env)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(RuntimeErrorKind::BadSpec, &error.to_string()))?;
        self.set(id, ContainerState::Running, child.id());
        let (this, id) = (self.clone(), id.clone());
        tokio::spawn(async move {
            let code = child.wait().await.ok().and_then(|status| status.code());
            let code = code.map_or(137, i64::from);
            let exit = Exit {
                code,
                ..Exit::default()
            };
            this.set(&id, ContainerState::Exited(exit), None);
        });
        Ok(())
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        if timeout(grace, self.end(id, "-TERM")).await.is_err() {
            self.end(id, "-KILL").await;
        }
        Ok(())
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        self.end(id, "-KILL").await;
        self.table()
            .retain(|_, process| process.as_container.id != *id);
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(MemoryStore::new());
    let cluster = Cluster::on(store.clone())?;
    cluster.init().await?;
    let host: HostName = "web1".parse()?;
    let (id, processes) = (AgentId::new("a1")?, Processes::default());
    let (runtime, state) = (Arc::new(processes.clone()), Arc::new(MemoryStateDir::new()));
    tokio::spawn(Agent::new(host.clone(), id, store, runtime, state).run(std::future::pending()));
    cluster
        .wait_until(|fleet| fleet.host(&host).is_some_and(|host| host.up))
        .await?;

    let job = Job::new("sleeper:1", "sleep")?.command(["1000"]);
    let job = cluster.create_job(&CreateJob::new(job)).await?;
    cluster
        .deploy(&Deploy::new(host.clone(), job.clone(), Goal::Start))
        .await?;
    let mut changes = processes.changes.subscribe();
    let pid = |_: &u64| processes.table().values().find_map(|process| process.pid);
    changes.wait_for(|changes| pid(changes).is_some()).await?;
    let first = pid(&0).ok_or("it runs")?;

    println!("process {first} runs, and is killed");
    Command::new("kill")
        .args(["-KILL", &first.to_string()])
        .status()
        .await?;
    changes
        .wait_for(|changes| pid(changes).is_some_and(|pid| pid != first))
        .await?;
    println!("process {:?} runs in its place", pid(&0));

    cluster.undeploy(&Undeploy::new(host, job)).await?;
    changes.wait_for(|_| processes.table().is_empty()).await?;
    println!("and none is left");
    Ok(())
}
