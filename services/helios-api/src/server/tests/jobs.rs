//! Chapter "jobs" of the wire contract.

use helios_core::model::Job;
use serde_json::{Value, json};

use super::harness::{Master, web};

const UNKNOWN: &str = "none:1:2222222222222222222222222222222222222222";

#[tokio::test]
async fn creates_a_job_and_shows_it_at_once() {
    let master = Master::new().await;
    let sent =
        r#"{"id":"foo:bar","image":"foo/bar:1","unknown":1,"created":5,"creatingUser":"eve"}"#;
    let id = "foo:bar:3f5c6e4aef30e1ab68931dbd66a83226410b87e9";
    let ok = json!({"status": "OK", "errors": [], "id": id});
    master
        .expect_with("POST /jobs/?user=ann", sent, 200, ok)
        .await;

    let jobs = master.ask("GET /jobs?user=ann", "").await.json();
    let job = &jobs[id];
    assert_eq!(job.as_object().unwrap().len(), 26);
    assert_eq!(
        (&job["id"], &job["creatingUser"]),
        (&json!(id), &json!("ann"))
    );
    assert!(job["created"].as_i64().unwrap() > 1_000_000_000_000);
    master
        .expect(&format!("GET /jobs/{id}"), 200, job.clone())
        .await;
    let head = master.ask(&format!("HEAD /jobs/{id}/"), "").await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""));
}

