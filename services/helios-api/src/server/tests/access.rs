//! Who may ask what.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use helios_core::cluster::Cluster;
use helios_core::schema::{AuditRecord, Keys};
use helios_core::{SystemClock, Timestamp};
use helios_store::MemoryStore;
use serde_json::json;

use super::harness::{Master, Reply, web};
use crate::server::router::routes;
use crate::server::{MasterState, Tokens, router};
use crate::wire::{Grant, NewToken, Role};

/// What each kind of token may ask, one line for each route.
const GOLDEN: &str = include_str!("golden/access.txt");

/// A master that wants tokens.
async fn guarded() -> Master {
    let cluster = Cluster::on(Arc::new(MemoryStore::new())).unwrap();
    let state = MasterState::new(cluster.clone()).require_tokens();
    let app = router(state.clone());
    Master {
        cluster,
        state,
        app,
    }
}

async fn token(master: &Master, name: &str, grant: Grant) -> String {
    let new = NewToken {
        name: name.to_owned(),
        grant,
        expires: None,
    };
    let tokens = Tokens::of(master.cluster.on_behalf_of("ann"));
    tokens.create(&new).await.unwrap().token
}

async fn ask(master: &Master, request: &str, token: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let headers = if token.is_empty() {
        &headers[1..]
    } else {
        &headers
    };
    master
        .send(request, headers, Body::from(body.to_owned()))
        .await
}

#[tokio::test]
async fn every_route_is_open_to_those_it_is_meant_for_and_nobody_else() {
    let master = guarded().await;
    let everywhere = Grant::everywhere;
    let on = |prefix: &str| Grant {
        hosts: Some(prefix.to_owned()),
        ..everywhere(Role::Deploy)
    };
    let of = |prefix: &str| Grant {
        groups: Some(prefix.to_owned()),
        ..everywhere(Role::Deploy)
    };
    let mut kinds = vec![("anyone".to_owned(), String::new())];
    for (kind, grant) in [
        ("read", everywhere(Role::Read)),
        ("deploy", everywhere(Role::Deploy)),
        ("on-this-host", on("this")),
        ("on-other-hosts", on("other")),
        ("of-this-group", of("this")),
        ("of-other-groups", of("other")),
        ("admin", everywhere(Role::Admin)),
    ] {
        kinds.push((kind.to_owned(), token(&master, kind, grant).await));
    }
    let mut table = BTreeSet::new();
    for route in routes() {
        let path = route
            .path
            .replace("{host}", "this")
            .replace("{group}", "this");
        let path = path.replace(['{', '}'], "");
        let request = format!("{} {path}", route.method);
        let mut line = format!("{} {}:", route.method, route.path);
        for (kind, token) in &kinds {
            let status = ask(&master, &request, token, "").await.status.as_u16();
            if !matches!(status, 401 | 403) {
                write!(line, " {kind}").unwrap();
            }
        }
        table.insert(line);
    }
    let golden: BTreeSet<String> = GOLDEN.lines().map(str::to_owned).collect();
    let missing: Vec<_> = table.difference(&golden).collect();
    let gone: Vec<_> = golden.difference(&table).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "golden/access.txt lacks {missing:#?}\nand has too much {gone:#?}"
    );
}

