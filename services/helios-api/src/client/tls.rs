//! Which masters are believed to be what they say, and how a client proves who it is.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::{ClientError, ClientErrorKind};

/// What is believed of masters, and what they are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Tls {
    pub(super) issuers: Issuers,
    /// Whether a certificate may be for another name than that by which the master is asked.
    pub(super) any_name: bool,
    pub(super) identity: Option<Arc<Identity>>,
}

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
        certificates(path)
            .map(Self::Only)
            .map_err(|error| unusable(path, "holds no certificates to trust", error))
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

/// The certificate that a client shows to masters, or to what stands before them, and its key.
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// That in two files of PEM.
    pub(super) fn from_files(certificate: &Path, key: &Path) -> Result<Self, ClientError> {
        let chain = certificates(certificate)
            .map_err(|error| unusable(certificate, "holds no certificate to show", error))?;
        let key = fs::read(key)
            .and_then(|text| PrivateKeyDer::from_pem_slice(&text).map_err(io::Error::other))
            .map_err(|error| unusable(key, "holds no private key", error))?;
        Ok(Self { chain, key })
    }
}

/// The key is not shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = fs::read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&text);
    let certificates: Result<Vec<_>, _> = certificates.collect();
    match certificates.map_err(io::Error::other)? {
        none if none.is_empty() => Err(io::Error::other("there is none in it")),
        some => Ok(some),
    }
}

fn unusable(path: &Path, why: &str, error: io::Error) -> ClientError {
    let message = format!("{} {why}", path.display());
    ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
}

/// What connects to masters.
pub(super) fn connector(tls: &Tls) -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let failed = |error: Error| {
        let message = "this program cannot speak TLS";
        ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        issuers: tls.issuers.clone(),
        any_name: tls.any_name,
        provider: Arc::clone(&provider),
        inner: OnceLock::new(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = (identity.chain.clone(), identity.key.clone_key());
            config.with_client_auth_cert(chain, key).map_err(|error| {
                let message = "the client's certificate and its key do not go together";
                ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
            })?
        }
    };
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

/// The ordinary rules for certificates, with two differences: this machine's issuers are read at the first
/// certificate that is judged, since that takes longer than most answers; and names count only if they shall.
#[derive(Debug)]
struct Verifier {
    issuers: Issuers,
    any_name: bool,
    provider: Arc<CryptoProvider>,
    inner: OnceLock<Arc<WebPkiServerVerifier>>,
}

impl Verifier {
    fn inner(&self) -> Result<&WebPkiServerVerifier, Error> {
        if let Some(made) = self.inner.get() {
            return Ok(made);
        }
        let roots = Arc::new(self.issuers.store());
        let provider = Arc::clone(&self.provider);
        let made = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| Error::General(format!("no certificate can be judged: {error}")))?;
        Ok(self.inner.get_or_init(|| made))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let inner = self.inner()?;
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: everything else is in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
