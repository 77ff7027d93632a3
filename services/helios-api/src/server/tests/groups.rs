//! Deployment groups, as clients of the original ask for them, and what is new.

use serde_json::{Value, json};

use super::harness::{Master, web};

const ROLL: &str = "POST /deployment-group/front/rolling-update";

fn front() -> String {
    let selector = json!({"label": "role", "operator": "EQUALS", "operand": "web"});
    json!({"name": "front", "hostSelectors": [selector]}).to_string()
}

async fn with_group() -> Master {
    let master = Master::new().await;
    let created = json!({"status": "CREATED"});
    master
        .expect_with("POST /deployment-group", front(), 200, created)
        .await;
    master
}

async fn start(master: &Master, body: Value) -> super::harness::Reply {
    master.ask(ROLL, body.to_string()).await
}

#[tokio::test]
async fn a_group_is_created_once_shown_and_removed() {
    let master = with_group().await;
    let same = json!({"status": "NOT_MODIFIED"});
    master
        .expect_with("POST /deployment-group/", front(), 200, same)
        .await;
    let other = front().replace("web", "db");
    master
        .expect_with(
            "POST /deployment-group",
            other,
            200,
            json!({"status": "CONFLICT"}),
        )
        .await;
    master
        .expect("GET /deployment-group", 200, json!(["front"]))
        .await;
    let shown: Value = serde_json::from_str(&front()).unwrap();
    master
        .expect("GET /deployment-group/front", 200, shown)
        .await;
    master
        .expect(
            "DELETE /deployment-group/front",
            200,
            json!({"status": "REMOVED"}),
        )
        .await;
    let gone = json!({"status": "DEPLOYMENT_GROUP_NOT_FOUND"});
    master
        .expect("DELETE /deployment-group/front", 200, gone)
        .await;
    assert_eq!(
        master.ask("GET /deployment-group/front", "").await.status,
        404
    );
    assert_eq!(
        master
            .ask("GET /deployment-group/front/status", "")
            .await
            .status,
        404
    );
    for name in ["", "a/b", "..", "é"] {
        let body = front().replace("front", name);
        assert_eq!(
            master.ask("POST /deployment-group", body).await.status,
            400,
            "{name:?}"
        );
    }
}

/// The status of the group.
async fn status(master: &Master) -> Value {
    let reply = master.ask("GET /deployment-group/front/status", "").await;
    reply.json()
}

/// What becomes of telling a group to do something.
async fn told(master: &Master, what: &str) -> u16 {
    let request = format!("POST /deployment-group/{what}");
    master.ask(&request, "").await.status.as_u16()
}

#[tokio::test]
async fn a_group_is_idle_then_rolls_out_and_can_be_stopped() {
    let master = with_group().await;
    let idle = status(&master).await;
    assert_eq!(
        (&idle["status"], &idle["error"]),
        (&json!("IDLE"), &json!(""))
    );
    assert_eq!(idle["deploymentGroupStatus"], Value::Null);

    let host = master.host("n1").await;
    master.agent(&host, &[("role", "web")], &[]).await;
    let job = master.job(web()).await;
    let ok = json!({"status": "OK"});
    let body = json!({"job": job.as_str(), "rolloutOptions": {"parallelism": 2, "timeout": null}});
    master.expect_with(ROLL, body.to_string(), 200, ok).await;

    let started = status(&master).await;
    assert_eq!(started["status"], "ROLLING_OUT");
    let none = json!([{"host": "n1", "jobId": null, "state": null}]);
    assert_eq!(started["hostStatuses"], none);
    let options = json!({
        "timeout": 300, "parallelism": 2, "migrate": false, "overlap": false, "token": "",
        "ignoreFailures": false,
    });
    assert_eq!(started["deploymentGroup"]["rolloutOptions"], options);
    assert_eq!(started["deploymentGroup"]["rollingUpdateReason"], "MANUAL");
    assert_eq!(started["rollout"]["waiting"], 1);

    assert_eq!(told(&master, "front/pause").await, 204);
    let paused = status(&master).await;
    assert_eq!(paused["rollout"]["paused"], "paused by anonymous");
    assert_eq!(told(&master, "front/resume?stopAfter=1").await, 204);
    assert_eq!(told(&master, "front/resume?stopAfter=0").await, 400);

    assert_eq!(told(&master, "front/stop").await, 204);
    let stopped = status(&master).await;
    let by_user = (&json!("FAILED"), &json!("Stopped by user"));
    assert_eq!((&stopped["status"], &stopped["error"]), by_user);
    assert_eq!(
        told(&master, "front/pause").await,
        409,
        "nothing is under way"
    );
    assert_eq!(
        told(&master, "front/rollback").await,
        409,
        "nothing was before"
    );
    assert_eq!(told(&master, "none/stop").await, 404);
}

