//! A master with a cluster in memory, and ways to ask it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use helios_core::cluster::{Cluster, FleetView};
use helios_core::model::{Goal, HostInfo, HostName, Job, JobId, PortMapping, TaskState};
use helios_core::ops::{CreateJob, Deploy, RegisterHost};
use helios_core::schema::{HostReport, Keys, Presence, TaskReport, encode};
use helios_core::store::{Store, Txn};
use helios_store::MemoryStore;
use serde_json::Value;
use tower::ServiceExt;

use crate::server::{MasterState, router};

pub(super) struct Master {
    pub(super) cluster: Cluster,
    pub(super) state: MasterState,
    pub(super) app: Router,
}

/// What a request was answered with.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Master {
    pub(super) async fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    pub(super) fn on(store: Arc<dyn Store>) -> Self {
        Self::of(Cluster::on(store).unwrap())
    }

    pub(super) fn of(cluster: Cluster) -> Self {
        let state = MasterState::new(cluster.clone());
        let app = router(state.clone());
        Self {
            cluster,
            state,
            app,
        }
    }

    /// Sends a request such as `GET /jobs`, with a JSON body unless that is empty.
    pub(super) async fn ask(&self, request: &str, body: impl Into<String>) -> Reply {
        let body: String = body.into();
        let headers = [("content-type", "application/json")];
        let headers = if body.is_empty() { &[][..] } else { &headers };
        self.send(request, headers, Body::from(body)).await
    }

    pub(super) async fn send(&self, request: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let (method, uri) = request.split_once(' ').unwrap();
        let mut message = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            message = message.header(*name, *value);
        }
        let response = self
            .app
            .clone()
            .oneshot(message.body(body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get("content-type");
        // A stream of events has no end that could be waited for.
        let endless = kind.is_some_and(|kind| kind == "text/event-stream");
        let body = if endless { Body::empty() } else { body };
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        };
        let faults = super::schema::faults_of_answer(request, &reply);
        assert_eq!(
            faults, [""; 0],
            "{request} is answered otherwise than described"
        );
        reply
    }

    /// Asks without a body, and compares code and JSON.
    pub(super) async fn expect(&self, request: &str, status: u16, body: Value) {
        self.expect_with(request, "", status, body).await;
    }

    pub(super) async fn expect_with(
        &self,
        request: &str,
        sent: impl Into<String>,
        status: u16,
        body: Value,
    ) {
        let reply = self.ask(request, sent).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (status, body),
            "{request}"
        );
        assert_eq!(
            reply.header("content-type"),
            "application/json",
            "{request}"
        );
    }

    /// Creates a job behind the router's back.
    pub(super) async fn job(&self, job: Job) -> JobId {
        let id = self.cluster.create_job(&CreateJob::new(job)).await.unwrap();
        self.until(|view| view.jobs.get(&id).is_some()).await;
        id
    }

    /// Registers a host behind the router's back.
    pub(super) async fn host(&self, name: &str) -> HostName {
        let host: HostName = name.parse().unwrap();
        let request = RegisterHost {
            host: host.clone(),
            agent_id: format!("agent of {host}"),
        };
        self.cluster.register_host(&request).await.unwrap();
        self.until(|view| view.hosts.get(&host).is_some()).await;
        host
    }

    /// Deploys a job without a token behind the router's back.
    pub(super) async fn deploy(&self, host: &HostName, job: &JobId) {
        let request = Deploy {
            user: Some("ann".to_owned()),
            ..Deploy::new(host.clone(), job.clone(), Goal::Start)
        };
        self.cluster.deploy(&request).await.unwrap();
        let deployed = |view: &FleetView| view.hosts.get(host).unwrap().goals.contains_key(job);
        self.until(deployed).await;
    }

    /// Lets a host's agent live, and report those tasks as running.
    pub(super) async fn agent(&self, host: &HostName, labels: &[(&str, &str)], tasks: &[&JobId]) {
        let mut host_info = HostInfo::default();
        host_info.hostname = Some(host.to_string());
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let report = HostReport {
            tasks: tasks
                .iter()
                .map(|id| (JobId::clone(id), running()))
                .collect(),
            host_info: Some(host_info),
            labels: labels.collect(),
            ..HostReport::default()
        };
        self.agent_reports(host, report).await;
    }

    /// Lets a host's agent live, and report that.
    pub(super) async fn agent_reports(&self, host: &HostName, report: HostReport) {
        let id = format!("agent of {host}");
        let up = Presence {
            id: id.clone(),
            incarnation: "1".to_owned(),
        };
        let report = HostReport {
            agent_id: id,
            ..report
        };
        let txn = Txn::new()
            .create_ephemeral(Keys::up(host), encode(&up))
            .create(Keys::report(host), encode(&report));
        self.cluster.store().commit(txn).await.unwrap();
        let reported = |view: &FleetView| {
            view.host(host)
                .is_some_and(|host| host.up && host.report.is_some())
        };
        self.until(reported).await;
    }

    /// Waits until reads show that.
    pub(super) async fn until(&self, made: impl Fn(&FleetView) -> bool) {
        while !made(&self.state.fleet.view().await.unwrap()) {
            tokio::task::yield_now().await;
        }
    }
}

pub(super) fn web() -> Job {
    Job::new("web:7", "nginx")
        .unwrap()
        .port("http", PortMapping::tcp(80))
}

pub(super) fn running() -> TaskReport {
    TaskReport {
        container_id: Some("cid".to_owned()),
        ports: BTreeMap::from([("http".to_owned(), PortMapping::tcp(80))]),
        ..TaskReport::new(
            Goal::Start,
            TaskState::Running,
            helios_core::Timestamp::from_millis(0),
        )
    }
}
