//! Every route is declared, described and served.

use std::collections::BTreeSet;

use axum::http::Method;
use helios_core::schema::{HostReport, Keys, encode};
use helios_core::store::Txn;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::harness::{Master, running, web};
use super::schema::{DESCRIBED, faults, names_in, operation};
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

/// What is asked, in order. `ID` is a job, `OTHER` one that there is not, `NOW` and `SOON` are times.
const ASKED: &[(&str, &str)] = &[
    (
        "POST /jobs",
        r#"{"id":"web:7","image":"nginx","ports":{"http":{"internalPort":80}}}"#,
    ),
    ("POST /jobs", r#"{"id":"we b:7","image":"nginx"}"#),
    ("POST /jobs", "{"),
    (
        "POST /jobs",
        r#"{"id":"full:1","image":"i","healthCheck":{"type":"http","path":"/","port":"p"},"resources":{"memory":1},
        "ports":{"p":{"internalPort":80,"protocol":"udp"}},"registration":{"a/http":{"ports":{"p":{}}}},"expires":100000000000000,
        "rolloutOptions":{"timeout":60},"gracePeriod":5,"addCapabilities":[],"ramdisks":{"/a":"size=1"},"volumes":{"/b":""}}"#,
    ),
    ("GET /jobs", ""),
    ("GET /jobs/ID", ""),
    ("GET /jobs/OTHER", ""),
    ("PUT /hosts/n2?id=a", ""),
    ("PUT /hosts/n2", ""),
    ("PUT /hosts/n2?id=b", ""),
    ("GET /hosts", ""),
    ("PUT /hosts/n1/jobs/ID", r#"{"jobId":"ID","goal":"START"}"#),
    ("PUT /hosts/n3/jobs/ID", r#"{"jobId":"ID","goal":"START"}"#),
    ("PATCH /hosts/n1/jobs/ID", r#"{"jobId":"ID","goal":"STOP"}"#),
    ("GET /hosts/n1/jobs/ID", ""),
    ("GET /jobs/ID/status", ""),
    ("POST /jobs/statuses", r#"["ID"]"#),
    ("GET /hosts/n1/status", ""),
    ("GET /hosts/none/status", ""),
    ("GET /hosts/statuses", ""),
    ("POST /hosts/statuses", r#"["n1","n2"]"#),
    ("GET /history/jobs/ID", ""),
    ("DELETE /jobs/ID", ""),
    ("DELETE /hosts/n1/jobs/ID", ""),
    ("DELETE /hosts/n1/jobs/ID", ""),
    ("DELETE /hosts/n2", ""),
    ("DELETE /hosts/n2", ""),
    (
        "POST /deployment-group",
        r#"{"name":"g","hostSelectors":[{"label":"a","operator":"EQUALS","operand":"b"}]}"#,
    ),
    ("GET /deployment-group", ""),
    ("GET /deployment-group/g", ""),
    (
        "PUT /deployment-group/g",
        r#"{"name":"g","hostSelectors":[{"label":"a","operator":"IN","operand":["b","c"]}]}"#,
    ),
    ("POST /deployment-group/g/plan", r#"{"job":"ID"}"#),
    (
        "POST /deployment-group/g/rolling-update",
        r#"{"job":"ID","rolloutOptions":{"timeout":1}}"#,
    ),
    ("POST /deployment-group/h/rolling-update", r#"{"job":"ID"}"#),
    ("GET /deployment-group/g/status", ""),
    ("DELETE /deployment-group/g", ""),
    ("GET /masters", ""),
    ("GET /version", ""),
    ("GET /version/check?client=0.9.0", ""),
    (
        "POST /tokens",
        r#"{"name":"ci","role":"deploy","hosts":"n"}"#,
    ),
    ("GET /tokens", ""),
    ("DELETE /tokens/ci", ""),
    ("GET /openapi.json", ""),
    ("GET /events?kind=host", ""),
    ("GET /hosts/n1/jobs/ID/logs?tail=1", ""),
    // A group whose rollout is told what to do.
    (
        "POST /deployment-group",
        r#"{"name":"g","hostSelectors":[{"label":"a","operator":"EQUALS","operand":"b"}]}"#,
    ),
    (
        "POST /deployment-group/g/rolling-update",
        r#"{"job":"ID","policy":{"parallelism":"50%","atLeast":1,"whenDown":"WAIT"}}"#,
    ),
    ("POST /deployment-group/g/pause", ""),
    ("GET /deployment-group/g/status", ""),
    ("POST /deployment-group/g/resume?stopAfter=1", ""),
    ("POST /deployment-group/g/stop", ""),
    ("POST /deployment-group/g/rollback", ""),
    // A variable from its first value to its removal.
    (
        "PUT /variables/v",
        r#"{"value":1,"allowed":[1,2,3],"forbidden":[[1,3]]}"#,
    ),
    ("GET /desired/x1?label=a=b", ""),
    ("POST /variables/v/plan", ROLLOUT),
    ("POST /variables/v/rollout", ROLLOUT),
    ("GET /variables", ""),
    ("GET /variables/v", ""),
    ("GET /variables/v/why/n1", ""),
    ("GET /variables/v/when/n1", ""),
    ("GET /variables/v/preview?at=4000000500000", ""),
    ("GET /variables/v/course", ""),
    ("POST /variables/v/pause", ""),
    ("POST /variables/v/resume", ""),
    ("GET /variables/v/audit?replay", ""),
    ("POST /variables/v/abort", ""),
    ("POST /variables/v/rollout", ROLLOUT),
    ("POST /variables/v/rollback", r#"{"overMillis":1000}"#),
    ("GET /variables/v", ""),
    ("POST /variables/v/abort", ""),
    ("DELETE /variables/v", ""),
    ("DELETE /desired/x1", ""),
    // A reset from its plan to its end.
    ("POST /resets/plan", RESET),
    ("POST /resets", RESET),
    ("GET /resets", ""),
    ("GET /resets/r", ""),
    (
        "POST /resets/r/evidence",
        r#"{"objective":"o","evidence":{"at":NOW,"stratum":"s","new":{"events":0,"exposure":1},"old":{"events":0,"exposure":1}}}"#,
    ),
    ("POST /resets/r/pause", ""),
    ("POST /resets/r/resume", r#"{"again":true,"deadline":SOON}"#),
    ("POST /resets/r/abort", ""),
    ("GET /resets/r/report", ""),
    ("GET /resets/r/audit", ""),
    ("DELETE /jobs/ID", ""),
];

const ROLLOUT: &str = r#"{"transition":{"change":{"replace":{"from":1,"to":2}},"upto":"50%","scope":[],"on_resume":"stretch",
    "curve":{"shape":{"kind":"steps","points":[{"after":"0%","share":"10%"},{"after":"50%","share":"100%"}]},"start":4000000000000,
        "length":{"open":1000000},"calendar":{"windows":["Mon-Sun 00:00-24:00 Europe/Stockholm"]}},
    "order":{"salt":"s","strata":["a"],"mode":"ratchet","rotation":"0%","rules":[{"name":"one","floor":{"at_least":{"hosts":1},"ramp":"5%"}}]}},
    "guard":{"alpha_ppm":50000,"objectives":[{"name":"o","query":"{\"health\":{}}","margin_permille":500,"gates":["10%"],"on_harm":"hold","dead_man":1000}],
        "bake":{"length":1000,"run_length":100}}}"#;

const RESET: &str = r#"{"name":"r","wanted":{"reset_since":NOW},"deadline":SOON,"action":"none","hosts":[],
    "limits":{"at_once":1,"groups":[{"label":"a","share":"100%","floor":1}],"minimum_healthy":{"hosts":0},"services":{"web":{"share":"0%"}},
        "waived":["web"],"first_alone":true,"failures":1,"calendar":{}},
    "patience":{"drain":1000,"settle":0},
    "guard":{"alpha_ppm":50000,"objectives":[{"name":"o","query":"","margin_permille":500,"on_harm":"hold","dead_man":1000}]}}"#;

#[tokio::test]
async fn every_route_is_answered_as_it_is_described() {
    let master = Master::new().await;
    let id = web().with_computed_id().id;
    let host = master.host("n1").await;
    let agent = an_agent_with_logs().await;
    let other = "none:1:2222222222222222222222222222222222222222";
    let (mut answered, mut refused) = (BTreeSet::new(), Vec::new());
    for (request, body) in ASKED {
        let now = master.cluster.now().as_millis();
        let (now, soon) = (now.to_string(), (now + 3_600_000).to_string());
        let words = [
            ("OTHER", other),
            ("ID", id.as_str()),
            ("NOW", &now),
            ("SOON", &soon),
        ];
        let [request, body] = [request, body].map(|text| {
            let text = (*text).to_owned();
            words
                .iter()
                .fold(text, |text, (word, is)| text.replace(word, is))
        });
        if request.ends_with("g/rollback") {
            settle(&master, "g", "full:1").await;
        }
        // It is held against the description on the way.
        let reply = master.ask(&request, body.as_str()).await;
        assert!(reply.status.as_u16() < 500, "{request}: {}", reply.text());
        let (path, operation) = operation(&request).unwrap();
        if reply.status.is_success() {
            let method = request.split(' ').next().unwrap();
            answered.insert(format!("{method} {path}"));
            is_described(&request, &body, operation);
        } else {
            refused.push(format!("{request}: {}", reply.text()));
        }
        if request.starts_with("PATCH") {
            let labels = [("a".to_owned(), "b".to_owned())].into();
            let tasks = [(id.clone(), running())].into();
            let http = Some(agent.clone());
            let report = HostReport {
                labels,
                tasks,
                http,
                ..HostReport::default()
            };
            master.agent_reports(&host, report).await;
        }
    }
    let routes = routes().into_iter();
    let declared = routes.map(|route| format!("{} {}", route.method, route.path));
    assert_eq!(
        answered,
        declared.collect(),
        "not all that is declared is answered: {refused:#?}"
    );
}

/// Makes that job the one that a group had settled on before.
async fn settle(master: &Master, group: &str, job: &str) {
    let store = master.cluster.store();
    let jobs = store.list(&Keys::jobs()).await.unwrap();
    let job = jobs.iter().find(|(id, _)| id.starts_with(job)).unwrap().0;
    let key = Keys::group(group).unwrap();
    let entry = store.get(&key).await.unwrap().unwrap();
    let mut record: Value = serde_json::from_slice(&entry.value).unwrap();
    record["settled"] = job.into();
    let txn = Txn::new().update(key, entry.version, encode(&record));
    store.commit(txn).await.unwrap();
}

/// The parameters and the body of a request that was answered are those that are described.
fn is_described(request: &str, body: &str, operation: &Value) {
    let parameters = operation["parameters"].as_array().unwrap();
    let query = request.split_once('?').map_or("", |(_, query)| query);
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        let known = parameters.iter().any(|known| known["name"] == *name);
        assert!(known, "{name} of {request} is not described");
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        schema.is_object(),
        !body.is_empty(),
        "the body of {request}"
    );
    if !body.is_empty() {
        let body: Value = serde_json::from_str(body).unwrap();
        let faults = faults(&DESCRIBED, schema, &body);
        assert_eq!(faults, [""; 0], "the body of {request}");
    }
}

/// The address of an agent that answers one question for logs.
async fn an_agent_with_logs() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // All of the short question comes at once.
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nhi\n";
        stream.write_all(answer).await.unwrap();
    });
    format!("http://{address}")
}

#[test]
fn every_document_that_is_named_is_described_and_every_other_is_wrong() {
    let document = &*DESCRIBED;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let described: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
    assert_eq!(names_in(document), described);
    // The generator numbers a name that it knows already.
    let numbered = described
        .iter()
        .find(|name| name.ends_with(|c: char| c.is_ascii_digit()));
    assert_eq!(numbered, None, "rename one of the types of that name");
    let refusal = json!({ "$ref": "#/components/schemas/Refusal" });
    for wrong in [
        json!({}),
        json!({"message": 1}),
        json!({"message": "", "x": 1}),
        json!([]),
    ] {
        assert_ne!(faults(document, &refusal, &wrong), [""; 0], "{wrong}");
    }
}
