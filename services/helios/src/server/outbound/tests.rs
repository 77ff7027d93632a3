use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

#[test]
fn only_addresses_of_services_are_some() {
    for text in [
        "http://127.0.0.1:8500",
        "http://hooks.local/helios/",
        "https://hooks.example.net",
    ] {
        assert!(Url::parse(text).is_ok(), "{text}");
    }
    for text in ["h:80", "http://", "ftp://h/", "https://h/?q", ""] {
        assert!(Url::parse(text).is_err(), "{text}");
    }
}

/// A service on `localhost` with a certificate of an authority of its own, which answers every request with `202`.
struct Service {
    url: Url,
    /// The authority's certificate.
    authority: PathBuf,
    _dir: tempfile::TempDir,
}

impl Service {
    async fn start() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = own.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config))));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        Self {
            url: Url::parse(&format!("https://localhost:{port}/hook")).unwrap(),
            authority: file,
            _dir: dir,
        }
    }

    async fn told(&self, authorities: &Authorities) -> Result<StatusCode, String> {
        let outbound = Outbound::trusting(authorities);
        let body = Body::Json("{}".to_owned());
        let sent = outbound.send("POST", &self.url, "", &[], body).await;
        sent.map(|(status, _)| status)
    }
}

async fn answer(listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // Who does not trust this service ends the handshake.
        let Ok(mut stream) = acceptor.accept(stream).await else {
            continue;
        };
        let mut heard = Vec::new();
        while !heard.ends_with(b"{}") && stream.read_buf(&mut heard).await.unwrap() > 0 {}
        let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_service_is_told_over_tls_if_its_authority_is_trusted() {
    let service = Service::start().await;
    let trusting = Authorities::from_file(&service.authority).unwrap();
    assert_eq!(service.told(&trusting).await, Ok(StatusCode::ACCEPTED));

    let other = Service::start().await;
    let stranger = Authorities::from_file(&other.authority).unwrap();
    for authorities in [stranger, Authorities::OfThisMachine] {
        let error = service.told(&authorities).await.unwrap_err();
        assert!(error.contains("--outbound-ca"), "{error}");
    }
}
