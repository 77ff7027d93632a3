//! Waiting for what changes.

use std::time::Duration;

use axum::body::Body;
use helios_core::model::Job;
use serde_json::json;

use super::harness::{Master, Reply, web};

async fn wait(master: &Master, path: &str, known: &str) -> Reply {
    let request = format!("GET {path}?wait=20");
    master
        .send(&request, &[("if-none-match", known)], Body::empty())
        .await
}

#[tokio::test]
async fn an_answer_that_is_new_comes_at_once() {
    let master = Master::new().await;
    let reply = wait(&master, "/hosts", "W/\"of long ago\"").await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!([])));
    assert!(reply.header("etag").starts_with("W/\""));
    let plain = master.ask("GET /hosts", "").await;
    assert_eq!(plain.header("etag"), "");
}

#[tokio::test]
async fn an_answer_that_is_known_comes_when_it_changes() {
    let master = Master::new().await;
    let host = master.host("n1").await;
    let id = master.job(web()).await;
    let path = format!("/jobs/{id}/status");
    let known = wait(&master, &path, "").await.header("etag").to_owned();
    let change = async {
        // Something else changes first, and must not end the wait.
        master.job(Job::new("other:1", "i").unwrap()).await;
        master.deploy(&host, &id).await;
    };
    let (reply, ()) = tokio::join!(wait(&master, &path, &known), change);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["deployments"]["n1"]["goal"], "START");
    assert_ne!(reply.header("etag"), known);
}

#[tokio::test]
async fn an_answer_that_does_not_change_is_304_in_the_end() {
    let master = Master::new().await;
    let known = wait(&master, "/masters", "")
        .await
        .header("etag")
        .to_owned();
    let headers = [("if-none-match", known.as_str())];
    let reply = master
        .send("GET /masters?wait=0", &headers, Body::empty())
        .await;
    assert_eq!((reply.status.as_u16(), reply.text()), (304, ""));
    assert_eq!(reply.header("etag"), known);
}

#[tokio::test]
async fn too_many_that_wait_are_put_off_and_others_are_served() {
    let master = Master::new().await;
    let known = wait(&master, "/hosts", "").await.header("etag").to_owned();
    let places = u32::try_from(master.state.fleet.waits.available_permits()).unwrap();
    let _waiting = master.state.fleet.waits.acquire_many(places).await.unwrap();
    let reply = wait(&master, "/hosts", &known).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, "1")
    );
    assert_eq!(master.ask("GET /hosts", "").await.status, 200);
}

#[tokio::test]
async fn a_client_follows_a_job_and_its_host() {
    use futures_util::StreamExt;

    let master = Master::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = crate::Client::builder()
        .endpoint(&listener.local_addr().unwrap().to_string())
        .unwrap()
        .request_timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    tokio::spawn(crate::server::serve(
        listener,
        master.app.clone(),
        std::future::pending(),
    ));
    let host = master.host("n1").await;
    let id = master.job(web()).await;
    let mut jobs = client.watch_job_status(&id);
    let mut hosts = client.watch_host_status("n1");
    let first = jobs.next().await.unwrap().unwrap().unwrap();
    assert!(first.deployments.is_empty());
    assert!(
        hosts
            .next()
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .jobs
            .is_empty()
    );

    master.deploy(&host, &id).await;
    let then = jobs.next().await.unwrap().unwrap().unwrap();
    assert!(then.deployments.contains_key("n1"));
    assert!(
        hosts
            .next()
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .jobs
            .contains_key(&id)
    );

    client.deregister_host("n1").await.unwrap();
    assert_eq!(hosts.next().await.unwrap().unwrap(), None);
    let end = jobs.next().await.unwrap().unwrap().unwrap();
    assert!(end.deployments.is_empty());
}