#[tokio::test]
async fn a_job_of_the_same_name_and_version_exists_whatever_its_hash() {
    let master = Master::new().await;
    master.job(web()).await;
    let same = serde_json::to_string(&web()).unwrap();
    let id = web().with_computed_id().id;
    let exists = |id: &str| json!({"status": "JOB_ALREADY_EXISTS", "errors": [], "id": id});
    master
        .expect_with("POST /jobs", same, 400, exists(id.as_str()))
        .await;
    let other = master
        .ask("POST /jobs", r#"{"id":"web:7","image":"other"}"#)
        .await;
    assert_eq!(other.status, 400);
    assert_eq!(other.json()["status"], "JOB_ALREADY_EXISTS");
    assert_ne!(other.json()["id"], json!(id));
}

#[tokio::test]
async fn a_broken_job_is_refused_with_all_its_faults_and_nothing_is_stored() {
    let master = Master::new().await;
    let sent = r#"{"id":"we b:1","image":"UPPER","hostname":"-","networkMode":"x"}"#;
    let reply = master.ask("POST /jobs", sent).await;
    assert_eq!(reply.status, 400);
    let body = reply.json();
    assert_eq!(body["status"], "INVALID_JOB_DEFINITION");
    assert_eq!(body["errors"].as_array().unwrap().len(), 4, "{body}");
    assert!(body["id"].as_str().unwrap().starts_with("we b:1:"));

    let wrong_hash = format!(r#"{{"id":"web:1:{}","image":"i"}}"#, "1".repeat(40));
    let reply = master.ask("POST /jobs", wrong_hash).await;
    assert_eq!(reply.json()["status"], "INVALID_JOB_DEFINITION");
    let capability = r#"{"id":"web:1","image":"i","addCapabilities":["KILL"]}"#;
    let reply = master.ask("POST /jobs", capability).await;
    assert_eq!(reply.json()["status"], "INVALID_JOB_DEFINITION");
    master.expect("GET /jobs", 200, json!({})).await;
}

#[tokio::test]
async fn capabilities_can_be_allowed() {
    let mut master = Master::new().await;
    let state = master.state.clone().allow_capabilities(["KILL"]);
    master.app = crate::server::router(state);
    let sent = r#"{"id":"web:1","image":"i","addCapabilities":["KILL"]}"#;
    assert_eq!(master.ask("POST /jobs", sent).await.status, 200);
}

#[tokio::test]
async fn what_is_no_job_at_all_is_refused_with_a_reason() {
    let master = Master::new().await;
    for (sent, reason) in [
        ("{", "EOF"),
        ("[]", "invalid type"),
        (r#"{"image":"i"}"#, "the member id is missing"),
        (r#"{"id":"web","image":"i"}"#, "name:version"),
        (r#"{"id":"a:b:c:d","image":"i"}"#, "name:version"),
        (r#"{"id":"a:b","env":{"A":null}}"#, "null"),
        (r#"{"id":"a:b","ports":{"p":{"ip":"no"}}}"#, "IP address"),
        (r#"{"id":"a:b","healthCheck":{"type":"no"}}"#, "type"),
    ] {
        let reply = master.ask("POST /jobs", sent).await;
        assert_eq!(reply.status, 400, "{sent}");
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(reason), "{sent}: {message}");
    }
}

#[tokio::test]
async fn lists_jobs_by_part_of_the_id_and_by_host() {
    let master = Master::new().await;
    let web = master.job(web()).await;
    let batch = master.job(Job::new("batch:1", "busybox").unwrap()).await;
    let host = master.host("n1.example.net").await;
    master.deploy(&host, &web).await;
    let listed = async |query: &str| -> Vec<String> {
        let reply = master.ask(&format!("GET /jobs{query}"), "").await;
        assert_eq!(reply.status, 200, "{query}");
        reply.json().as_object().unwrap().keys().cloned().collect()
    };
    let both = [batch.as_str(), web.as_str()];
    assert_eq!(listed("").await, both);
    assert_eq!(listed("?q=&hostPattern=").await, both);
    assert_eq!(listed("?q=eb:7").await, [web.as_str()]);
    assert_eq!(listed("?q=zz").await, [""; 0]);
    assert_eq!(listed("?hostPattern=1%5C.ex").await, [web.as_str()]);
    assert_eq!(listed("?hostPattern=^n1&q=batch").await, [""; 0]);
    assert_eq!(listed("?hostPattern=n2").await, [""; 0]);
    let bad = master.ask("GET /jobs?hostPattern=(", "").await;
    assert_eq!(bad.status, 400);
    assert!(
        bad.json()["message"]
            .as_str()
            .unwrap()
            .contains("no regular expression")
    );
}

#[tokio::test]
async fn an_id_in_the_path_must_be_a_full_one() {
    let master = Master::new().await;
    for request in [
        "GET /jobs/web",
        "GET /jobs/web:7",
        "GET /jobs/web:7/status",
        "DELETE /jobs/web",
    ] {
        let reply = master.ask(request, "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (400, "Invalid id"),
            "{request}"
        );
        assert_eq!(reply.header("content-type"), "application/json");
    }
    for path in [
        format!("jobs/{UNKNOWN}"),
        format!("jobs/{UNKNOWN}/status"),
        "jobs/a:b:c:d".to_owned(),
    ] {
        assert_eq!(
            master.ask(&format!("GET /{path}"), "").await.status,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn removes_a_job_only_with_its_token_and_when_it_is_deployed_nowhere() {
    let master = Master::new().await;
    let host = master.host("n1").await;
    let id = master.job(web()).await;
    let guarded = master
        .job(Job::new("guarded:1", "i").unwrap().token("t0"))
        .await;
    master.deploy(&host, &id).await;
    let status = |status: &str| json!({ "status": status });
    for (request, code, expected) in [
        (format!("DELETE /jobs/{UNKNOWN}"), 404, "JOB_NOT_FOUND"),
        (format!("DELETE /jobs/{id}?token=x"), 403, "FORBIDDEN"),
        (
            format!("DELETE /jobs/{id}?token=&user=ann"),
            400,
            "STILL_IN_USE",
        ),
        (format!("DELETE /jobs/{guarded}"), 403, "FORBIDDEN"),
        (format!("DELETE /jobs/{guarded}?token=t0"), 200, "OK"),
        (
            format!("DELETE /jobs/{guarded}?token=t0"),
            404,
            "JOB_NOT_FOUND",
        ),
    ] {
        master.expect(&request, code, status(expected)).await;
    }
    assert_eq!(
        master.ask(&format!("GET /jobs/{guarded}"), "").await.status,
        404
    );
    assert_eq!(master.ask(&format!("GET /jobs/{id}"), "").await.status, 200);
}

#[tokio::test]
async fn shows_where_a_job_should_run_and_what_is_reported() {
    let master = Master::new().await;
    let id = master.job(web()).await;
    let [n1, n2] = [master.host("n1").await, master.host("n2").await];
    master.deploy(&n1, &id).await;
    master.agent(&n2, &[], &[&id]).await;
    let job = master.ask(&format!("GET /jobs/{id}"), "").await.json();
    let expected = json!({
        "job": job,
        "taskStatuses": {"n2": {
            "job": job, "goal": "START", "state": "RUNNING", "containerId": "cid", "throttled": "NO",
            "ports": {"http": {"ip": null, "internalPort": 80, "externalPort": null, "protocol": "tcp"}},
            "env": {}, "containerError": "",
        }},
        "deployments": {"n1": {"goal": "START", "deployerUser": "ann", "jobId": id}},
    });
    master
        .expect(&format!("GET /jobs/{id}/status"), 200, expected.clone())
        .await;
    let sent = json!([id, UNKNOWN]).to_string();
    let expected = Value::from_iter([(id.to_string(), expected)]);
    master
        .expect_with("POST /jobs/statuses?user=ann", sent, 200, expected)
        .await;
    master
        .expect_with("POST /jobs/statuses", "[]", 200, json!({}))
        .await;
    let reply = master.ask("POST /jobs/statuses", r#"["web:7"]"#).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (400, "Invalid id web:7")
    );
}

#[tokio::test]
async fn the_statuses_of_many_jobs_come_in_pages_and_only_of_those_that_are_meant() {
    let master = Master::new().await;
    let mut ids = Vec::new();
    for name in ["a:1", "b:1", "c:2"] {
        ids.push(master.job(Job::new(name, "nginx").unwrap()).await);
    }
    let host = master.host("n1").await;
    master.deploy(&host, &ids[1]).await;
    let sent = json!([UNKNOWN, ids[2], ids[0], ids[1]]).to_string();
    for (query, expected) in [
        ("", &ids[..]),
        ("?limit=2", &ids[..2]),
        (&format!("?limit=2&after={}", ids[1]), &ids[2..]),
        ("?q=:1", &ids[..2]),
        ("?q=:1&limit=9&after=a:1", &ids[..2]),
        ("?hostPattern=n", &ids[1..2]),
        ("?hostPattern=m", &[]),
    ] {
        let request = format!("POST /jobs/statuses{query}");
        let statuses = master.ask(&request, sent.as_str()).await.json();
        let names: Vec<&String> = statuses.as_object().unwrap().keys().collect();
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(names, expected.iter().collect::<Vec<_>>(), "{query}");
    }
    for query in ["?limit=0", "?hostPattern=("] {
        let request = format!("POST /jobs/statuses{query}");
        let reply = master.ask(&request, sent.as_str()).await;
        assert_eq!(reply.status, 400, "{query}");
    }
}
