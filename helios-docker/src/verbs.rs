//! The calls on containers: each makes as few requests as its guarantees allow.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use helios_core::runtime::{
    Container, ContainerId, ContainerSpec, Containers, RuntimeError, RuntimeErrorKind,
};
use tokio::time::{sleep, timeout};

use crate::container::{inspected, listed};
use crate::failure::{Call, failure, is_name_conflict, status, timed_out};
use crate::labels;
use crate::runtime::DockerRuntime;
use crate::spec::create_body;

/// How many inspects of one list run at a time; more only make each other slower.
const INSPECTS_MAX: usize = 8;

/// What has the name that a create wanted.
enum Holder {
    /// The very container that was to be made.
    Same(ContainerId),
    /// Another one.
    Other,
    /// One that is on its way out, or just gone.
    Leaving,
}

impl DockerRuntime {
    /// All containers with that label, whatever their state.
    pub(crate) async fn labelled(
        &self,
        label: String,
    ) -> Result<Vec<ContainerSummary>, RuntimeError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let lines = self.client.list_containers(Some(options));
        timeout(self.timeouts.read, lines)
            .await
            .map_err(|_| timed_out(Call::List, ""))?
            .map_err(|error| failure(Call::List, "", error))
    }

    pub(crate) async fn list_all(&self) -> Result<Containers, RuntimeError> {
        let lines = self.labelled(labels::filter(&self.owner)).await?;
        let (mut complete, mut unclear) = (Vec::new(), Vec::new());
        for line in lines {
            match (listed(&self.owner, &line), line.id) {
                (Some(container), _) => complete.push(container),
                (None, Some(id)) => unclear.push(ContainerId::new(id)),
                (None, None) => {}
            }
        }
        let inspects = unclear.into_iter().map(|id| async move {
            // Between list and inspect it may have gone.
            self.inspect(Call::List, &id).await
        });
        let inspected: Vec<Option<Container>> = stream::iter(inspects)
            .buffer_unordered(INSPECTS_MAX)
            .try_collect()
            .await?;
        complete.extend(inspected.into_iter().flatten());
        for container in &complete {
            self.owned.learn(&container.id);
        }
        Ok(complete.into_iter().collect())
    }

    pub(crate) async fn create_container(
        &self,
        spec: &ContainerSpec,
    ) -> Result<ContainerId, RuntimeError> {
        timeout(self.timeouts.create, self.create_when_free(spec))
            .await
            .unwrap_or_else(|_| Err(timed_out(Call::Create, &spec.name)))
    }

    /// Creates at once, and looks at what has the name only if Docker says that something has.
    async fn create_when_free(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        let body = create_body(&self.owner, spec)?;
        let options = CreateContainerOptionsBuilder::new()
            .name(&spec.name)
            .build();
        let mut pause = Pause::default();
        loop {
            let attempt = self
                .client
                .create_container(Some(options.clone()), body.clone());
            let error = match attempt.await {
                Ok(created) => {
                    let id = ContainerId::new(created.id);
                    self.owned.learn(&id);
                    return Ok(id);
                }
                Err(error) if is_name_conflict(&error) => error,
                Err(error) => return Err(failure(Call::Create, &spec.name, error)),
            };
            match self.holder(spec).await? {
                Holder::Same(id) => return Ok(id),
                Holder::Other => return Err(failure(Call::Create, &spec.name, error)),
                // A remove ends after it was acknowledged, and frees the name last.
                Holder::Leaving => pause.wait().await,
            }
        }
    }

    async fn holder(&self, spec: &ContainerSpec) -> Result<Holder, RuntimeError> {
        let options = None::<InspectContainerOptions>;
        let seen = match self.client.inspect_container(&spec.name, options).await {
            Ok(seen) => seen,
            Err(error) if status(&error) == Some(404) => return Ok(Holder::Leaving),
            Err(error) => return Err(failure(Call::Create, &spec.name, error)),
        };
        if is_leaving(&seen) {
            return Ok(Holder::Leaving);
        }
        let same = inspected(&self.owner, seen)
            .filter(|container| container.digest.as_ref() == Some(&spec.digest()));
        Ok(match same {
            Some(container) => {
                self.owned.learn(&container.id);
                Holder::Same(container.id)
            }
            None => Holder::Other,
        })
    }

    pub(crate) async fn start_container(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        if !self.owns(Call::Start, id).await? {
            return Err(not_found(id));
        }
        let call = self
            .client
            .start_container(id.as_str(), None::<StartContainerOptions>);
        let outcome = match timeout(self.timeouts.start, call).await {
            Err(_) => Err(timed_out(Call::Start, id.as_str())),
            Ok(Err(error)) => Err(failure(Call::Start, id.as_str(), error)),
            Ok(Ok(())) => return Ok(()),
        };
        // Docker notes why a start failed in the container, and sends no event about it.
        self.silent_change.send_replace(());
        outcome
    }

    pub(crate) async fn stop_container(
        &self,
        id: &ContainerId,
        grace: Duration,
    ) -> Result<(), RuntimeError> {
        if !self.owns(Call::Stop, id).await? {
            return Ok(());
        }
        let options = StopContainerOptionsBuilder::new()
            .t(whole_seconds(grace))
            .build();
        let within = grace.saturating_add(self.timeouts.stop_after_grace);
        let call = self.client.stop_container(id.as_str(), Some(options));
        match timeout(within, call).await {
            Err(_) => Err(timed_out(Call::Stop, id.as_str())),
            Ok(Err(error)) if status(&error) == Some(404) => Ok(()),
            Ok(Err(error)) => Err(failure(Call::Stop, id.as_str(), error)),
            Ok(Ok(())) => Ok(()),
        }
    }

    pub(crate) async fn remove_container(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        timeout(self.timeouts.remove, self.remove_to_the_end(id))
            .await
            .unwrap_or_else(|_| Err(timed_out(Call::Remove, id.as_str())))
    }

    async fn remove_to_the_end(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        if !self.owns(Call::Remove, id).await? {
            return Ok(());
        }
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        match self
            .client
            .remove_container(id.as_str(), Some(options))
            .await
        {
            Ok(()) => {}
            Err(error) if status(&error) == Some(404) => {}
            // Somebody else is removing it: done is when it is gone.
            Err(error) if status(&error) == Some(409) => {
                let mut pause = Pause::default();
                while self.inspect(Call::Remove, id).await?.is_some() {
                    pause.wait().await;
                }
            }
            Err(error) => return Err(failure(Call::Remove, id.as_str(), error)),
        }
        self.owned.forget(id);
        Ok(())
    }
}

fn is_leaving(seen: &ContainerInspectResponse) -> bool {
    use bollard::models::ContainerStateStatusEnum::{DEAD, REMOVING};
    let status = seen.state.as_ref().and_then(|state| state.status);
    matches!(status, Some(REMOVING | DEAD))
}

fn not_found(id: &ContainerId) -> RuntimeError {
    RuntimeError::new(
        RuntimeErrorKind::NotFound,
        format!("could not start container {id}: the owner has none of that id"),
    )
}

/// Docker counts in seconds; what it takes for a shorter grace would be shorter than promised.
fn whole_seconds(grace: Duration) -> i32 {
    let seconds = grace
        .as_secs()
        .saturating_add(u64::from(grace.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// The wait between two looks at something that is about to happen: 10 ms, growing to 250 ms.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(10))
    }
}

impl Pause {
    async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_millis(250));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (u64::MAX, i32::MAX)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }

    #[test]
    fn a_dead_container_is_leaving() {
        for (state, leaving) in [("dead", true), ("removing", true), ("exited", false)] {
            let seen = serde_json::json!({ "State": { "Status": state } });
            assert_eq!(is_leaving(&serde_json::from_value(seen).unwrap()), leaving);
        }
    }
}
