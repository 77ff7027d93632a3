//! Resets of the fleet.

use helios_core::model::{HostInfo, Job, JobId};
use helios_core::ops::{Refused, drain_host};
use helios_core::schema::{Drain, HostRecord, HostReport, Keys};
use helios_core::{HostName, Timestamp};
use serde_json::{Value, json};

use super::harness::{Master, running};

/// A master of three hosts, `front` on all of them and `lonely` on the first.
async fn fleet() -> Master {
    let master = Master::new().await;
    let front = master.job(Job::new("front:1", "i").unwrap()).await;
    let lonely = master.job(Job::new("lonely:1", "i").unwrap()).await;
    for name in ["web1", "web2", "web3"] {
        let host = master.host(name).await;
        master.deploy(&host, &front).await;
        let jobs = if name == "web1" {
            master.deploy(&host, &lonely).await;
            vec![&front, &lonely]
        } else {
            vec![&front]
        };
        master.agent_reports(&host, report(&host, &jobs)).await;
    }
    master
}

fn report(host: &HostName, jobs: &[&JobId]) -> HostReport {
    let mut info = HostInfo::default();
    info.boot_id = Some(format!("a boot of {host}"));
    info.up_since = Some(Timestamp::from_millis(1_000));
    HostReport {
        tasks: jobs
            .iter()
            .map(|id| (JobId::clone(id), running()))
            .collect(),
        host_info: Some(info),
        labels: [("role".to_owned(), "web".to_owned())].into(),
        ..HostReport::default()
    }
}

fn reset(name: &str, waived: &[&str]) -> Value {
    let now = helios_core::Clock::now(&helios_core::SystemClock::new()).as_millis();
    json!({
        "name": name,
        "wanted": { "reset_since": now },
        "deadline": now + 3_600_000,
        "action": "none",
        "limits": { "at_once": 2, "waived": waived },
    })
}

#[tokio::test]
async fn a_plan_says_who_comes_first_or_all_that_is_in_the_way() {
    let master = fleet().await;
    let sent = reset("october", &["lonely"]).to_string();
    let plan = master.ask("POST /resets/plan", sent).await.json();
    let forecast = &plan["forecast"];
    assert_eq!(plan["impossible"], json!([]));
    assert_eq!(
        (
            &forecast["rounds"],
            &forecast["width"],
            &forecast["feasible"]
        ),
        (&json!(2), &json!(2), &json!(true)),
        "the first host goes alone"
    );
    assert_eq!(forecast["first"][0].as_array().unwrap().len(), 1);
    assert_eq!(forecast["line"].as_array().unwrap().len(), 3);

    let mut never = reset("october", &[]);
    never["limits"]["at_once"] = 0.into();
    let plan = master
        .ask("POST /resets/plan", never.to_string())
        .await
        .json();
    let reasons = plan["impossible"].to_string();
    assert_eq!(plan["forecast"], Value::Null);
    for part in ["from 1 to 500", "service lonely has 1 instances"] {
        assert!(reasons.contains(part), "{reasons}");
    }
    master.expect("GET /resets", 200, json!([])).await;
}

