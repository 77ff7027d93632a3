use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::Value;

use super::super::super::authorities::Authorities;
use super::*;

fn outbound() -> Outbound {
    Outbound::trusting(&Authorities::default())
}

/// What stands in for Consul's agent: its services, and all that it was asked.
#[derive(Clone, Debug, Default)]
struct StandIn {
    services: Arc<Mutex<BTreeMap<String, Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    async fn start() -> (Self, Url) {
        let stand_in = Self::default();
        let app = Router::new()
            .route("/v1/agent/services", get(services))
            .route("/v1/agent/service/register", put(register))
            .route("/v1/agent/service/deregister/{id}", put(deregister))
            .with_state(stand_in.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (stand_in, url)
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn services(
    State(consul): State<StandIn>,
    headers: HeaderMap,
) -> Result<Json<BTreeMap<String, Value>>, StatusCode> {
    if headers
        .get("x-consul-token")
        .is_none_or(|token| token != "secret")
    {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(Json(consul.services.lock().unwrap().clone()))
}

async fn register(State(consul): State<StandIn>, Json(body): Json<Value>) {
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let (id, mut shown) = (text("ID"), body.clone());
    shown["Service"] = body["Name"].clone();
    consul.asked.lock().unwrap().push(format!(
        "register {} at {}:{} {} {}",
        text("Name"),
        text("Address"),
        body["Port"],
        body["Tags"],
        body["Check"]
    ));
    consul.services.lock().unwrap().insert(id, shown);
}

async fn deregister(State(consul): State<StandIn>, Path(id): Path<String>) {
    let gone = consul.services.lock().unwrap().remove(&id);
    let name = gone.map(|service| service["Name"].to_string());
    consul
        .asked
        .lock()
        .unwrap()
        .push(format!("deregister {}", name.unwrap_or(id)));
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        protocol: "http".to_owned(),
        host: "web1".to_owned(),
        port: 20_001,
        port_name: "http".to_owned(),
        domain: String::new(),
        tags: vec!["live".to_owned()],
        health: Some(HealthHint::Http {
            path: "/health".to_owned(),
        }),
    }
}

fn wanted(names: &[&str]) -> Services {
    let job = |name: &&str| (format!("{name}:1").parse().unwrap(), vec![endpoint(name)]);
    Services {
        endpoints: names.iter().map(job).collect(),
        ..Services::default()
    }
}

fn registrar(url: &Url) -> ConsulRegistrar {
    ConsulRegistrar::new(outbound(), url.clone(), Some("secret".to_owned()), "a1")
}

#[tokio::test]
async fn consul_is_told_what_is_new_and_what_is_gone_and_nothing_twice() {
    let (consul, url) = StandIn::start().await;
    let own = registrar(&url);
    own.publish(&wanted(&["web", "db"])).await.unwrap();
    let check = json!({
        "HTTP": "http://web1:20001/health",
        "Interval": "10s",
        "Timeout": "5s",
        "Status": "passing",
        "DeregisterCriticalServiceAfter": "72h",
    });
    assert_eq!(
        consul.asked(),
        ["db", "web"].map(|name| format!("register {name} at web1:20001 [\"live\"] {check}"))
    );
    // An agent that starts again finds what it registered.
    registrar(&url)
        .publish(&wanted(&["web", "db"]))
        .await
        .unwrap();
    assert_eq!(consul.asked(), <[String; 0]>::default());
    own.publish(&wanted(&["web"])).await.unwrap();
    assert_eq!(consul.asked(), ["deregister \"db\""]);
    // A registry that forgot is told again.
    consul.services.lock().unwrap().clear();
    own.publish(&wanted(&["web"])).await.unwrap();
    assert_eq!(consul.asked().len(), 1);
}

#[tokio::test]
async fn what_is_undecided_or_anothers_stays() {
    let (consul, url) = StandIn::start().await;
    let other = ConsulRegistrar::new(outbound(), url.clone(), Some("secret".to_owned()), "a2");
    other.publish(&wanted(&["theirs"])).await.unwrap();
    let own = registrar(&url);
    own.publish(&wanted(&["web", "db"])).await.unwrap();
    consul.asked();
    let mut services = wanted(&["db"]);
    services.undecided.insert("web:1".parse().unwrap());
    own.publish(&services).await.unwrap();
    assert_eq!(consul.asked(), <[String; 0]>::default());
    assert_eq!(consul.services.lock().unwrap().len(), 3);
    own.publish(&Services::default()).await.unwrap();
    assert_eq!(consul.services.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_registry_that_refuses_or_is_away_is_named() {
    let (_consul, url) = StandIn::start().await;
    let stranger = ConsulRegistrar::new(outbound(), url.clone(), None, "a1");
    let error = stranger.publish(&wanted(&["web"])).await.unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
    let away = registrar(&Url::parse("http://127.0.0.1:1").unwrap());
    let error = away.publish(&wanted(&["web"])).await.unwrap_err();
    assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
}
