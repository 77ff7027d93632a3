//! Chapter "hosts" of the wire contract.

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::{Job, PortMapping};
use helios_core::schema::{HostReport, Keys, LastExit, TaskReport};
use helios_core::store::Txn;
use serde_json::json;

use super::harness::{Master, running, web};

#[tokio::test]
async fn lists_hosts_by_name_and_by_labels() {
    let master = Master::new().await;
    for name in ["n10.example.net", "n9.example.net", "db.example.net"] {
        let host = master.host(name).await;
        if name != "db.example.net" {
            let az = if name.starts_with("n9") { "a" } else { "b" };
            master
                .agent(&host, &[("role", "web"), ("az", az)], &[])
                .await;
        }
    }
    let web = ["n9.example.net", "n10.example.net"];
    for (query, expected) in [
        ("", &["db.example.net", web[0], web[1]][..]),
        ("?user=ann", &["db.example.net", web[0], web[1]]),
        ("?namePattern=n%5B0-9%5D&user=ann", &web),
        ("?namePattern=^n1", &web[1..]),
        ("?namePattern=zz", &[]),
        ("?selector=role=web", &web),
        (
            "?namePattern=n1&selector=role=web&selector=az+in+(a,+b)&user=ann",
            &web[1..],
        ),
        ("?selector=role=web&selector=az+notin+(a)", &web[1..]),
        ("?selector=role!=db", &web),
        ("?selector=role=db", &[]),
    ] {
        master
            .expect(&format!("GET /hosts/{query}"), 200, json!(expected))
            .await;
    }
    let bad = master.ask("GET /hosts?selector=role", "").await;
    assert_eq!(bad.status, 400);
    assert!(bad.header("content-type").starts_with("text/plain"));
    assert!(
        bad.text().starts_with("\"role\" is not a host selector"),
        "{}",
        bad.text()
    );
    assert_eq!(master.ask("GET /hosts?namePattern=[", "").await.status, 400);
}

#[tokio::test]
async fn registers_a_host_for_one_agent() {
    let master = Master::new().await;
    let invalid = |host: &str| json!({"status": "INVALID_ID", "host": host});
    master
        .expect("PUT /hosts/n1?id=id1&user=ann", 200, json!("OK"))
        .await;
    master.expect("GET /hosts", 200, json!(["n1"])).await;
    master
        .expect("PUT /hosts/n1/?id=id1", 200, json!("OK"))
        .await;
    let taken = master.ask("PUT /hosts/n1?id=id2", "").await;
    assert_eq!(taken.status, 409);
    assert!(
        taken.json()["message"]
            .as_str()
            .unwrap()
            .contains("belongs to agent id1")
    );
    master.expect("PUT /hosts/n2", 400, invalid("n2")).await;
    master.expect("PUT /hosts/n2?id=", 400, invalid("n2")).await;
    master
        .expect("PUT /hosts/n2%2F..?id=i", 400, invalid("n2/.."))
        .await;
    master
        .expect("PUT /hosts/..%252Fjobs?id=i", 400, invalid("../jobs"))
        .await;
    master.expect("GET /hosts", 200, json!(["n1"])).await;
}

#[tokio::test]
async fn deregisters_a_host_with_all_it_runs() {
    let master = Master::new().await;
    let host = master.host("n1.example.net").await;
    let id = master.job(web()).await;
    master.deploy(&host, &id).await;
    let not_found = |host: &str| json!({"status": "NOT_FOUND", "host": host});
    master
        .expect("DELETE /hosts/zz", 404, not_found("zz"))
        .await;
    master
        .expect("DELETE /hosts/a_b", 404, not_found("a_b"))
        .await;
    let ok = json!({"status": "OK", "host": "n1.example.net"});
    master
        .expect("DELETE /hosts/n1.example.net?user=ann", 200, ok)
        .await;
    master.expect("GET /hosts", 200, json!([])).await;
    assert_eq!(
        master
            .ask("GET /hosts/n1.example.net/status", "")
            .await
            .status,
        404
    );
    assert_eq!(
        master.ask(&format!("DELETE /jobs/{id}"), "").await.status,
        200
    );
}

