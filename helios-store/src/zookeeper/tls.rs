//! Transport security.

use std::fmt;

use helios_core::store::{StoreError, StoreErrorKind};
use zookeeper_client::TlsOptions;

/// Whom we trust on a TLS connection, and as whom we present ourselves.
///
/// The host names or addresses of the [address](super::ZooKeeperAddress) must stand in the servers'
/// certificates; that check cannot be turned off.
#[derive(Clone)]
pub struct Tls(TlsOptions);

impl Tls {
    /// Trusts servers whose certificate one of these authorities signed.
    ///
    /// # Errors
    /// `Invalid` when the text holds no certificate in PEM.
    pub fn trusting(authorities_pem: &str) -> Result<Self, StoreError> {
        let options = TlsOptions::new()
            .with_pem_ca(authorities_pem)
            .map_err(|error| unreadable("the certificate authorities", error))?;
        Ok(Self(options))
    }

    /// Presents this certificate (with its chain) to the servers: mutual TLS.
    ///
    /// # Errors
    /// `Invalid` when one of the texts is no certificate or no private key in PEM.
    pub fn presenting(self, certificate_pem: &str, key_pem: &str) -> Result<Self, StoreError> {
        let options = (self.0)
            .with_pem_identity(certificate_pem, key_pem)
            .map_err(|error| unreadable("our certificate and its key", error))?;
        Ok(Self(options))
    }

    pub(super) fn options(&self) -> TlsOptions {
        self.0.clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn unreadable(what: &str, error: zookeeper_client::Error) -> StoreError {
    let message = format!("{what} are not readable as PEM");
    StoreError::new(StoreErrorKind::Invalid, message).caused_by(error)
}
