//! What can be said about a client.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::tls::{Identity, Issuers, Tls};
use super::transport::{Timeouts, Transport, no_master};
use super::{Client, ClientError};

/// What can be said about a client: which masters, who asks, and how long it may take.
#[derive(Clone, Default)]
#[must_use]
pub struct ClientBuilder {
    endpoints: Vec<Endpoint>,
    user: Option<Arc<str>>,
    bearer: Option<String>,
    tls: Tls,
    timeouts: Timeouts,
}

impl ClientBuilder {
    /// Adds a master: `http://host:port` or `https://host:port`, with a path if a proxy wants one. `host:port` is enough.
    ///
    /// # Errors
    /// [`BadEndpoint`](super::ClientErrorKind::BadEndpoint) when the text is no such address.
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
    /// [`BadEndpoint`](super::ClientErrorKind::BadEndpoint) when the file cannot be read or holds no certificate.
    pub fn issuers_from(mut self, file: impl AsRef<Path>) -> Result<Self, ClientError> {
        self.tls.issuers = Issuers::from_file(file.as_ref())?;
        Ok(self)
    }

    /// Asks a master over TLS whatever the name in its certificate is. Somebody who is trusted must still have issued it.
    pub fn accept_any_name(mut self) -> Self {
        self.tls.any_name = true;
        self
    }

    /// Shows masters over TLS, or what stands before them, that certificate, from files of PEM, if they ask for one.
    ///
    /// # Errors
    /// [`BadEndpoint`](super::ClientErrorKind::BadEndpoint) when a file cannot be read or does not hold what it should.
    pub fn certificate_from(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, ClientError> {
        let identity = Identity::from_files(certificate.as_ref(), key.as_ref())?;
        self.tls.identity = Some(Arc::new(identity));
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
    /// [`BadEndpoint`](super::ClientErrorKind::BadEndpoint) when no master was given, the bearer token cannot be
    /// sent, or the key does not belong to the certificate.
    pub fn build(self) -> Result<Client, ClientError> {
        if self.endpoints.is_empty() {
            return Err(no_master());
        }
        let transport = Transport::new(
            self.endpoints,
            self.bearer.as_deref(),
            &self.tls,
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
