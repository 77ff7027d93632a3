use std::sync::Arc;

use axum::body::Body;
use helios_core::cluster::Cluster;
use helios_core::schema::OperationIds;
use helios_core::{Clock, Moment, Timestamp};
use helios_rollout::drive::VariableDriver;
use helios_store::MemoryStore;
use serde_json::{Value, json};

use super::harness::{Master, Reply};

/// It is always the same time: the driver believes no clock that jumps, and that of the machine may.
#[derive(Debug)]
struct Stopped;

const NOW: i64 = 1_700_000_000_000;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(0)
    }
}

async fn ask(master: &Master, request: &str, body: Value) -> Reply {
    master.ask(request, body.to_string()).await
}

/// A master with four hosts of two roles that follow `docker`, which is 26.
async fn followed() -> Master {
    let ids = OperationIds::new("m1").unwrap();
    let store = Arc::new(MemoryStore::new());
    let master = Master::of(Cluster::new(store, Arc::new(Stopped), ids));
    let set = ask(&master, "PUT /variables/docker", json!({ "value": "26" })).await;
    assert_eq!(set.status, 200, "{}", set.text());
    for (host, role) in [("w1", "web"), ("w2", "web"), ("w3", "web"), ("d1", "db")] {
        let request = format!("GET /desired/{host}?label=role={role}");
        let reply = master.ask(&request, "").await;
        assert_eq!(reply.json(), json!({ "docker": "26" }));
    }
    // Until reads show all of them.
    while master.ask("GET /variables/docker", "").await.json()["hosts"][0]["hosts"] != 4 {
        tokio::task::yield_now().await;
    }
    master
}

fn rollout(start: i64, millis: u64) -> Value {
    json!({ "transition": {
        "change": { "replace": { "from": "26", "to": "27" } },
        "curve": { "shape": { "kind": "linear" }, "start": start, "length": { "elapsed": millis } },
        "order": { "salt": "s", "strata": ["role"] },
    } })
}

#[tokio::test]
async fn a_host_says_what_it_is_once_and_is_told_one_flat_object() {
    let master = followed().await;
    let stranger = master.ask("GET /desired/x1", "").await;
    assert_eq!(stranger.status, 404);
    assert!(
        stranger.text().contains("?label=role=web"),
        "{}",
        stranger.text()
    );
    let first = master.ask("GET /desired/w1", "").await;
    let tag = first.header("etag").to_owned();
    assert!(first.header("helios-since").starts_with("docker="));
    let known = [("if-none-match", tag.as_str())];
    let again = master.send("GET /desired/w1", &known, Body::empty()).await;
    assert_eq!((again.status.as_u16(), again.text()), (304, ""));
    let set = ask(&master, "PUT /variables/kernel", json!({ "value": 6 })).await;
    assert_eq!(set.status, 200);
    let other = master.send("GET /desired/w1", &known, Body::empty()).await;
    assert_eq!(other.json(), json!({ "docker": "26", "kernel": 6 }));
    // A lie about the role, later, changes nothing.
    master.ask("GET /desired/w1?label=role=db", "").await;
    let report = ask(&master, "POST /variables/docker/plan", rollout(0, 100))
        .await
        .json();
    let strata = &report["previews"][0]["strata"];
    assert_eq!(strata[0]["hosts"], 1, "{strata}");
    assert_eq!(strata[1]["hosts"], 3, "{strata}");
}

#[tokio::test]
async fn an_agents_labels_count_and_not_what_is_claimed_for_it() {
    let master = followed().await;
    let host = master.host("a1").await;
    master.agent(&host, &[("role", "web")], &[]).await;
    let reply = master.ask("GET /desired/a1?label=role=db", "").await;
    assert_eq!(reply.json(), json!({ "docker": "26" }));
    let plan = ask(&master, "POST /variables/docker/plan", rollout(0, 100))
        .await
        .json();
    assert_eq!(plan["previews"][0]["strata"][1]["hosts"], 4);
}

#[tokio::test]
async fn a_rollout_is_planned_started_watched_and_finished() {
    let master = followed().await;
    let (past, request) = (NOW - 1_000, rollout(NOW - 1_000, 1_000));
    let plan = ask(&master, "POST /variables/docker/plan", request.clone())
        .await
        .json();
    assert_eq!(plan["hosts"], 4);
    assert_eq!(plan["first"][0]["at"].as_i64().unwrap(), past + 125);
    let started = ask(&master, "POST /variables/docker/rollout", request.clone()).await;
    assert_eq!(started.status, 200, "{}", started.text());
    let again = ask(&master, "POST /variables/docker/rollout", request).await;
    assert_eq!(again.status, 409);
    // Nothing is told before the driver has written it down.
    let told = master.ask("GET /desired/w1", "").await;
    assert_eq!(told.json(), json!({ "docker": "26" }));
    let mut driver = VariableDriver::new(master.cluster.clone());
    let fleet = master.cluster.fleet().await.unwrap();
    let book = master.state.book.book().await.unwrap();
    driver.tick(&fleet, &book).await;
    master.state.book.shows("docker").await;
    let told = master.ask("GET /desired/w1", "").await;
    assert_eq!(told.json(), json!({ "docker": "27" }));
    let status = master.ask("GET /variables/docker", "").await.json();
    assert_eq!(status["hosts"], json!([{ "value": "27", "hosts": 4 }]));
    assert_eq!(status["past"][0]["outcome"], "finished");
    let audit = master
        .ask("GET /variables/docker/audit?replay", "")
        .await
        .json();
    assert_eq!(audit["replayed"], true);
    let told = master
        .ask("GET /variables/docker/audit?host=d1", "")
        .await
        .json();
    assert!(
        told["lines"][0]["text"]
            .as_str()
            .unwrap()
            .contains("d1 was told 27"),
        "{told}"
    );
    let course = master.ask("GET /variables/docker/course", "").await.json();
    assert_eq!(course["values"], json!(["26", "27"]));
    let last = course["actual"].as_array().unwrap().last().unwrap();
    assert_eq!(last["hosts"], json!([0, 4]));
}

