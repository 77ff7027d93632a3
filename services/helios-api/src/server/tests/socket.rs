//! What only shows on a real connection.

use std::io::Read;
use std::net::SocketAddr;

use flate2::read::GzDecoder;
use helios_core::model::Job;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::harness::Master;
use crate::server::{router, serve, serve_beyond_loopback};

/// A master that listens.
struct Listening {
    address: SocketAddr,
    master: Master,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

async fn listen() -> Listening {
    let master = Master::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let app = master.app.clone();
    let served = tokio::spawn(serve(listener, app, async { drop(stopped.await) }));
    Listening {
        address,
        master,
        stop,
        served,
    }
}

/// Sends that text, and reads all that comes until the connection is closed.
async fn converse(address: SocketAddr, sent: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    received
}

fn split(received: &[u8]) -> (String, &[u8]) {
    let end = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    (head, &received[end + 4..])
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:5801\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn header_names_are_spelt_as_deployed_clients_look_for_them() {
    let listening = listen().await;
    listening.master.job(Job::new("web:7", "i").unwrap()).await;
    // What the original's client sends; its Accept header is not even legal.
    let headers = "Helios-Version: 0.9.0\r\nAccept-Encoding: gzip\r\nCharset: utf-8\r\n\
        Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\r\n";
    let received = converse(listening.address, &get("/jobs?user=ann", headers)).await;
    let (head, body) = split(&received);
    for line in [
        "HTTP/1.1 200 OK",
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        "Vary: Accept-Encoding",
        "Helios-Version-Status: EQUAL",
        "Helios-Server-Version: 0.9.0",
    ] {
        assert!(head.lines().any(|found| found == line), "{line}: {head}");
    }
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).unwrap();
    assert!(text.starts_with(r#"{"web:7:"#), "{text}");
}

#[tokio::test]
async fn only_long_answers_to_questions_are_compressed() {
    let listening = listen().await;
    for (request, headers) in [
        (get("/jobs", "Accept-Encoding: gzip\r\n"), "short"),
        (get("/jobs", "Accept-Encoding: gzip;q=0\r\n"), "refused"),
    ] {
        let received = converse(listening.address, &request).await;
        let (head, _) = split(&received);
        assert!(!head.contains("Content-Encoding"), "{headers}: {head}");
    }
    listening.master.job(Job::new("web:7", "i").unwrap()).await;
    let refused = converse(
        listening.address,
        &get("/jobs", "Accept-Encoding: gzip;q=0\r\n"),
    )
    .await;
    let (head, body) = split(&refused);
    assert!(
        !head.contains("Content-Encoding") && body.starts_with(b"{"),
        "{head}"
    );
}

#[tokio::test]
async fn a_change_without_body_and_length_is_served() {
    let listening = listen().await;
    let request =
        "PUT /hosts/n1?id=i&user=ann HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let received = converse(listening.address, request).await;
    let (head, body) = split(&received);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, b"\"OK\"");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let listening = listen().await;
    let request = get("/jobs", &format!("X: {}\r\n", "a".repeat(17 * 1024)));
    let received = converse(listening.address, &request).await;
    assert!(
        received.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&received)
    );
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_ask_by_a_name_of_its_own() {
    let listening = listen().await;
    let request = "GET /jobs HTTP/1.1\r\nHost: evil.example.net\r\nConnection: close\r\n\r\n";
    let received = converse(listening.address, request).await;
    assert!(
        received.starts_with(b"HTTP/1.1 421 "),
        "{}",
        String::from_utf8_lossy(&received)
    );
}

#[tokio::test]
async fn slow_connections_do_not_keep_others_waiting() {
    let listening = listen().await;
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        stream
            .write_all(b"GET /jobs HTTP/1.1\r\nHost: local")
            .await
            .unwrap();
        slow.push(stream);
    }
    let received = converse(listening.address, &get("/hosts", "")).await;
    assert!(received.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn stops_when_told_to_and_lets_requests_end() {
    let listening = listen().await;
    let idle = TcpStream::connect(listening.address).await.unwrap();
    converse(listening.address, &get("/jobs", "")).await;
    listening.stop.send(()).unwrap();
    listening.served.await.unwrap().unwrap();
    assert!(TcpStream::connect(listening.address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn serves_beyond_loopback_only_when_that_is_meant() {
    let app = router(Master::new().await.state);
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = serve(listener, app.clone(), std::future::pending())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("listen on 127.0.0.1"), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_beyond_loopback(listener, app, std::future::pending()));
    let request = "GET /jobs HTTP/1.1\r\nHost: helios.example.net\r\nConnection: close\r\n\r\n";
    assert!(
        converse(address, request)
            .await
            .starts_with(b"HTTP/1.1 200 OK")
    );
}

#[tokio::test]
async fn our_own_client_understands_our_own_master() {
    let listening = listen().await;
    let client = crate::Client::builder()
        .endpoint(&listening.address.to_string())
        .unwrap();
    let client = client.user("ann").build().unwrap();
    let job = Job::new("web:7", "i").unwrap();
    let id = job.clone().with_computed_id().id;
    let created = client.create_job(&job).await.unwrap();
    assert_eq!(created.id, Some(id.to_string()));
    client.register_host("n1", "i").await.unwrap();
    let start = helios_core::model::Deployment::new(id.clone(), helios_core::Goal::Start);
    client.deploy("n1", &start, "").await.unwrap();
    let jobs = client
        .jobs(&crate::client::JobsQuery::default())
        .await
        .unwrap();
    assert_eq!(jobs[&id].creating_user.as_deref(), Some("ann"));
    let status = client.host_status("n1", None).await.unwrap().unwrap();
    assert_eq!(status.jobs[&id].deployer_user.as_deref(), Some("ann"));
    assert_eq!(
        client
            .undeploy("n1", &id, "")
            .await
            .unwrap()
            .status
            .as_str(),
        "OK"
    );
    assert_eq!(
        client.delete_job(&id, "").await.unwrap().status.as_str(),
        "OK"
    );
    assert_eq!(client.job(&id).await.unwrap(), None);
    let version = client.version().await.unwrap();
    assert!(version.software.unwrap().starts_with("helios/"));
    let error = client.register_host("n1", "j").await.unwrap_err();
    assert!(error.to_string().contains("belongs to agent i"), "{error}");
}