#[tokio::test]
async fn what_cannot_be_rolled_out_is_refused() {
    let master = with_group().await;
    let job = master.job(web()).await;
    let none = json!({"status": "JOB_NOT_FOUND"});
    let body = json!({"job": "no:1:x", "rolloutOptions": {}}).to_string();
    master.expect_with(ROLL, body.clone(), 200, none).await;
    let none = json!({"status": "DEPLOYMENT_GROUP_NOT_FOUND"});
    let elsewhere = ROLL.replace("front", "none");
    master.expect_with(&elsewhere, body, 200, none).await;
    for (body, part) in [
        (json!({"rolloutOptions": {"parallelism": 0}}), "below 1"),
        (json!({"rolloutOptions": {"timeout": 0}}), "below 1 s"),
        (json!({"policy": {"parallelism": "0%"}}), "above 0%"),
        (json!({"policy": {"parallelism": "101%"}}), "101%"),
        (json!({"policy": {"paralelism": "10%"}}), "paralelism"),
        (json!({"polcy": {}}), "polcy"),
    ] {
        let mut body = body;
        body["job"] = json!(job.as_str());
        let reply = start(&master, body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains(part), "{}", reply.text());
    }
    assert_eq!(
        start(&master, json!({"job": job.as_str()})).await.status,
        200,
        "options may be absent"
    );
}

#[tokio::test]
async fn a_plan_and_a_preview_change_nothing() {
    let master = with_group().await;
    for (name, role) in [("n1", "web"), ("n2", "web"), ("n3", "db")] {
        let host = master.host(name).await;
        master.agent(&host, &[("role", role)], &[]).await;
    }
    let job = master.job(web()).await;
    let body = json!({"job": job.as_str()}).to_string();
    let plan = json!({
        "status": "OK", "batches": [["n1"], ["n2"]], "right": [], "failing": [], "down": [], "leaving": [],
    });
    master
        .expect_with("POST /deployment-group/front/plan", body, 200, plan)
        .await;
    let preview =
        json!({"status": "PREVIEW", "joining": ["n3"], "leaving": ["n1", "n2"], "staying": 0});
    let other = front().replace("\"web\"", "\"db\"");
    let edit = "PUT /deployment-group/front";
    master
        .expect_with(&format!("{edit}?preview=true"), other.clone(), 200, preview)
        .await;
    let shown: Value = serde_json::from_str(&front()).unwrap();
    master
        .expect("GET /deployment-group/front", 200, shown)
        .await;
    assert_eq!(
        master.ask(edit, other.clone()).await.json()["status"],
        "EDITED"
    );
    assert_eq!(
        master.ask(edit, other.clone()).await.json()["status"],
        "NOT_MODIFIED"
    );
    let none = other.replace("front", "none");
    let unknown = master
        .ask("PUT /deployment-group/none", none.clone())
        .await
        .json();
    assert_eq!(unknown["status"], "DEPLOYMENT_GROUP_NOT_FOUND");
    assert_eq!(master.ask(edit, none).await.status, 400);
}