#[tokio::test]
async fn shows_what_is_wanted_of_a_host_and_what_it_reports() {
    let master = Master::new().await;
    let [n1, n2] = [master.host("n1").await, master.host("n2").await];
    let wanted = master.job(web()).await;
    let leaving = master.job(Job::new("leaving:1", "i").unwrap()).await;
    master.deploy(&n1, &wanted).await;
    master.agent(&n1, &[("role", "web")], &[&leaving]).await;

    let status = master.ask("GET /hosts/n1/status?user=ann", "").await.json();
    let deployment = json!({"goal": "START", "deployerUser": "ann", "jobId": wanted});
    assert_eq!(status["jobs"], json!({ wanted.as_str(): deployment }));
    let task = &status["statuses"][leaving.as_str()];
    assert_eq!(
        (&task["state"], &task["job"]["image"]),
        (&json!("RUNNING"), &json!("i"))
    );
    assert_eq!(
        (&status["status"], &status["labels"]),
        (&json!("UP"), &json!({"role": "web"}))
    );
    assert_eq!(status["hostInfo"]["hostname"], "n1");
    let down = json!({"jobs": {}, "statuses": {}, "status": "DOWN", "hostInfo": null,
        "agentInfo": null, "environment": {}, "labels": {}});
    master
        .expect("GET /hosts/n2/status", 200, down.clone())
        .await;
    master
        .expect("GET /hosts/n2/status?status=DOWN", 200, down.clone())
        .await;
    for path in [
        "n2/status?status=UP",
        "n2/status?status=down",
        "zz/status",
        "a_b/status",
    ] {
        assert_eq!(
            master.ask(&format!("GET /hosts/{path}"), "").await.status,
            404,
            "{path}"
        );
    }

    let sent = r#"["n2","zz","n1","../n1"]"#;
    let both = json!({"n1": status, "n2": down});
    master
        .expect_with("POST /hosts/statuses?user=ann", sent, 200, both.clone())
        .await;
    let only = json!({ "n2": down });
    master
        .expect_with("POST /hosts/statuses?status=DOWN", sent, 200, only)
        .await;
    master
        .expect_with("POST /hosts/statuses", "[]", 200, json!({}))
        .await;
    master.expect("GET /hosts/statuses", 200, both).await;
    assert_eq!(n2.as_str(), "n2");
}

#[tokio::test]
async fn what_is_wrong_with_a_task_or_a_host_is_shown() {
    let master = Master::new().await;
    let (n1, web) = (
        master.host("n1").await,
        master.job(web().env("MODE", "live")).await,
    );
    let exit = LastExit {
        code: 137,
        out_of_memory: true,
    };
    let task = TaskReport {
        ports: [("http".to_owned(), PortMapping::tcp(80).external(20_001))].into(),
        restarts: 3,
        last_exit: Some(exit),
        since: Timestamp::from_millis(1_700_000_000_123),
        ..running()
    };
    let report = HostReport {
        tasks: [(web.clone(), task)].into(),
        environment: [("MODE", "test"), ("ZONE", "a")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        problems: vec!["the disk is full".to_owned()],
        ..HostReport::default()
    };
    master.agent_reports(&n1, report).await;

    let host = master.ask("GET /hosts/n1/status", "").await.json();
    assert_eq!(host["problems"], json!(["the disk is full"]));
    let task = &host["statuses"][web.as_str()];
    let exit = json!({"code": 137, "outOfMemory": true});
    assert_eq!(
        (&task["restarts"], &task["lastExit"], &task["since"]),
        (&json!(3), &exit, &json!(1_700_000_000_123_i64))
    );
    let env = json!({"MODE": "live", "ZONE": "a", "HELIOS_PORT_http": "n1:20001"});
    assert_eq!(task["env"], env);
    let job = master.ask(&format!("GET /jobs/{web}/status"), "").await;
    assert_eq!(&job.json()["taskStatuses"]["n1"], task);
    let read: crate::wire::HostStatus = serde_json::from_value(host.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), host);
}

#[tokio::test]
async fn a_host_that_cannot_be_read_is_not_taken_for_absent() {
    let master = Master::new().await;
    let txn = Txn::new().create(Keys::hosts().child("n1").unwrap(), "no record");
    master.cluster.store().commit(txn).await.unwrap();
    master.until(|view| view.unreadable().count() == 1).await;
    let reply = master.ask("GET /hosts/n1/status", "").await;
    assert_eq!(reply.status, 500);
    assert!(
        reply.json()["message"]
            .as_str()
            .unwrap()
            .contains("hosts/n1 cannot be read")
    );
}

