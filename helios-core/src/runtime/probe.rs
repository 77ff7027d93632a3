//! Looking whether a container is well.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;

use super::ContainerId;

/// How a container is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeTarget {
    /// A GET of the path has to be answered with a status of 200 to 399. Redirects are not followed.
    Http {
        /// Where the port is open on the host.
        address: SocketAddr,
        /// The path, beginning with `/`.
        path: String,
    },
    /// A connection has to be accepted.
    Tcp {
        /// Where the port is open on the host.
        address: SocketAddr,
    },
    /// The command has to end with code 0 inside the container.
    Exec {
        /// The command and its arguments.
        command: Vec<String>,
    },
}

/// Something that can look whether a container is well.
#[async_trait]
pub trait Probe: fmt::Debug + Send + Sync + 'static {
    /// Looks once, for at most `timeout`.
    ///
    /// # Guarantees
    /// `Ok` only if the container did what the target asks for. A look that could not be made is a failure,
    /// never a success.
    ///
    /// # Errors
    /// What was seen instead, in one line for people.
    ///
    /// # Cancellation
    /// Harmless.
    async fn probe(
        &self,
        container: &ContainerId,
        target: &ProbeTarget,
        timeout: Duration,
    ) -> Result<(), String>;
}
