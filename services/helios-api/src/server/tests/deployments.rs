//! Chapter "deployments" of the wire contract.

use helios_core::model::{Job, JobId, PortMapping};
use serde_json::{Value, json};

use super::harness::{Master, web};

const UNKNOWN: &str = "none:1:2222222222222222222222222222222222222222";

fn wanting(goal: &str, id: impl ToString) -> String {
    json!({"deployerUser": "eve", "deployerMaster": "m", "goal": goal, "jobId": id.to_string()})
        .to_string()
}

fn answer(status: &str, host: &str, job: impl Into<Value>) -> Value {
    json!({"status": status, "host": host, "job": job.into()})
}

#[tokio::test]
async fn deploys_a_job_and_shows_it_at_once() {
    let master = Master::new().await;
    master.host("n1").await;
    let id = master.job(web()).await;
    let path = format!("/hosts/n1/jobs/{id}");
    assert_eq!(master.ask(&format!("GET {path}"), "").await.status, 404);
    let ok = answer("OK", "n1", id.as_str());
    let put = format!("PUT {path}?token=&user=ann");
    master
        .expect_with(&put, wanting("START", &id), 200, ok)
        .await;
    let deployment = json!({"goal": "START", "deployerUser": "ann", "jobId": id});
    master
        .expect(&format!("GET {path}/"), 200, deployment.clone())
        .await;
    let status = master
        .ask(&format!("GET /jobs/{id}/status"), "")
        .await
        .json();
    assert_eq!(status["deployments"], json!({ "n1": deployment }));
    let again = answer("JOB_ALREADY_DEPLOYED", "n1", id.as_str());
    master
        .expect_with(&put, wanting("STOP", &id), 400, again)
        .await;
}

#[tokio::test]
async fn reads_either_spelling_of_the_job_and_lenient_goals() {
    let master = Master::new().await;
    master.host("n1").await;
    let id = master.job(web()).await;
    let sent = json!({"job": id, "goal": " stop "}).to_string();
    let ok = answer("OK", "n1", id.as_str());
    master
        .expect_with(&format!("PUT /hosts/n1/jobs/{id}"), sent, 200, ok)
        .await;
    let deployment = json!({"goal": "STOP", "deployerUser": null, "jobId": id});
    master
        .expect(&format!("GET /hosts/n1/jobs/{id}"), 200, deployment)
        .await;
}

#[tokio::test]
async fn refuses_deployments_in_the_order_of_the_contract() {
    let master = Master::new().await;
    let n1 = master.host("n1").await;
    let fixed = |id: &str| {
        let mut port = PortMapping::tcp(80);
        port.external_port = Some(8080);
        Job::new(id, "i").unwrap().port("http", port)
    };
    let first = master.job(fixed("first:1")).await;
    let second = master.job(fixed("second:1").token("t0")).await;
    master.deploy(&n1, &first).await;
    let unknown: JobId = UNKNOWN.parse().unwrap();
    for (host, job, token, code, status) in [
        ("n1", &unknown, "t0", 400, "JOB_NOT_FOUND"),
        ("a_b", &unknown, "t0", 400, "JOB_NOT_FOUND"),
        ("zz", &second, "", 403, "FORBIDDEN"),
        ("a_b", &second, "", 403, "FORBIDDEN"),
        ("zz", &second, "t0", 400, "HOST_NOT_FOUND"),
        ("a_b", &second, "t0", 400, "HOST_NOT_FOUND"),
        ("n1", &first, "x", 403, "FORBIDDEN"),
        ("n1", &first, "", 400, "JOB_ALREADY_DEPLOYED"),
        ("n1", &second, "t0", 400, "PORT_CONFLICT"),
    ] {
        let request = format!("PUT /hosts/{host}/jobs/{job}?token={token}");
        let expected = answer(status, host, job.as_str());
        master
            .expect_with(&request, wanting("START", job), code, expected)
            .await;
    }
}