#[tokio::test]
async fn a_goal_that_cannot_be_read_is_told_and_hides_nothing() {
    let master = Master::new().await;
    let host = master.host("n1").await;
    let [bad, good] = [web(), Job::new("db:1", "postgres").unwrap()].map(|job| master.job(job));
    let [bad, good] = [bad.await, good.await];
    master.deploy(&host, &bad).await;
    master.deploy(&host, &good).await;
    let key = Keys::host(&host);
    let entry = master.cluster.store().get(&key).await.unwrap().unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&entry.value).unwrap();
    record["goals"][bad.as_str()]["goal"] = json!("HIBERNATE");
    let txn = Txn::new().update(key, entry.version, record.to_string());
    master.cluster.store().commit(txn).await.unwrap();
    let is_unread = |view: &FleetView| !view.hosts.get(&host).unwrap().goals.unread().is_empty();
    master.until(is_unread).await;
    let told = format!("{:?}", master.state.fleet.view().await.unwrap().host(&host));
    assert!(told.contains("HIBERNATE"), "{told}");

    let there = master.ask("GET /jobs?hostPattern=n1", "").await.json();
    assert!(there.get(bad.as_str()).is_some(), "{there}");

    let status = master.ask("GET /hosts/n1/status", "").await.json();
    assert!(
        status["jobs"]
            .as_object()
            .unwrap()
            .keys()
            .eq([good.as_str()])
    );
    let problem = status["problems"][0].as_str().unwrap();
    for expected in [bad.as_str(), "HIBERNATE", "undeploy the job from n1"] {
        assert!(problem.contains(expected), "{problem}");
    }
    let all = master.ask("GET /hosts/statuses", "").await.json();
    assert_eq!(all["n1"], status);
    // Its agent tells the same of it: it is shown once.
    let report = HostReport {
        problems: vec![problem.to_owned()],
        ..HostReport::default()
    };
    master.agent_reports(&host, report).await;
    let again = master.ask("GET /hosts/n1/status", "").await.json();
    assert_eq!(again["problems"], json!([problem]));

    let job = format!("/hosts/n1/jobs/{bad}");
    let stop = json!({"job": bad, "goal": "STOP"}).to_string();
    let reply = master.ask(&format!("PATCH {job}"), stop).await;
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("undeploy the job there, and deploy it again"),
        "{message}"
    );
    let gone = json!({"status": "OK", "host": "n1", "job": bad});
    master.expect(&format!("DELETE {job}"), 200, gone).await;
    let mended = master.ask("GET /hosts/n1/status", "").await.json();
    assert!(
        mended["jobs"]
            .as_object()
            .unwrap()
            .keys()
            .eq([good.as_str()])
    );
}

#[tokio::test]
async fn a_list_comes_in_pages_that_go_on_after_a_name() {
    let master = Master::new().await;
    for name in ["n10", "n9", "n1"] {
        master.host(name).await;
    }
    master.until(|view| view.hosts.names().count() == 3).await;
    for (query, expected) in [
        ("?limit=2", &["n1", "n9"][..]),
        ("?limit=2&after=n9", &["n10"]),
        ("?after=n2", &["n9", "n10"]),
        ("?limit=9&after=n10", &[]),
    ] {
        master
            .expect(&format!("GET /hosts{query}"), 200, json!(expected))
            .await;
    }
    let page = master.ask("GET /hosts/statuses?limit=1&after=n1", "").await;
    let page = page.json();
    let names: Vec<&String> = page.as_object().unwrap().keys().collect();
    assert_eq!(names, ["n10"]);
    for (query, expected) in [
        ("?limit=1&after=n1", "n10"),
        ("?namePattern=9$", "n9"),
        ("?status=DOWN&limit=1", "n1"),
    ] {
        let request = format!("POST /hosts/statuses{query}");
        let page = master.ask(&request, r#"["n9","n1","n10","n2"]"#).await;
        let page = page.json();
        let names: Vec<&String> = page.as_object().unwrap().keys().collect();
        assert_eq!(names, [expected], "{query}");
    }
    for limit in ["0", "-1", "many"] {
        let reply = master.ask(&format!("GET /hosts?limit={limit}"), "").await;
        assert_eq!(reply.status, 400, "{limit}");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_host_is_shown_only_while_nothing_about_it_changes() {
    let master = Master::new().await;
    let host = master.host("n1").await;
    let id = master.job(web()).await;
    let shown = async |query: &str| {
        let reply = master.ask(&format!("GET /hosts/statuses{query}"), "").await;
        let one = master.ask("GET /hosts/n1/status", "").await.json();
        let all = reply.json();
        if let Some(shown) = all.get("n1") {
            assert_eq!(*shown, one);
        }
        all
    };
    assert_eq!(shown("").await["n1"]["status"], "DOWN");
    assert_eq!(shown("?status=UP").await, json!({}));
    master.deploy(&host, &id).await;
    assert_eq!(shown("").await["n1"]["jobs"][id.as_str()]["goal"], "START");
    master.agent(&host, &[("role", "web")], &[&id]).await;
    let up = shown("?status=UP&selector=role=web").await;
    assert_eq!(up["n1"]["statuses"][id.as_str()]["state"], "RUNNING");
    assert_eq!(shown("?selector=role=db").await, json!({}));
    master.ask("DELETE /hosts/n1", "").await;
    assert_eq!(
        master.ask("GET /hosts/statuses", "").await.json(),
        json!({})
    );
}