#[tokio::test]
async fn a_reset_is_started_shown_and_told_what_to_do() {
    let master = fleet().await;
    let sent = || reset("october", &["lonely"]).to_string();
    master
        .expect_with("POST /resets?user=ann", sent(), 200, json!("OK"))
        .await;
    let again = master.ask("POST /resets", sent()).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let overlapping = reset("november", &["lonely"]).to_string();
    let overlapping = master.ask("POST /resets", overlapping).await;
    assert_eq!(overlapping.status, 409);
    assert!(overlapping.text().contains("reset october is for host"));

    let list = master.ask("GET /resets", "").await.json();
    assert_eq!(
        (&list[0]["name"], &list[0]["stage"]),
        (&json!("october"), &json!("running"))
    );
    let status = master.ask("GET /resets/october", "").await.json();
    assert_eq!(
        (&status["due"], &status["inTime"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(status["next"].as_array().unwrap().len(), 3);

    let say = async |what: &str, body: &str| {
        let request = format!("POST /resets/october/{what}");
        master.ask(&request, body).await.status.as_u16()
    };
    assert_eq!([say("pause", "").await, say("pause", "").await], [200, 409]);
    let status = master.ask("GET /resets/october", "").await.json();
    assert_eq!(
        (&status["stage"], &status["ends"]),
        (&json!("paused"), &Value::Null)
    );
    let waiting = json!([{ "hosts": 3, "because": "not_running" }]);
    assert_eq!(status["waiting"], waiting);
    assert_eq!(
        [say("resume", "{}").await, say("resume", "{}").await],
        [200, 409]
    );
    assert_eq!(say("resume", r#"{"agian": true}"#).await, 400);
    let evidence = json!({ "objective": "errors", "evidence":
        { "at": 0, "new": { "events": 0, "exposure": 0 }, "old": { "events": 0, "exposure": 0 } } });
    assert_eq!(
        say("evidence", &evidence.to_string()).await,
        409,
        "it has no guard"
    );
    assert_eq!([say("abort", "").await, say("abort", "").await], [200, 409]);
    let audit = master.ask("GET /resets/october/audit", "").await.json();
    let said: Vec<_> = audit["lines"].as_array().unwrap().iter().collect();
    let texts: Vec<_> = said.iter().map(|line| line["text"].as_str()).collect();
    let expected = ["start reset", "pause reset", "resume reset", "abort reset"];
    assert_eq!(texts, expected.map(Some));
    assert_eq!(
        (&audit["records"], &said[0]["by"], &said[3]["sequence"]),
        (&json!(4), &json!("ann"), &json!(3))
    );
    let of_one = "GET /resets/october/audit?host=web1";
    let of_one = master.ask(of_one, "").await.json();
    assert_eq!(of_one, json!({ "records": 4, "lines": [] }));
    let report = master.ask("GET /resets/october/report", "").await.json();
    assert_eq!(
        (&report["stage"], &report["services"]),
        (&json!("aborting"), &json!([]))
    );
}

#[tokio::test]
async fn what_is_no_reset_is_refused_and_what_is_none_is_not_found() {
    let master = fleet().await;
    for request in [
        "GET /resets/zz",
        "GET /resets/zz/report",
        "POST /resets/zz/pause",
    ] {
        let reply = master.ask(request, "").await;
        assert_eq!(reply.status, 404, "{request}");
        assert!(
            reply.text().contains("there is no reset zz"),
            "{}",
            reply.text()
        );
    }
    let mut misspelt = reset("october", &["lonely"]);
    misspelt["deadlin"] = 0.into();
    assert_eq!(
        master
            .ask("POST /resets", misspelt.to_string())
            .await
            .status,
        400
    );
    let nameless = reset("a/b", &["lonely"]).to_string();
    let reply = master.ask("POST /resets", nameless).await;
    assert_eq!(reply.status, 400);
    assert!(
        reply.text().contains("is no name for a reset"),
        "{}",
        reply.text()
    );
    for request in ["POST /resets", "POST /resets/plan"] {
        let reserved = reset("plan", &["lonely"]).to_string();
        let reply = master.ask(request, reserved).await;
        let message = "a reset cannot be called";
        assert!(reply.text().contains(message), "{}", reply.text());
    }
    assert_eq!(
        master
            .ask("POST /resets", reset("october", &[]).to_string())
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_host_that_is_drained_says_by_whom() {
    let master = fleet().await;
    let host: HostName = "web2".parse().unwrap();
    let drain = Drain {
        by: "october".to_owned(),
        id: "october.1.1".to_owned(),
        since: Timestamp::from_millis(0),
        reset: None,
    };
    let (cluster, host, drain) = (&master.cluster, &host, Some(&drain));
    let drained = cluster.transact::<Refused, _, _>("web2", |stamp| async move {
        let seen = cluster.read::<HostRecord>(&Keys::host(host)).await?;
        Ok(drain_host(seen.as_ref(), host, "october", drain, &stamp)?)
    });
    drained.await.unwrap();
    let is_drained = |host: &HostRecord| host.drain.is_some();
    master
        .until(|view| view.hosts.get(host).is_some_and(|host| is_drained(host)))
        .await;
    let status = master.ask("GET /hosts/web2/status", "").await.json();
    let problem = "drained by october: its jobs are stopped until that is over";
    assert_eq!(status["problems"], json!([problem]));
}
