//! The handle on an engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_core::stream::BoxStream;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec, Containers, Owner, RuntimeError};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::credentials::{Credentials, Lookup};
use crate::endpoint::DockerEndpoint;
use crate::failure::{Call, failure, timed_out};
use crate::ownership::Owned;
use crate::timeouts::Timeouts;

/// The containers of one owner on one Docker engine.
///
/// Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct DockerRuntime {
    pub(crate) client: Docker,
    pub(crate) owner: Owner,
    pub(crate) timeouts: Timeouts,
    pub(crate) credentials: Lookup,
    pub(crate) owned: Arc<Owned>,
    /// Tells the watches of a change that Docker has no event for.
    pub(crate) silent_change: watch::Sender<()>,
    /// The engine's socket, if it is known to have one on this machine.
    pub(crate) socket: Option<PathBuf>,
}

/// The client's own limit for an answer, in seconds: a day, which is none. Each call has its own.
const CLIENT_TIMEOUT_SECONDS: u64 = 24 * 60 * 60;

impl DockerRuntime {
    /// Connects to an engine and settles on an API version that both speak.
    ///
    /// # Errors
    /// `Unavailable` when nothing answers there, or the socket may not be used; `TimedOut`.
    pub async fn connect(endpoint: DockerEndpoint, owner: Owner) -> Result<Self, RuntimeError> {
        let object = endpoint.to_string();
        let client = match &endpoint {
            DockerEndpoint::Unix(path) => {
                Docker::connect_with_unix(path, CLIENT_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
            }
            DockerEndpoint::Tcp(host) => {
                Docker::connect_with_http(host, CLIENT_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
            }
        };
        let client = client.map_err(|error| failure(Call::Connect, &object, error))?;
        let within = Timeouts::default().read;
        let client = timeout(within, client.negotiate_version())
            .await
            .map_err(|_| timed_out(Call::Connect, &object))?
            .map_err(|error| failure(Call::Connect, &object, error))?;
        let socket = match endpoint {
            DockerEndpoint::Unix(path) => Some(PathBuf::from(path)),
            DockerEndpoint::Tcp(_) => None,
        };
        Ok(Self {
            socket,
            ..Self::from_client(client, owner)
        })
    }

    /// Uses a client made elsewhere, as one with TLS: the one place where a type of the client library
    /// shows, and which changes with its major version.
    ///
    /// The client's timeout is replaced by [`Timeouts`]. Negotiate its API version first
    /// (`Docker::negotiate_version`).
    #[must_use]
    pub fn from_client(client: Docker, owner: Owner) -> Self {
        Self {
            client: client.with_timeout(Duration::from_secs(CLIENT_TIMEOUT_SECONDS)),
            owner,
            timeouts: Timeouts::default(),
            credentials: Lookup::new(Credentials::default()),
            owned: Arc::default(),
            silent_change: watch::Sender::new(()),
            socket: None,
        }
    }

    /// Where the credentials of registries come from; by default the user's Docker configuration.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Lookup::new(credentials);
        self
    }

    /// How long calls may take.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Whose containers it shows.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}

#[async_trait]
impl Runtime for DockerRuntime {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        self.list_all().await
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        crate::watch::watch(self.clone())
    }

    async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        self.pull_image(image).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        self.create_container(spec).await
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        self.start_container(id).await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        self.stop_container(id, grace).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        self.remove_container(id).await
    }
}

impl fmt::Debug for DockerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DockerRuntime")
            .field("owner", &self.owner)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
