//! Asks masters: one typed method for each thing a master can be asked.

mod builder;
mod deployments;
mod endpoint;
mod error;
mod events;
mod follower;
mod groups;
mod hosts;
mod jobs;
mod logs;
mod masters;
mod query;
mod reply;
mod request;
mod resets;
mod retry;
mod tls;
mod tokens;
mod transport;
mod trouble;
mod variables;
mod watch;

use std::fmt;
use std::sync::Arc;

use self::reply::Reply;
use self::request::Request;
use self::transport::{Transport, no_master};

pub use builder::ClientBuilder;
pub use error::{ClientError, ClientErrorKind};
pub use events::EventsQuery;
pub use follower::{Follower, Remembered, write_atomically};
pub use hosts::HostsQuery;
pub use jobs::JobsQuery;
pub use logs::{LogStream, LogsQuery};
pub use masters::MasterVersion;
pub use query::ListQuery;
pub use variables::{DesiredQuery, DesiredReply};

/// Asks the masters of one cluster. Cheap to clone; clones share their connections.
///
/// A request goes to one master after the other until one answers, with pauses that grow to a limit, and
/// until the total timeout has passed. What changes nothing is repeated after every kind of failure. What
/// changes something is repeated only when no master can have seen it; otherwise the error is
/// [`OutcomeUnknown`](ClientErrorKind::OutcomeUnknown), and a look at the state decides.
///
/// ```no_run
/// # async fn example() -> Result<(), helios_api::ClientError> {
/// let client = helios_api::Client::new("http://127.0.0.1:5801")?;
/// for (id, job) in client.jobs(&Default::default()).await? {
///     println!("{} runs {:?}", id.short(), job.image);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Dropping the future of a call ends it; a change may still happen.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    user: Option<Arc<str>>,
}

impl Client {
    /// A client of one master, with the defaults of [`ClientBuilder`].
    ///
    /// # Errors
    /// [`BadEndpoint`](ClientErrorKind::BadEndpoint) when the text is no `http://host:port`.
    pub fn new(endpoint: &str) -> Result<Self, ClientError> {
        Self::builder().endpoint(endpoint)?.build()
    }

    /// Starts a client with more to say about it.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The addresses of the masters, as they were given.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        let endpoints = self.transport.endpoints();
        endpoints.iter().map(|at| at.as_str().to_owned()).collect()
    }

    /// Asks these masters in place of those before, from the next call on: for whoever learns during a long
    /// watch that masters came or went. All clones of the client do.
    ///
    /// # Errors
    /// [`BadEndpoint`](ClientErrorKind::BadEndpoint) when there is none, or one of them is no address; the masters
    /// are as before then.
    pub fn move_to<T: AsRef<str>>(&self, masters: &[T]) -> Result<(), ClientError> {
        let masters: Vec<_> = masters
            .iter()
            .map(|address| address.as_ref().parse())
            .collect::<Result<_, _>>()?;
        if masters.is_empty() {
            return Err(no_master());
        }
        self.transport.move_to(masters);
        Ok(())
    }

    async fn send(&self, request: Request) -> Result<Reply, ClientError> {
        let request = request.signed_by(self.user.as_deref());
        self.transport.send(&request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.endpoints())
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