#[tokio::test]
async fn people_can_stop_turn_and_ask() {
    let master = followed().await;
    let now = NOW;
    let request = rollout(now + 3_600_000, 3_600_000);
    ask(&master, "POST /variables/docker/rollout", request).await;
    let why = master.ask("GET /variables/docker/why/d1", "").await.json();
    assert_eq!(why["value"], "26");
    assert!(why["flips"]["forward"].as_i64().unwrap() > now);
    let when = master.ask("GET /variables/docker/when/d1", "").await.json();
    assert_eq!(when, why["flips"]);
    assert!(
        why["text"].as_str().unwrap().contains("only at 0%"),
        "{why}"
    );
    let at = now + 3 * 3_600_000;
    let preview = master
        .ask(&format!("GET /variables/docker/preview?at={at}"), "")
        .await;
    assert_eq!(
        preview.json()["hosts"],
        json!([{ "value": "27", "hosts": 4 }])
    );
    for (action, code) in [
        ("pause", 200),
        ("pause", 400),
        ("resume", 200),
        ("abort", 200),
        ("abort", 400),
    ] {
        let request = format!("POST /variables/docker/{action}");
        let reply = master.ask(&request, "").await;
        assert_eq!(reply.status, code, "{action}: {}", reply.text());
    }
    let removed = master.ask("DELETE /variables/docker", "").await;
    assert_eq!(removed.status, 200);
    assert_eq!(master.ask("GET /desired/w1", "").await.json(), json!({}));
    assert_eq!(master.ask("GET /variables/docker", "").await.status, 404);
}

#[tokio::test]
async fn nonsense_is_refused_with_what_is_wrong() {
    let master = followed().await;
    let refused = async |request: &str, body: Value| {
        let reply = ask(&master, request, body).await;
        assert_eq!(reply.status, 400, "{request}: {}", reply.text());
        reply.json()["message"].as_str().unwrap().to_owned()
    };
    let never = refused("POST /variables/docker/rollout", rollout(0, 0)).await;
    assert!(never.contains("takes no time"), "{never}");
    let mut unknown = rollout(0, 100);
    unknown["transition"]["change"]["replace"]["from"] = json!("25");
    let unknown = refused("POST /variables/docker/plan", unknown).await;
    assert!(unknown.contains("25"), "{unknown}");
    let kind = refused("PUT /variables/docker", json!({ "value": 27 })).await;
    assert!(kind.contains("holds a text, and 27 is none"), "{kind}");
    let mut zone = rollout(0, 100);
    zone["transition"]["curve"]["calendar"] =
        json!({ "windows": ["Mon 09:00-16:00 Mars/Olympus"] });
    let zone = refused("POST /variables/docker/plan", zone).await;
    assert!(zone.contains("Mars/Olympus"), "{zone}");
    let at = master
        .ask("GET /variables/docker/preview?at=soon", "")
        .await;
    assert_eq!(at.status, 400);
}

/// All that a rollout can say.
fn everything() -> Value {
    let mut all = rollout(NOW, 7 * 86_400_000);
    let transition = &mut all["transition"];
    transition["curve"]["calendar"] = json!({
        "windows": ["Mon-Fri 09:00-16:00 Europe/Stockholm"],
        "freezes": [],
    });
    transition["scope"] = json!([{ "label": "role", "operator": "EQUALS", "operand": "web" }]);
    transition["upto"] = json!("50%");
    transition["order"]["rules"] = json!([{
        "name": "canaries",
        "floor": { "at_least": { "hosts": 1 }, "ramp": "10%" },
        "ceiling": { "at_most": { "share": "90%" }, "until": "80%" },
    }]);
    all["guard"] = json!({
        "alpha_ppm": 50_000,
        "objectives": [{
            "name": "health",
            "query": "{\"health\":{\"grace_seconds\":5}}",
            "margin_permille": 500,
            "gates": ["5%"],
            "on_harm": "roll_back",
            "dead_man": 60_000,
        }],
        "bake": { "length": 60_000, "run_length": 100 },
    });
    all
}

/// Where there is something in a value, as pointers.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                self::places(member, &format!("{at}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                self::places(item, &format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_rollout_is_the_fault_of_who_asks() {
    let master = followed().await;
    let good = ask(&master, "POST /variables/docker/plan", everything()).await;
    assert_eq!(good.status, 200, "{}", good.text());
    let mut all = Vec::new();
    places(&everything(), "", &mut all);
    assert!(all.len() > 40, "{all:?}");
    let wrong = [
        json!(null),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!("%\u{0}\u{10ffff}"),
        json!("9".repeat(400)),
        json!([]),
        json!([[]]),
        json!({}),
        json!({ "a": "b" }),
    ];
    for place in &all {
        for value in &wrong {
            let mut request = everything();
            *request.pointer_mut(place).unwrap() = value.clone();
            let reply = ask(&master, "POST /variables/docker/plan", request).await;
            let known = [200, 400, 422].contains(&reply.status.as_u16());
            assert!(known, "{place}: {value}: {} {}", reply.status, reply.text());
        }
    }
}
