//! Transport security.

use std::fmt;

use helios_core::store::{StoreError, StoreErrorKind};
use rustls::crypto::{CryptoProvider, ring};
use zookeeper_client::TlsOptions;

/// Whom we trust on a TLS connection, and as whom we present ourselves.
///
/// The host names or addresses of the [address](super::ZooKeeperAddress) must stand in the servers'
/// certificates; that check cannot be turned off.
///
/// The ZooKeeper client takes the cryptography that the process has chosen (`rustls::crypto::CryptoProvider`). A process
/// that has chosen none gets `ring`, by the first `Tls` that is made.
#[derive(Clone)]
pub struct Tls(TlsOptions);

impl Tls {
    /// Trusts servers whose certificate one of these authorities signed.
    ///
    /// # Errors
    /// `Invalid` when the text holds no certificate in PEM.
    pub fn trusting(authorities_pem: &str) -> Result<Self, StoreError> {
        choose_cryptography();
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

/// As soon as two crates of a program bring different cryptography, rustls refuses to choose by itself, and the client
/// panics as it connects.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Lost to somebody who chose at the same time, which is as good.
        let _ = ring::default_provider().install_default();
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
