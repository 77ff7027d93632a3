//! Every route is declared, described and served.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use super::harness::{Master, web};
use super::schema::{faults, names_in};
use crate::server::router::routes;

#[tokio::test]
async fn the_description_has_every_route_and_no_other() {
    let document = Master::new().await.ask("GET /openapi.json", "").await;
    let document = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let declared: BTreeSet<(String, String)> = routes()
        .iter()
        .map(|route| (route.path.to_owned(), route.method.to_string()))
        .collect();
    assert_eq!(described, declared);
    assert_eq!(declared.len(), routes().len(), "a route is declared twice");
}

#[tokio::test]
async fn the_router_serves_what_is_described_and_nothing_else() {
    let master = Master::new().await;
    let routes = routes();
    let paths: BTreeSet<&str> = routes.iter().map(|route| route.path).collect();
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for path in paths {
        let at = path.replace(['{', '}'], "");
        for method in &methods {
            let declared = routes
                .iter()
                .any(|route| route.path == path && route.method == *method);
            for slash in ["", "/"] {
                let request = format!("{method} {at}{slash}");
                let served = master.ask(&request, "").await.status != 405;
                assert_eq!(served, declared, "{request}");
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = super::super::openapi::describe(&routes());
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
}

/// What is asked, in order, and the routes that answer. `ID` is a job, and `OTHER` one that there is not.
const ASKED: &[(&str, &str, &str)] = &[
    (
        "POST /jobs",
        "/jobs",
        r#"{"id":"web:7","image":"nginx","ports":{"http":{"internalPort":80}}}"#,
    ),
    ("POST /jobs", "/jobs", r#"{"id":"we b:7","image":"nginx"}"#),
    ("POST /jobs", "/jobs", "{"),
    (
        "POST /jobs",
        "/jobs",
        r#"{"id":"full:1","image":"i","healthCheck":{"type":"http","path":"/","port":"p"},"resources":{"memory":1},
        "ports":{"p":{"internalPort":80,"externalPort":81}},"registration":{"a/http":{"ports":{"p":{}}}},"expires":100000000000000,
        "rolloutOptions":{"timeout":60},"gracePeriod":5,"addCapabilities":[],"ramdisks":{"/a":"size=1"},"volumes":{"/b":""}}"#,
    ),
    ("GET /jobs", "/jobs", ""),
    ("GET /jobs/ID", "/jobs/{job}", ""),
    ("GET /jobs/OTHER", "/jobs/{job}", ""),
    ("PUT /hosts/n2?id=a", "/hosts/{host}", ""),
    ("PUT /hosts/n2", "/hosts/{host}", ""),
    ("PUT /hosts/n2?id=b", "/hosts/{host}", ""),
    ("GET /hosts", "/hosts", ""),
    (
        "PUT /hosts/n1/jobs/ID",
        "/hosts/{host}/jobs/{job}",
        r#"{"jobId":"ID","goal":"START"}"#,
    ),
    (
        "PUT /hosts/n3/jobs/ID",
        "/hosts/{host}/jobs/{job}",
        r#"{"jobId":"ID","goal":"START"}"#,
    ),
    (
        "PATCH /hosts/n1/jobs/ID",
        "/hosts/{host}/jobs/{job}",
        r#"{"jobId":"ID","goal":"STOP"}"#,
    ),
    ("GET /hosts/n1/jobs/ID", "/hosts/{host}/jobs/{job}", ""),
    ("GET /jobs/ID/status", "/jobs/{job}/status", ""),
    ("POST /jobs/statuses", "/jobs/statuses", r#"["ID"]"#),
    ("GET /hosts/n1/status", "/hosts/{host}/status", ""),
    ("GET /hosts/none/status", "/hosts/{host}/status", ""),
    ("GET /hosts/statuses", "/hosts/statuses", ""),
    ("POST /hosts/statuses", "/hosts/statuses", r#"["n1","n2"]"#),
    ("GET /history/jobs/ID", "/history/jobs/{job}", ""),
    ("DELETE /jobs/ID", "/jobs/{job}", ""),
    ("DELETE /hosts/n1/jobs/ID", "/hosts/{host}/jobs/{job}", ""),
    ("DELETE /hosts/n1/jobs/ID", "/hosts/{host}/jobs/{job}", ""),
    ("DELETE /hosts/n2", "/hosts/{host}", ""),
    ("DELETE /hosts/n2", "/hosts/{host}", ""),
    (
        "POST /deployment-group",
        "/deployment-group",
        r#"{"name":"g","hostSelectors":[{"label":"a","operator":"EQUALS","operand":"b"}]}"#,
    ),
    ("GET /deployment-group", "/deployment-group", ""),
    ("GET /deployment-group/g", "/deployment-group/{group}", ""),
    (
        "PUT /deployment-group/g",
        "/deployment-group/{group}",
        r#"{"name":"g","hostSelectors":[{"label":"a","operator":"IN","operand":["b","c"]}]}"#,
    ),
    (
        "POST /deployment-group/g/plan",
        "/deployment-group/{group}/plan",
        r#"{"job":"ID"}"#,
    ),
    (
        "POST /deployment-group/g/rolling-update",
        "/deployment-group/{group}/rolling-update",
        r#"{"job":"ID","rolloutOptions":{"timeout":1}}"#,
    ),
    (
        "POST /deployment-group/h/rolling-update",
        "/deployment-group/{group}/rolling-update",
        r#"{"job":"ID"}"#,
    ),
    (
        "GET /deployment-group/g/status",
        "/deployment-group/{group}/status",
        "",
    ),
    (
        "DELETE /deployment-group/g",
        "/deployment-group/{group}",
        "",
    ),
    ("GET /masters", "/masters", ""),
    ("GET /version", "/version", ""),
    ("GET /version/check?client=0.9.0", "/version/check", ""),
    (
        "POST /tokens",
        "/tokens",
        r#"{"name":"ci","role":"deploy","hosts":"n"}"#,
    ),
    ("GET /tokens", "/tokens", ""),
    ("DELETE /jobs/ID", "/jobs/{job}", ""),
];

#[tokio::test]
async fn every_answer_is_as_it_is_described() {
    let master = Master::new().await;
    let document = master.ask("GET /openapi.json", "").await.json();
    let id = web().with_computed_id().id;
    let host = master.host("n1").await;
    let other = "none:1:2222222222222222222222222222222222222222";
    let mut answered = BTreeSet::new();
    for (request, path, body) in ASKED {
        let [request, body] = [request, body].map(|text| {
            let text = text.replace("OTHER", other);
            text.replace("ID", id.as_str())
        });
        let reply = master.ask(&request, body.as_str()).await;
        assert!(reply.status.as_u16() < 500, "{request}: {}", reply.text());
        let method = request.split(' ').next().unwrap().to_lowercase();
        let operation = &document["paths"][*path][&method];
        let kind = if reply.status == 200 {
            "200"
        } else {
            "default"
        };
        let schema = &operation["responses"][kind]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{request} is not described");
        assert_eq!(
            faults(&document, schema, &reply.json()),
            [""; 0],
            "{request} {kind}"
        );
        if reply.status == 200 {
            answered.insert(format!("{method} {path}"));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_object() {
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(
                    faults(&document, schema, &body),
                    [""; 0],
                    "the body of {request}"
                );
            }
        }
        if request.starts_with("PATCH") {
            master.agent(&host, &[("a", "b")], &[&id]).await;
        }
    }
    let described = routes().into_iter().filter(|route| route.answer.is_some());
    let described =
        described.map(|route| format!("{} {}", route.method.as_str().to_lowercase(), route.path));
    assert_eq!(
        answered,
        described.collect(),
        "not all that is described is answered"
    );
}

#[tokio::test]
async fn every_document_that_is_named_is_described_and_every_other_is_wrong() {
    let master = Master::new().await;
    let document = master.ask("GET /openapi.json", "").await.json();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let described: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
    assert_eq!(names_in(&document), described);
    let refusal = json!({ "$ref": "#/components/schemas/Refusal" });
    for wrong in [
        json!({}),
        json!({"message": 1}),
        json!({"message": "", "x": 1}),
        json!([]),
    ] {
        assert_ne!(faults(&document, &refusal, &wrong), [""; 0], "{wrong}");
    }
}
