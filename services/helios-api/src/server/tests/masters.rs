//! Masters, versions, and what no endpoint is there for.

use helios_core::schema::{Keys, Presence, encode};
use helios_core::store::Txn;
use serde_json::json;

use super::harness::Master;
use axum::body::Body;

#[tokio::test]
async fn lists_the_masters_that_run() {
    let master = Master::new().await;
    master
        .expect("GET /masters/?user=ann", 200, json!([]))
        .await;
    let up = Presence {
        id: "m1".to_owned(),
        incarnation: "1".to_owned(),
    };
    let key = Keys::master("m1.example.net").unwrap();
    let txn = Txn::new().create_ephemeral(key, encode(&up));
    master.cluster.store().commit(txn).await.unwrap();
    master.until(|view| view.masters.len() == 1).await;
    master
        .expect("GET /masters", 200, json!(["m1.example.net"]))
        .await;
}

#[tokio::test]
async fn tells_its_version() {
    let master = Master::new().await;
    let reply = master.ask("GET /version/?user=ann", "").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "\"0.9.0\""));
    assert_eq!(reply.header("content-type"), "text/plain");
    assert!(reply.header("server").starts_with("helios/"));
    let check = |status: &str| {
        json!({"status": status, "recommendedVersion": "0.9.0",
            "serverVersion": {"snapshot": false, "major": 0, "minor": 9, "patch": 0}})
    };
    master
        .expect("GET /version/check", 200, check("MISSING"))
        .await;
    master
        .expect("GET /version/check?client=0.8.3", 200, check("COMPATIBLE"))
        .await;
    master
        .expect(
            "GET /version/check?client=1.0.0",
            200,
            check("INCOMPATIBLE"),
        )
        .await;
    assert_eq!(
        master.ask("GET /version/check?client=x", "").await.status,
        400
    );
}

#[tokio::test]
async fn every_answer_says_what_the_master_thinks_of_the_clients_version() {
    let master = Master::new().await;
    for (path, version, code, status) in [
        ("/jobs", None, 200, "MISSING"),
        ("/jobs", Some("0.9.0"), 200, "EQUAL"),
        ("/jobs", Some("0.9.0-SNAPSHOT"), 200, "COMPATIBLE"),
        ("/jobs", Some("0.8.4"), 200, "COMPATIBLE"),
        ("/jobs", Some("0.10.0"), 200, "MAYBE"),
        ("/jobs", Some("1.0.0"), 426, "INCOMPATIBLE"),
        ("/jobs", Some("nine"), 400, "INVALID"),
        ("/nothing", Some("0.9.0"), 404, "EQUAL"),
        ("/nothing", Some("2.0.0"), 426, "INCOMPATIBLE"),
    ] {
        let headers: Vec<_> = version
            .map(|version| ("Helios-Version", version))
            .into_iter()
            .collect();
        let reply = master
            .send(&format!("GET {path}"), &headers, Body::empty())
            .await;
        assert_eq!(reply.status.as_u16(), code, "{path} {version:?}");
        assert_eq!(reply.header("helios-version-status"), status);
        assert_eq!(reply.header("helios-server-version"), "0.9.0");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_with_a_reason() {
    let master = Master::new().await;
    for path in [
        "/",
        "/nothing",
        "/jobs/a/b/c",
        "/deployment-groups",
        "/history/jobs",
    ] {
        let reply = master.ask(&format!("GET {path}"), "").await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(
            reply.json()["message"],
            json!(format!(
                "there is nothing at GET {path}: GET /openapi.json lists what there is"
            ))
        );
    }
    for (request, allowed) in [
        ("DELETE /jobs", "GET"),
        ("PATCH /hosts/n1", "PUT"),
        ("PUT /jobs/statuses", "POST"),
        ("TRACE /version", "GET"),
    ] {
        let reply = master.ask(request, "").await;
        assert_eq!(reply.status, 405, "{request}");
        assert!(reply.header("allow").contains(allowed), "{request}");
        assert!(reply.json()["message"].as_str().unwrap().contains(request));
    }
    let reply = master.ask("OPTIONS /jobs", "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (204, "GET,HEAD,POST")
    );
}
