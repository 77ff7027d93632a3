//! Every list can be narrowed and taken in pages, by parameters of the same names.

use helios_core::schema::{Keys, Presence, encode};
use helios_core::store::Txn;
use serde_json::{Value, json};

use super::harness::Master;

/// A master with groups, variables, tokens and other masters called `a1`, `a2` and `b1`.
async fn with_three_of_each() -> Master {
    let master = Master::new().await;
    for name in ["a1", "a2", "b1"] {
        let selector = json!({"label": "role", "operator": "EQUALS", "operand": "web"});
        let group = json!({"name": name, "hostSelectors": [selector]});
        let token = json!({"name": name, "role": "read"});
        for (request, body) in [
            ("POST /deployment-group".to_owned(), group),
            ("POST /tokens".to_owned(), token),
            (format!("PUT /variables/{name}"), json!({"value": 1})),
        ] {
            let reply = master.ask(&request, body.to_string()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        let up = Presence {
            id: name.to_owned(),
            incarnation: "1".to_owned(),
        };
        let key = Keys::master(name).unwrap();
        let txn = Txn::new().create_ephemeral(key, encode(&up));
        master.cluster.store().commit(txn).await.unwrap();
    }
    master.until(|view| view.masters.len() == 3).await;
    master
}

/// The names in the list that is asked for.
async fn names(master: &Master, list: &str) -> Vec<String> {
    let reply = master.ask(&format!("GET {list}"), "").await;
    assert_eq!(reply.status, 200, "{list}: {}", reply.text());
    let items = reply.json();
    let name = |item: &Value| item["name"].as_str().or(item.as_str()).unwrap().to_owned();
    items.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn every_list_takes_a_pattern_for_names_and_pages_of_what_it_leaves() {
    let master = with_three_of_each().await;
    for list in ["/deployment-group", "/tokens", "/variables", "/masters"] {
        for (query, expected) in [
            ("", &["a1", "a2", "b1"][..]),
            ("?namePattern=1$", &["a1", "b1"]),
            ("?namePattern=^a&limit=1", &["a1"]),
            ("?namePattern=1$&limit=5&after=a1", &["b1"]),
            ("?namePattern=c", &[]),
        ] {
            let found = names(&master, &format!("{list}{query}")).await;
            assert_eq!(found, expected, "{list}{query}");
        }
    }
    for list in [
        "/deployment-group",
        "/tokens",
        "/variables",
        "/masters",
        "/resets",
    ] {
        let request = format!("GET {list}?namePattern=%28");
        let reply = master.ask(&request, "").await;
        assert_eq!(reply.status, 400, "{request}");
    }
}

#[tokio::test]
async fn groups_are_found_by_how_they_are_doing() {
    let master = with_three_of_each().await;
    let stopped = master.ask("POST /deployment-group/a2/stop", "").await;
    assert_eq!(stopped.status, 204, "{}", stopped.text());
    for (status, expected) in [
        ("IDLE", &["a1", "b1"][..]),
        ("failed", &["a2"]),
        ("ACTIVE", &[]),
        ("NONE", &[]),
    ] {
        let found = names(&master, &format!("/deployment-group?status={status}")).await;
        assert_eq!(found, expected, "{status}");
    }
}

#[tokio::test]
async fn variables_are_found_by_whether_they_are_on_their_way() {
    let master = with_three_of_each().await;
    let rollout = json!({"transition": {
        "change": {"replace": {"from": 1, "to": 2}},
        "curve": {"shape": {"kind": "linear"}, "start": 4_000_000_000_000_i64, "length": {"elapsed": 1000}},
        "order": {"salt": "s"},
    }});
    master.host("n1").await;
    for name in ["a1", "b1"] {
        let request = format!("POST /variables/{name}/rollout");
        let reply = master.ask(&request, rollout.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let paused = master.ask("POST /variables/b1/pause", "").await;
    assert_eq!(paused.status, 200, "{}", paused.text());
    for (status, expected) in [("rolling", "a1"), ("paused", "b1"), ("settled", "a2")] {
        let found = names(&master, &format!("/variables?status={status}")).await;
        assert_eq!(found, [expected], "{status}");
    }
}

#[tokio::test]
async fn resets_are_found_by_how_far_they_are() {
    let master = Master::new().await;
    master.host("n1").await;
    let now = master.cluster.now().as_millis();
    let reset = json!({"name": "r", "wanted": {"reset_since": now}, "deadline": now + 3_600_000,
        "action": "none", "limits": {"minimum_healthy": {"hosts": 0}}});
    let started = master.ask("POST /resets", reset.to_string()).await;
    assert_eq!(started.status, 200, "{}", started.text());
    assert_eq!(names(&master, "/resets?status=running").await, ["r"]);
    let paused = master.ask("POST /resets/r/pause", "").await;
    assert_eq!(paused.status, 200, "{}", paused.text());
    assert_eq!(names(&master, "/resets?status=running").await, [""; 0]);
    assert_eq!(
        names(&master, "/resets?status=paused&namePattern=r").await,
        ["r"]
    );
    assert_eq!(names(&master, "/resets?namePattern=x").await, [""; 0]);
}
