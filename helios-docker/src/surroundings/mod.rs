//! The engine and the processes around it: [`Surroundings`] on Linux.

mod end;
mod engine;
mod proc;

use async_trait::async_trait;
use helios_core::orphans::{Look, Surroundings, What};
use helios_core::runtime::{Owner, RuntimeError, RuntimeErrorKind};

use crate::runtime::DockerRuntime;
use proc::Processes;

#[async_trait]
impl Surroundings for DockerRuntime {
    async fn look(&self) -> Result<Look, RuntimeError> {
        let engine = self.identity().await?;
        let peer = self.daemon_behind_the_socket().await;
        let before = self.all_containers().await?;
        let seen = off_thread(Processes::read).await?;
        let after = self.all_containers().await?;
        // An engine on another machine has its processes there.
        let daemon = match &self.socket {
            Some(_) => seen.daemon(peer),
            None => None,
        };
        Ok(Look {
            engine,
            boot: seen.boot.clone(),
            daemon,
            daemons: seen.daemons(),
            homes: daemon.map(|pid| seen.homes_of(pid)).unwrap_or_default(),
            before,
            processes: seen.around_containers(daemon),
            after,
        })
    }

    async fn reap(&self, what: &What) -> Result<(), RuntimeError> {
        match what {
            What::Processes {
                container,
                processes,
            } => {
                let (container, processes) = (container.clone(), processes.clone());
                off_thread(move || end::processes_of(&container, &processes)).await?
            }
            What::Proxy { process, route } => {
                let (process, route) = (*process, route.clone());
                off_thread(move || end::proxy(process, &route)).await?
            }
            What::Container { id, owner, .. } => {
                let owner = Owner::new(owner.as_str()).map_err(|error| {
                    RuntimeError::new(RuntimeErrorKind::Failed, error.to_string())
                })?;
                self.as_owner(owner).end_container(id).await
            }
        }
    }
}

/// Runs what blocks on the kernel where it does not hold up others.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RuntimeError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let message = "the processes of this machine were not read to the end";
        RuntimeError::new(RuntimeErrorKind::Failed, message).caused_by(error)
    })
}
