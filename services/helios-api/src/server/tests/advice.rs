//! Every refusal says what to do next.

use super::harness::{Master, web};
use crate::server::fault::Fault;
use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use helios_core::cluster::ClusterError;
use helios_core::store::{StoreError, StoreErrorKind};

/// What says what is wrong, and after that what to do.
fn has_advice(message: &str) -> bool {
    let next = message.rsplit_once(": ").map_or("", |(_, next)| next);
    next.split_whitespace().count() >= 2
}

/// Requests that are refused in words, and with which code.
const REFUSED: &[(&str, &str, u16)] = &[
    ("GET /nothing", "", 404),
    ("DELETE /version", "", 405),
    ("GET /jobs?limit=0", "", 400),
    ("GET /jobs?hostPattern=(", "", 400),
    (
        "GET /jobs/none:1:2222222222222222222222222222222222222222",
        "",
        404,
    ),
    ("GET /jobs/a:b:c:d", "", 404),
    ("POST /jobs", "[]", 400),
    ("POST /jobs", "{", 400),
    ("POST /jobs/statuses", "{}", 400),
    ("GET /hosts/none/status", "", 404),
    (
        "GET /hosts/n1/jobs/none:1:2222222222222222222222222222222222222222",
        "",
        404,
    ),
    ("PUT /hosts/n1?id=another", "", 409),
    (
        "GET /hosts/none/jobs/none:1:2222222222222222222222222222222222222222/logs",
        "",
        404,
    ),
    (
        "GET /hosts/n1/jobs/none:1:2222222222222222222222222222222222222222/logs",
        "",
        409,
    ),
    ("GET /deployment-group/none", "", 404),
    (
        "PUT /deployment-group/none",
        r#"{"name":"other","hostSelectors":[]}"#,
        400,
    ),
    ("POST /deployment-group/none/pause", "", 404),
    ("POST /deployment-group/none/resume?stopAfter=0", "", 400),
    ("GET /variables/none", "", 404),
    ("GET /variables/size/preview?at=soon", "", 400),
    ("GET /variables/size/why/none", "", 404),
    ("PUT /variables/size", r#"{"value":"text"}"#, 400),
    ("PUT /variables/si%20ze", r#"{"value":1}"#, 400),
    ("POST /variables/size/pause", "", 400),
    ("GET /desired/none", "", 404),
    ("GET /desired/none?label=role", "", 400),
    ("GET /desired/-", "", 400),
    ("GET /resets/none", "", 404),
    ("POST /resets/none/pause", "", 404),
    ("DELETE /tokens/none", "", 404),
    ("POST /tokens", r#"{"name":"a b","role":"read"}"#, 400),
    ("GET /version/check?client=new", "", 400),
];

#[tokio::test]
async fn every_refusal_of_a_request_does() {
    let master = Master::new().await;
    master.job(web()).await;
    master.host("n1").await;
    master.ask("PUT /variables/size", r#"{"value":1}"#).await;
    for (request, body, status) in REFUSED {
        let reply = master.ask(request, *body).await;
        let said = reply.text();
        assert_eq!(reply.status.as_u16(), *status, "{request}: {said}");
        let message = reply.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(has_advice(&message), "{request}: {said}");
    }
}

#[tokio::test]
async fn every_failure_of_the_store_does() {
    for (kind, status) in [
        (StoreErrorKind::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        (StoreErrorKind::Conflict, StatusCode::SERVICE_UNAVAILABLE),
        (StoreErrorKind::Indeterminate, StatusCode::GATEWAY_TIMEOUT),
        (StoreErrorKind::LimitExceeded, StatusCode::BAD_REQUEST),
    ] {
        let error = StoreError::new(kind, "it is out of order");
        let fault: Fault = ClusterError::<helios_core::ops::Refused>::Store(error).into();
        let response = fault.into_response();
        assert_eq!(response.status(), status);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let said = String::from_utf8_lossy(&body).into_owned();
        assert!(has_advice(&said), "{said}");
    }
}