#[tokio::test]
async fn refuses_ids_that_are_not_full_or_do_not_match() {
    let master = Master::new().await;
    master.host("n1").await;
    let id = master.job(web()).await;
    let short = answer("INVALID_ID", "n1", "web:7");
    let name = answer("INVALID_ID", "n1", Value::Null);
    let sent = wanting("START", &id);
    master
        .expect_with("PUT /hosts/n1/jobs/web:7", sent.clone(), 400, short.clone())
        .await;
    master
        .expect("DELETE /hosts/n1/jobs/web:7", 400, short)
        .await;
    master
        .expect_with("PUT /hosts/n1/jobs/web", sent.clone(), 400, name)
        .await;
    assert_eq!(
        master.ask("PUT /hosts/n1/jobs/a:b:c:d", sent).await.status,
        404
    );
    let reply = master.ask("GET /hosts/n1/jobs/web:7", "").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (400, "Invalid id"));
    let mismatch = answer("ID_MISMATCH", "n1", id.as_str());
    for method in ["PUT", "PATCH"] {
        let request = format!("{method} /hosts/n1/jobs/{id}");
        master
            .expect_with(&request, wanting("START", UNKNOWN), 400, mismatch.clone())
            .await;
        for sent in [
            r#"{"goal":"START"}"#.to_owned(),
            json!({ "jobId": id }).to_string(),
        ] {
            let reply = master.ask(&request, sent).await;
            assert_eq!(reply.status, 400);
            assert!(
                reply.json()["message"]
                    .as_str()
                    .unwrap()
                    .contains("missing field")
            );
        }
        let reply = master.ask(&request, wanting("RUN", &id)).await;
        assert_eq!(reply.status, 400);
    }
}

#[tokio::test]
async fn changes_the_goal_and_nothing_else() {
    let master = Master::new().await;
    let n1 = master.host("n1").await;
    master.host("n2").await;
    let id = master.job(web()).await;
    master.deploy(&n1, &id).await;
    for (host, job, token, code, status) in [
        ("n1", UNKNOWN, "x", 404, "JOB_NOT_DEPLOYED"),
        ("a_b", UNKNOWN, "x", 404, "JOB_NOT_DEPLOYED"),
        ("zz", id.as_str(), "x", 403, "FORBIDDEN"),
        ("a_b", id.as_str(), "x", 403, "FORBIDDEN"),
        ("zz", id.as_str(), "", 404, "HOST_NOT_FOUND"),
        ("a_b", id.as_str(), "", 404, "HOST_NOT_FOUND"),
        ("n2", id.as_str(), "", 404, "JOB_NOT_DEPLOYED"),
        ("n1", id.as_str(), "", 200, "OK"),
    ] {
        let request = format!("PATCH /hosts/{host}/jobs/{job}?token={token}&user=bob");
        master
            .expect_with(
                &request,
                wanting("STOP", job),
                code,
                answer(status, host, job),
            )
            .await;
    }
    let deployment = json!({"goal": "STOP", "deployerUser": "ann", "jobId": id});
    master
        .expect(&format!("GET /hosts/n1/jobs/{id}"), 200, deployment)
        .await;
}

#[tokio::test]
async fn undeploys_and_shows_it_at_once() {
    let master = Master::new().await;
    let n1 = master.host("n1").await;
    let id = master.job(web()).await;
    let other = master.job(Job::new("other:1", "i").unwrap()).await;
    master.deploy(&n1, &id).await;
    for (host, job, token, code, status) in [
        ("zz", &id, "x", 404, "HOST_NOT_FOUND"),
        ("a_b", &id, "x", 404, "HOST_NOT_FOUND"),
        ("n1", &other, "x", 404, "JOB_NOT_FOUND"),
        ("n1", &id, "x", 403, "FORBIDDEN"),
        ("n1", &id, "", 200, "OK"),
        ("n1", &id, "", 404, "JOB_NOT_FOUND"),
    ] {
        let request = format!("DELETE /hosts/{host}/jobs/{job}?token={token}&user=ann");
        master
            .expect(&request, code, answer(status, host, job.as_str()))
            .await;
    }
    let status = master.ask("GET /hosts/n1/status", "").await.json();
    assert_eq!(status["jobs"], json!({}));
}

#[tokio::test]
async fn deployed_clients_escape_names_twice() {
    let master = Master::new().await;
    master.host("n1").await;
    let id = master.job(web()).await;
    let twice = id.as_str().replace(':', "%253A");
    let ok = answer("OK", "n1", id.as_str());
    let request = format!("PUT /hosts/n%2531/jobs/{twice}");
    master
        .expect_with(&request, wanting("START", &id), 200, ok)
        .await;
}
