//! An engine in memory.

mod engine;
mod fault;
mod image;
mod state;
#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::stream;
use helios_core::Runtime;
use helios_core::runtime::{
    ContainerId, ContainerSpec, Containers, Exec, ExecOutput, Logs, Owner, Rename, RuntimeError,
};

pub use engine::FakeEngine;
pub use fault::{Call, Effect, Fault, Verb};
pub use image::{FakeImage, OnStop, Registry};

/// One owner's handle on a [`FakeEngine`].
///
/// It keeps every guarantee of the trait, and no more: a test that passes on it may not rely on what
/// only this engine does. It has no clock of its own: with tokio's time paused all waiting is free, and
/// the same calls lead to the same containers, ids and order of events.
///
/// ```
/// use helios_core::Runtime;
/// use helios_core::runtime::{ContainerSpec, ContainerState, Owner};
/// use helios_testkit::runtime::FakeRuntime;
///
/// # let rt = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # rt.block_on(async {
/// let runtime = FakeRuntime::new(Owner::new("agent-1").unwrap());
/// runtime.pull("nginx:1").await.unwrap();
/// let id = runtime.create(&ContainerSpec::new("web", "nginx:1")).await.unwrap();
/// runtime.start(&id).await.unwrap();
///
/// runtime.engine().kill("web");
/// let containers = runtime.list().await.unwrap();
/// assert!(matches!(containers.get("web").unwrap().state, ContainerState::Exited(_)));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FakeRuntime {
    engine: FakeEngine,
    owner: Owner,
}

impl FakeRuntime {
    /// A handle of `owner` on an engine of its own.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        FakeEngine::new().runtime(owner)
    }

    pub(super) fn on(engine: FakeEngine, owner: Owner) -> Self {
        Self { engine, owner }
    }

    /// The engine, to tell it how to behave and to see what it was asked.
    #[must_use]
    pub fn engine(&self) -> &FakeEngine {
        &self.engine
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        self.engine
            .call(Verb::List, &self.owner, "", |state, owner| {
                Ok(state.look(owner))
            })
            .await
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        watch::watch(self.engine.clone(), self.owner.clone())
    }

    async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        let takes = self.engine.image_of(image).pull_takes;
        tokio::time::sleep(takes).await;
        let wanted = image.to_owned();
        self.engine
            .call(Verb::Pull, &self.owner, image, move |state, _| {
                state.pull(&wanted)
            })
            .await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        let wanted = spec.clone();
        self.engine
            .call(
                Verb::Create,
                &self.owner,
                &spec.name,
                move |state, owner| state.create(owner, &wanted),
            )
            .await
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let takes = self.engine.image_of_container(id).start_takes;
        tokio::time::sleep(takes).await;
        let (engine, wanted) = (self.engine.clone(), id.clone());
        self.engine
            .call(
                Verb::Start,
                &self.owner,
                id.as_str(),
                move |state, owner| match state.start(owner, &wanted)? {
                    Some(ending) => {
                        engine.end_later(ending);
                        Ok(())
                    }
                    None => Ok(()),
                },
            )
            .await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        self.engine.ask_to_end(&self.owner, id, grace).await;
        let wanted = id.clone();
        self.engine
            .call(Verb::Stop, &self.owner, id.as_str(), move |state, owner| {
                state.stop(owner, &wanted, grace);
                Ok(())
            })
            .await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let wanted = id.clone();
        self.engine
            .call(
                Verb::Remove,
                &self.owner,
                id.as_str(),
                move |state, owner| {
                    state.remove(owner, &wanted);
                    Ok(())
                },
            )
            .await
    }
}

#[async_trait]
impl Rename for FakeRuntime {
    async fn rename(&self, id: &ContainerId, name: &str) -> Result<(), RuntimeError> {
        let (wanted, name) = (id.clone(), name.to_owned());
        self.engine
            .call(
                Verb::Rename,
                &self.owner,
                id.as_str(),
                move |state, owner| state.rename(owner, &wanted, &name),
            )
            .await
    }
}

#[async_trait]
impl Exec for FakeRuntime {
    async fn exec(
        &self,
        id: &ContainerId,
        command: &[String],
        timeout: Duration,
    ) -> Result<ExecOutput, RuntimeError> {
        let (wanted, command) = (id.clone(), command.to_vec());
        self.engine
            .call(Verb::Exec, &self.owner, id.as_str(), move |state, owner| {
                state.exec(owner, &wanted, &command, timeout)
            })
            .await
    }
}

impl Logs for FakeRuntime {
    fn logs(
        &self,
        id: &ContainerId,
        tail_lines: usize,
        _follow: bool,
    ) -> BoxStream<'static, Result<Bytes, RuntimeError>> {
        let lines = self.engine.log_of(&self.owner, id, tail_lines);
        match lines {
            Ok(lines) => Box::pin(stream::iter(lines.into_iter().map(Ok))),
            Err(error) => Box::pin(stream::iter([Err(error)])),
        }
    }
}
