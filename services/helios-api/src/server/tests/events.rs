//! Following what happens.

use axum::body::Body;
use futures_util::StreamExt;
use helios_core::ops::RegisterHost;
use helios_core::schema::Keys;
use helios_core::store::Txn;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::harness::{Master, web};
use super::schema::{DESCRIBED, faults};
use crate::client::{Client, EventsQuery};
use crate::server::events::changes;
use crate::wire::Event;

/// A connection to `/events`.
struct Stream(Body, String);

impl Stream {
    async fn open(master: &Master, query: &str, last: &str) -> Self {
        let request = axum::http::Request::builder().uri(format!("/events{query}"));
        let request = if last.is_empty() {
            request
        } else {
            request.header("last-event-id", last)
        };
        let request = request.body(Body::empty()).unwrap();
        let response = master.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body(), String::new())
    }

    /// The next event: id, kind and data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let line = |name: &str| {
                    let mut lines = event.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .unwrap_or_default()
                };
                let (id, data) = (line("id: ").to_owned(), line("data: ").to_owned());
                let kind = line("event: ").to_owned();
                self.1 = rest.to_owned();
                let data: Value = serde_json::from_str(&data).unwrap();
                assert_eq!(data["kind"], kind);
                let described = &DESCRIBED["components"]["schemas"]["Event"];
                assert_eq!(faults(&DESCRIBED, described, &data), [""; 0]);
                return (id, data);
            }
            let frame = self.0.frame().await.unwrap().unwrap();
            self.1
                .push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_in_order_and_can_be_gone_on_with() {
    let master = Master::new().await;
    // The first look at the cluster is not news, and neither is what was shown before.
    assert!(master.state.fleet.begun().await);
    let host = master.host("n1").await;
    master.until(|view| view.hosts.get(&host).is_some()).await;
    let mut all = Stream::open(&master, "", "").await;
    let id = master.job(web()).await;
    let (first, event) = all.next().await;
    assert_eq!(
        event,
        json!({"kind": "job", "data": {"name": id, "gone": false}})
    );
    master.deploy(&host, &id).await;
    let (second, event) = all.next().await;
    let deployed = json!({"host": "n1", "job": id, "goal": "START"});
    assert_eq!(event, json!({"kind": "deployment", "data": deployed}));
    master.agent(&host, &[], &[&id]).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        told.push(all.next().await.1);
    }
    assert_eq!(
        told[0],
        json!({"kind": "host", "data": {"host": "n1", "status": "UP"}})
    );
    assert_eq!(
        (&told[1]["kind"], &told[1]["data"]["state"]),
        (&json!("task"), &json!("RUNNING"))
    );

    let mut again = Stream::open(&master, "", &first).await;
    assert_eq!(again.next().await.0, second);
    let mut tasks = Stream::open(&master, "?kind=task&host=n1", &first).await;
    assert_eq!(tasks.next().await.1["data"]["containerId"], "cid");
    let mut elsewhere = Stream::open(&master, "?after=0000000000000001-3", "").await;
    assert_eq!(elsewhere.next().await.1["kind"], "gap");
}

#[tokio::test]
async fn a_host_that_was_registered_anew_between_two_looks_went_and_came() {
    let master = Master::new().await;
    let (host, id) = (master.host("n1").await, master.job(web()).await);
    master.deploy(&host, &id).await;
    let older = master.cluster.fleet().await.unwrap();
    master.cluster.deregister_host(&host).await.unwrap();
    let request = RegisterHost {
        host,
        agent_id: "agent of n1".to_owned(),
    };
    master.cluster.register_host(&request).await.unwrap();
    let newer = master.cluster.fleet().await.unwrap();
    let told = serde_json::to_value(changes(&older, &newer)).unwrap();
    let expected = json!([
        {"kind": "host", "data": {"host": "n1", "status": null}},
        {"kind": "deployment", "data": {"host": "n1", "job": id, "goal": null}},
        {"kind": "host", "data": {"host": "n1", "status": "DOWN"}},
    ]);
    assert_eq!(told, expected);
    assert!(changes(&newer, &newer).is_empty());
}

#[tokio::test]
async fn groups_variables_and_resets_are_told_by_name() {
    let master = Master::new().await;
    master.host("n1").await;
    let mut stream = Stream::open(&master, "?kind=group", "").await;
    let key = Keys::group("web").unwrap();
    // Whether the watch has begun shows only by what it tells.
    let told = async {
        loop {
            let found = master.cluster.store().get(&key).await.unwrap();
            let txn = match found {
                Some(found) => Txn::new().delete(key.clone(), found.version),
                None => Txn::new().create(key.clone(), "{}"),
            };
            master.cluster.store().commit(txn).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = told => {}
        (_, event) = stream.next() => assert_eq!(event["data"]["name"], "web"),
    }
}

#[tokio::test]
async fn a_client_follows_what_happens_and_goes_on_after_its_master_came_back() {
    let master = Master::new().await;
    master.host("n1").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&listener.local_addr().unwrap().to_string()).unwrap();
    let app = master.app.clone();
    tokio::spawn(crate::server::serve(listener, app, std::future::pending()));
    let query = EventsQuery {
        kinds: vec!["job".to_owned()],
        after: Some("of-long-ago".to_owned()),
        ..EventsQuery::default()
    };
    let mut events = client.watch_events(&query);
    assert_eq!(events.next().await.unwrap().unwrap().1, Event::Gap {});
    let id = master.job(web()).await;
    let (last, event) = events.next().await.unwrap().unwrap();
    assert_eq!((event.kind(), event.job()), ("job", Some(id.as_str())));
    drop(events);
    master
        .job(helios_core::model::Job::new("b:1", "i").unwrap())
        .await;
    let query = EventsQuery {
        after: Some(last),
        ..query
    };
    let (_, event) = client.watch_events(&query).next().await.unwrap().unwrap();
    assert!(event.job().unwrap().starts_with("b:1:"), "{event:?}");
}