#[tokio::test]
async fn whoever_cannot_show_a_good_token_is_refused_with_401() {
    let master = guarded().await;
    let good = token(&master, "good", Grant::everywhere(Role::Admin)).await;
    let old = NewToken {
        name: "old".to_owned(),
        grant: Grant::everywhere(Role::Admin),
        expires: Some(Timestamp::from_millis(1)),
    };
    let tokens = Tokens::of(master.cluster.clone());
    let old = tokens.create(&old).await.unwrap().token;
    let forged = format!("helios_good_{}", "0".repeat(64));
    let unknown = format!("helios_unknown_{}", "0".repeat(64));
    for bad in [
        "",
        "x",
        "helios_good_",
        &forged,
        &unknown,
        &old,
        &good[..good.len() - 1],
    ] {
        for request in [
            "GET /jobs",
            "PUT /hosts/n1?id=i",
            "DELETE /jobs",
            "GET /jobs/%FF",
        ] {
            let reply = ask(&master, request, bad, "").await;
            assert_eq!(reply.status, 401, "{bad} {request}: {}", reply.text());
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            let message = reply.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains("HELIOS_TOKEN"), "{message}");
        }
    }
    assert_eq!(
        ask(&master, "GET /hosts", &good, "").await.json(),
        json!([])
    );
    let basic = [("authorization", "Basic YTpi")];
    let reply = master.send("GET /hosts", &basic, Body::empty()).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_token_that_is_revoked_is_good_no_more() {
    let master = guarded().await;
    let admin = token(&master, "admin", Grant::everywhere(Role::Admin)).await;
    let body = json!({"name": "ci", "role": "read"}).to_string();
    let created = ask(&master, "POST /tokens", &admin, &body).await.json();
    let ci = created["token"].as_str().unwrap();
    assert_eq!(created["createdBy"], "admin");
    assert_eq!(ask(&master, "GET /jobs", ci, "").await.status, 200);
    let again = ask(&master, "POST /tokens", &admin, &body).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let listed = ask(&master, "GET /tokens", &admin, "").await;
    assert_eq!(listed.json()[1]["name"], "ci");
    assert!(!listed.text().contains("hash"), "{}", listed.text());
    assert_eq!(
        ask(&master, "DELETE /tokens/ci", &admin, "").await.status,
        200
    );
    assert_eq!(
        ask(&master, "DELETE /tokens/ci", &admin, "").await.status,
        404
    );
    while ask(&master, "GET /jobs", ci, "").await.status != 401 {
        tokio::task::yield_now().await;
    }
    for (body, status) in [
        (json!({"name": "a/b", "role": "read"}), 400),
        (json!({"name": "a", "role": "root"}), 400),
        (json!({"name": "a"}), 400),
    ] {
        let reply = ask(&master, "POST /tokens", &admin, &body.to_string()).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[tokio::test]
async fn changes_are_recorded_under_the_name_of_the_token_and_no_other() {
    let master = guarded().await;
    let ci = token(&master, "ci", Grant::everywhere(Role::Deploy)).await;
    let body = serde_json::to_string(&web()).unwrap();
    let created = ask(&master, "POST /jobs?user=mallory", &ci, &body).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let jobs = ask(&master, "GET /jobs", &ci, "").await.json();
    let job = jobs.as_object().unwrap().values().next().unwrap();
    assert_eq!(job["creatingUser"], "ci");

    let now = helios_core::Clock::now(&SystemClock::new());
    let minute = Keys::audit_of(now);
    let audit = master.cluster.list::<String, AuditRecord>(&minute).await;
    let audit = audit.unwrap();
    let by = |action: &str| {
        let mut records = audit.iter().filter(|(_, record)| record.action == action);
        records.next().map(|(_, record)| record.principal.clone())
    };
    assert_eq!(by("create token").as_deref(), Some("ann"));
    assert_eq!(by("create job").as_deref(), Some("ci"));
}

#[tokio::test]
async fn secrets_are_shown_only_to_those_who_may_deploy() {
    let master = guarded().await;
    let read = token(&master, "read", Grant::everywhere(Role::Read)).await;
    let deploy = token(&master, "deploy", Grant::everywhere(Role::Deploy)).await;
    let id = master.job(web().env("PASSWORD", "hunter2")).await;
    let host = master.host("n1").await;
    master.deploy(&host, &id).await;
    master.agent(&host, &[], &[&id]).await;
    for path in [
        format!("/jobs/{id}"),
        "/jobs".to_owned(),
        format!("/jobs/{id}/status"),
        "/hosts/n1/status".to_owned(),
        "/hosts/statuses".to_owned(),
    ] {
        let request = format!("GET {path}");
        let shown = ask(&master, &request, &read, "").await;
        assert!(
            !shown.text().contains("hunter2"),
            "{path}: {}",
            shown.text()
        );
        assert!(
            shown.text().contains(r#""PASSWORD":"***""#),
            "{}",
            shown.text()
        );
        let shown = ask(&master, &request, &deploy, "").await;
        assert!(shown.text().contains("hunter2"), "{path}: {}", shown.text());
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_change_is_logged_with_who_made_it_and_no_question_is() {
    let paper = Paper::default();
    let writer = paper.clone();
    let log = tracing_subscriber::fmt().with_ansi(false);
    let log = log.with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(log);
    let master = guarded().await;
    let ci = token(&master, "ci", Grant::everywhere(Role::Deploy)).await;
    let body = serde_json::to_string(&web()).unwrap();
    for (request, body) in [
        ("POST /jobs?user=mal%0Alory", body.as_str()),
        ("GET /jobs", ""),
        ("DELETE /hosts/n1", ""),
    ] {
        ask(&master, request, &ci, body).await;
    }
    ask(&master, "DELETE /hosts/n2", "", "").await;
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("helios::audit"))
        .collect();
    for (line, parts) in lines.iter().zip([
        r#"principal="ci" user="mal\nlory" method=POST path="/jobs" status=200"#,
        r#"principal="ci" method=DELETE path="/hosts/n1" status=403"#,
        r#"principal="anonymous" method=DELETE path="/hosts/n2" status=401"#,
    ]) {
        assert!(line.contains(parts), "{line} without {parts}");
    }
    assert_eq!(lines.len(), 3, "{text}");
}
