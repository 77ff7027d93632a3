//! This machine's Docker engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use helios_core::runtime::Owner;
use helios_docker::{DockerEndpoint, DockerRuntime, EndpointError};

use super::error::{TemporaryError, TemporaryErrorKind};
use super::leftovers::Place;
use super::own_agent::remove_all;
use super::prefix::Prefix;
use super::{Engine, TemporaryJobs};

impl TemporaryJobs {
    /// Jobs on the Docker engine at `DOCKER_HOST`, or else at this machine's socket, with an agent and a cluster
    /// in memory of their own. Needs the feature `docker`.
    ///
    /// # Errors
    /// `NoPlace` when no engine answers there.
    pub async fn solo() -> Result<Self, TemporaryError> {
        let endpoint = match std::env::var("DOCKER_HOST") {
            Ok(address) if !address.is_empty() => {
                address.parse().map_err(|error: EndpointError| {
                    let message =
                        "DOCKER_HOST names no engine: correct it, or unset it for the local one";
                    TemporaryError::new(TemporaryErrorKind::NoPlace, message).caused_by(error)
                })?
            }
            _ => DockerEndpoint::default(),
        };
        Self::docker(endpoint).await
    }

    /// As [`solo`](Self::solo), on the engine at that address.
    ///
    /// # Errors
    /// As [`solo`](Self::solo).
    pub async fn docker(endpoint: DockerEndpoint) -> Result<Self, TemporaryError> {
        let address = match &endpoint {
            DockerEndpoint::Unix(_) => "127.0.0.1".to_owned(),
            DockerEndpoint::Tcp(host) => host
                .rsplit_once(':')
                .map_or(host.as_str(), |(host, _)| host)
                .to_owned(),
        };
        Self::begin(move |owner| async move {
            let runtime = connect(&endpoint, owner).await?;
            let runtime = Arc::new(runtime);
            let engine = Engine::new(runtime.clone())
                .probe(runtime.clone())
                .logs(runtime.clone())
                .address(address);
            let place: Arc<dyn Place> = Arc::new(DockerPlace(runtime));
            Ok((engine, Some(place)))
        })
        .await
    }
}

async fn connect(endpoint: &DockerEndpoint, owner: Owner) -> Result<DockerRuntime, TemporaryError> {
    let connected = DockerRuntime::connect(endpoint.clone(), owner).await;
    connected.map_err(|error| {
        let message = format!(
            "this test needs a Docker engine, and none answers at {endpoint}: start it \
             (`sudo systemctl start docker`), name another one with DOCKER_HOST, or run the same test on \
             `TemporaryJobs::fake`"
        );
        TemporaryError::new(TemporaryErrorKind::NoPlace, message).caused_by(error)
    })
}

/// All containers of the engine whose owner is a test.
#[derive(Debug)]
struct DockerPlace(Arc<DockerRuntime>);

#[async_trait]
impl Place for DockerPlace {
    async fn prefixes(&self) -> Result<BTreeSet<Prefix>, TemporaryError> {
        let owners = self.0.owners().await.map_err(|error| {
            TemporaryError::because("what earlier tests left behind cannot be seen", error)
        })?;
        let prefixes = owners.iter().filter_map(|owner| Prefix::of(owner.as_str()));
        Ok(prefixes.collect())
    }

    async fn clean(&self, prefix: &Prefix) -> Result<(), TemporaryError> {
        let owner = Owner::new(prefix.to_string())
            .map_err(|error| TemporaryError::because("no owner of containers", error))?;
        remove_all(&self.0.of(owner)).await
    }
}
