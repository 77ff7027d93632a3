//! Serving over TLS.

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::harness::Master;
use crate::client::{Client, ClientErrorKind, JobsQuery};
use crate::server::{TlsIdentity, serve_tls};

/// A certificate for localhost that nobody issued, and its key.
fn certificate(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

async fn listen(dir: &Path) -> SocketAddr {
    let (certificate, key) = certificate(dir);
    let identity = TlsIdentity::from_pem_files(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Master::new().await.app;
    tokio::spawn(async move { serve_tls(listener, &identity, app, pending()).await });
    address
}

#[tokio::test]
async fn a_client_that_trusts_the_issuer_is_served_and_no_other_asks() {
    let dir = tempfile::tempdir().unwrap();
    let address = listen(dir.path()).await;
    let endpoint = format!("https://localhost:{}", address.port());
    let builder = || Client::builder().endpoint(&endpoint).unwrap();
    let client = builder().issuers_from(dir.path().join("cert.pem")).unwrap();
    let jobs = client.build().unwrap().jobs(&JobsQuery::default()).await;
    assert!(jobs.unwrap().is_empty());

    let stranger = builder()
        .total_timeout(std::time::Duration::from_secs(1))
        .build()
        .unwrap();
    let error = stranger.jobs(&JobsQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unreachable);
    assert!(error.to_string().contains("--cacert"), "{error}");
}

#[tokio::test]
async fn a_master_by_another_name_is_asked_only_if_names_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let address = listen(dir.path()).await;
    let builder = || {
        let builder = Client::builder().endpoint(&format!("https://{address}"));
        builder.unwrap().issuers_from(dir.path().join("cert.pem"))
    };
    let careful = builder().unwrap().build().unwrap();
    let error = careful.jobs(&JobsQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unreachable);
    assert!(error.to_string().contains("--insecure"), "{error}");
    let careless = builder().unwrap().accept_any_name().build().unwrap();
    assert!(careless.jobs(&JobsQuery::default()).await.is_ok());
    // That is all that does not matter.
    let believing = Client::builder().endpoint(&format!("https://{address}"));
    let believing = believing.unwrap().accept_any_name().build().unwrap();
    let error = believing.jobs(&JobsQuery::default()).await.unwrap_err();
    assert!(error.to_string().contains("--cacert"), "{error}");
}

/// What stands before masters and lets in only those who show a certificate that it knows.
async fn gate(dir: &Path, known: &Path) -> SocketAddr {
    let (certificate, key) = certificate(dir);
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(known).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate).unwrap()],
            PrivateKeyDer::from_pem_file(key).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[\"m1\"]";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_those_who_ask_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("own");
    std::fs::create_dir(&own).unwrap();
    let (cert, key) = certificate(&own);
    let address = gate(dir.path(), &cert).await;
    let issuer = dir.path().join("cert.pem");
    let builder = || {
        let at = format!("https://localhost:{}", address.port());
        let builder = Client::builder().endpoint(&at).unwrap();
        builder.issuers_from(&issuer).unwrap()
    };
    let known = builder().certificate_from(&cert, &key).unwrap();
    assert_eq!(
        known
            .build()
            .unwrap()
            .masters(&Default::default())
            .await
            .unwrap(),
        ["m1"]
    );
    let stranger = builder().build().unwrap();
    let error = stranger.masters(&Default::default()).await.unwrap_err();
    assert!(error.to_string().contains("HELIOS_CERT_PATH"), "{error}");

    let error = builder().certificate_from(&key, &key).unwrap_err();
    assert!(error.to_string().contains("no certificate"), "{error}");
    let error = builder().certificate_from(&cert, &cert).unwrap_err();
    assert!(error.to_string().contains("no private key"), "{error}");
    let other = builder().certificate_from(&cert, dir.path().join("key.pem"));
    let error = other.unwrap().build().unwrap_err();
    assert!(error.to_string().contains("go together"), "{error}");
}

#[tokio::test]
async fn the_wrong_protocol_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let secure = listen(dir.path()).await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = plain.local_addr().unwrap();
    let app = Master::new().await.app;
    tokio::spawn(crate::server::serve(plain, app, pending()));
    for (address, advice) in [
        (format!("http://{secure}"), "ask it with https://"),
        (format!("https://{at}"), "ask it with http://"),
    ] {
        let error = Client::new(&address)
            .unwrap()
            .masters(&Default::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Unreachable);
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn those_who_do_not_speak_tls_keep_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let address = listen(dir.path()).await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain
        .write_all(b"GET /jobs HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // A TLS alert, or just the end.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");

    let client = Client::builder()
        .endpoint(&format!("https://localhost:{}", address.port()))
        .unwrap();
    let client = client.issuers_from(dir.path().join("cert.pem")).unwrap();
    let jobs = client.build().unwrap().jobs(&JobsQuery::default()).await;
    assert!(jobs.unwrap().is_empty());
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(dir.path());
    let absent = dir.path().join("absent.pem");
    for (certificate, key, named) in [
        (&absent, &key, "absent.pem"),
        (&certificate, &absent, "absent.pem"),
        (
            &key,
            &key,
            "key.pem cannot be used for TLS: there is no certificate",
        ),
        (&certificate, &certificate, "cert.pem"),
    ] {
        let error = TlsIdentity::from_pem_files(certificate, key).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    let error = Client::builder().issuers_from(&key).unwrap_err();
    assert!(
        error.to_string().contains("key.pem holds no certificates"),
        "{error}"
    );
}
