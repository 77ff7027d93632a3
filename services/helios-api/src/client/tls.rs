//! Which masters are believed to be what they say.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::{ClientError, ClientErrorKind};

/// Whose signature makes a master's certificate good.
#[derive(Clone, Debug, Default)]
pub(super) enum Issuers {
    /// Those that this machine trusts.
    #[default]
    OfThisMachine,
    /// Only these.
    Only(Vec<CertificateDer<'static>>),
}

impl Issuers {
    /// Those in a file of PEM.
    pub(super) fn from_file(path: &Path) -> Result<Self, ClientError> {
        let bad = |error: io::Error| {
            let message = format!("{} holds no certificates to trust", path.display());
            ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
        };
        let text = fs::read(path).map_err(bad)?;
        let certificates = CertificateDer::pem_slice_iter(&text);
        let certificates: Result<Vec<_>, _> = certificates.collect();
        let certificates = certificates.map_err(|error| bad(io::Error::other(error)))?;
        if certificates.is_empty() {
            return Err(bad(io::Error::other("there is none in it")));
        }
        Ok(Self::Only(certificates))
    }

    fn store(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        match self {
            Self::Only(certificates) => {
                roots.add_parsable_certificates(certificates.iter().cloned());
            }
            Self::OfThisMachine => {
                let found = rustls_native_certs::load_native_certs();
                for error in found.errors {
                    tracing::debug!(%error, "some of this machine's certificates cannot be read");
                }
                roots.add_parsable_certificates(found.certs);
            }
        }
        roots
    }
}

/// What connects to masters. The certificates of this machine are read only if one is asked over TLS, since
/// that takes longer than most answers.
pub(super) fn connector(
    issuers: &Issuers,
    any_tls: bool,
) -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let roots = if any_tls {
        issuers.store()
    } else {
        RootCertStore::empty()
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            let message = "this program cannot speak TLS";
            ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}
