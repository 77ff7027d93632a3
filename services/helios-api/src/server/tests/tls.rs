//! Serving over TLS.

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;

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
