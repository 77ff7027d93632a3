//! What can be said about a client.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::tls::Issuers;
use super::transport::{Timeouts, Transport};
use super::{Client, ClientError, ClientErrorKind};

/// What can be said about a client: which masters, who asks, and how long it may take.
#[derive(Clone, Default)]
#[must_use]
pub struct ClientBuilder {
    endpoints: Vec<Endpoint>,
    user: Option<Arc<str>>,
    bearer: Option<String>,
    issuers: Issuers,
    timeouts: Timeouts,
}

impl ClientBuilder {
    /// Adds a master: `http://host:port` or `https://host:port`, with a path if a proxy wants one. `host:port` is enough.
    ///
    /// # Errors
    /// [`BadEndpoint`](ClientErrorKind::BadEndpoint) when the text is no such address.
    pub fn endpoint(mut self, address: &str) -> Result<Self, ClientError> {
        self.endpoints.push(address.parse()?);
        Ok(self)
    }

    /// Names the user in whose name things are created and deployed.
    pub fn user(mut self, name: impl Into<Arc<str>>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Sends that bearer token with every request.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Believes masters whose certificate was issued by one of those in that file of PEM, and no others.
    /// Otherwise those count that this machine trusts.
    ///
    /// # Errors
    /// [`BadEndpoint`](ClientErrorKind::BadEndpoint) when the file cannot be read or holds no certificate.
    pub fn issuers_from(mut self, file: impl AsRef<Path>) -> Result<Self, ClientError> {
        self.issuers = Issuers::from_file(file.as_ref())?;
        Ok(self)
    }

    /// How long one master may take to answer. 30 seconds unless said otherwise.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.request = timeout;
        self
    }

    /// How long a call may take with all its repetitions. 60 seconds unless said otherwise.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.total = timeout;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`BadEndpoint`](ClientErrorKind::BadEndpoint) when no master was given, or the bearer token cannot
    /// be sent.
    pub fn build(self) -> Result<Client, ClientError> {
        if self.endpoints.is_empty() {
            return Err(ClientError::new(
                ClientErrorKind::BadEndpoint,
                "no master is named: set -z or HELIOS_MASTER",
            ));
        }
        let transport = Transport::new(
            self.endpoints,
            self.bearer.as_deref(),
            &self.issuers,
            self.timeouts,
        )?;
        Ok(Client {
            transport: Arc::new(transport),
            user: self.user,
        })
    }
}

/// The bearer token is not shown.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoints", &self.endpoints)
            .field("user", &self.user)
            .field("bearer", &self.bearer.as_ref().map(|_| "***"))
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
