//! What operators ask.

use std::sync::Arc;

use helios_store::MemoryStore;
use serde_json::json;

use super::harness::{Master, web};
use crate::server::admin_router;

#[tokio::test]
async fn says_that_it_lives_and_that_its_store_answers() {
    let store = MemoryStore::new();
    let mut master = Master::on(Arc::new(store.clone()));
    master.app = admin_router(master.state.clone());
    for (path, text) in [
        ("healthz", "ok\n"),
        ("readyz", "ready\n"),
        ("ping/", "pong\n"),
    ] {
        let reply = master.ask(&format!("GET /{path}"), "").await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, text));
        assert_eq!(
            reply.header("cache-control"),
            "must-revalidate,no-cache,no-store"
        );
    }
    master
        .expect("GET /healthcheck", 200, json!({"store": {"healthy": true}}))
        .await;

    store.close();
    assert_eq!(master.ask("GET /healthz", "").await.status, 200);
    assert_eq!(master.ask("GET /readyz", "").await.status, 503);
    let sick = master.ask("GET /healthcheck", "").await;
    assert_eq!(
        (sick.status.as_u16(), &sick.json()["store"]["healthy"]),
        (500, &json!(false))
    );
}

#[tokio::test]
async fn counts_requests_and_measures_the_cluster() {
    let mut master = Master::new().await;
    let host = master.host("n1").await;
    let id = master.job(web()).await;
    master.deploy(&host, &id).await;
    master.agent(&host, &[], &[&id]).await;
    master.ask("GET /jobs/?q=x", "").await;
    master.ask("BREW /nothing", "").await;
    master.app = admin_router(master.state.clone());
    let reply = master.ask("GET /metrics", "").await;
    assert!(
        reply
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    for line in [
        r#"helios_http_request_seconds_count{method="GET",route="/jobs",status="200"} 1"#,
        r#"helios_http_request_seconds_count{method="OTHER",route="none",status="404"} 1"#,
        "helios_jobs 1",
        "helios_deployments 1",
        r#"helios_hosts{state="UP"} 1"#,
        r#"helios_tasks{state="RUNNING"} 1"#,
        "helios_unreadable_entries 0",
    ] {
        assert!(
            reply.text().lines().any(|found| found == line),
            "{line}: {}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn without_its_store_a_master_says_so_and_answers_nothing_else() {
    let store = MemoryStore::new();
    let master = Master::on(Arc::new(store.clone()));
    let id = master.job(web()).await;
    store.close();
    for request in [format!("GET /jobs/{id}"), "PUT /hosts/n1?id=i".to_owned()] {
        let reply = master.ask(&request, "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (503, "1"),
            "{request}"
        );
    }
}
