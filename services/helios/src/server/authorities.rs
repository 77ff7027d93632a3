//! Whose word for other services counts.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::Failure;
use crate::args::OutboundArgs;

/// Whose signature makes the certificate of another service good: a hook's, Consul's, Prometheus's. A clone costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) enum Authorities {
    /// Those that this machine trusts.
    #[default]
    OfThisMachine,
    /// Only these.
    Only(Arc<RootCertStore>),
}

impl Authorities {
    /// Those that the options name.
    pub(super) fn read(options: &OutboundArgs) -> Result<Self, Failure> {
        match &options.outbound_ca {
            None => Ok(Self::OfThisMachine),
            Some(file) => Self::from_file(file),
        }
    }

    /// Those in a file of PEM.
    pub(super) fn from_file(file: &Path) -> Result<Self, Failure> {
        let bad = || {
            Failure::new(format!("--outbound-ca {} cannot be used", file.display()))
                .advise("name a file with the certificates of authorities, in PEM")
        };
        let text = std::fs::read(file).map_err(|error| bad().caused_by(error))?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let mut roots = RootCertStore::empty();
        for certificate in found.map_err(|error| bad().caused_by(error))? {
            let added = roots.add(certificate);
            added.map_err(|error| bad().caused_by(error))?;
        }
        if roots.is_empty() {
            return Err(bad());
        }
        Ok(Self::Only(Arc::new(roots)))
    }

    /// How connections are made that trust them, and nobody else. Those of this machine are read from its files.
    pub(super) fn config(&self) -> Result<ClientConfig, rustls::Error> {
        let roots = match self {
            Self::Only(roots) => Arc::clone(roots),
            Self::OfThisMachine => Arc::new(of_this_machine()),
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn of_this_machine() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::debug!(%error, "some of this machine's certificates cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_authorities_is_refused_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        for text in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            std::fs::write(&file, text).unwrap();
            let failure = Authorities::from_file(&file).unwrap_err().to_string();
            assert!(
                failure.contains("--outbound-ca") && failure.contains("ca.pem"),
                "{failure}"
            );
        }
        assert!(Authorities::from_file(&dir.path().join("none.pem")).is_err());
    }
}
