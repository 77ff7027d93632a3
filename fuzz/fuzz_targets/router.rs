//! Whatever is asked, a master answers, it never fails, and a refusal has a reason.
//!
//! An input is a line `METHOD PATH`, and the rest is the body.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Response, StatusCode};
use helios_api::server::{MasterState, router};
use helios_core::cluster::Cluster;
use helios_core::model::{Goal, Job};
use helios_core::ops::{CreateJob, Deploy, RegisterHost};
use helios_store::MemoryStore;
use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// How many requests a master gets before another one takes its place, so that no cluster grows without end.
const REQUESTS_MAX: u32 = 500;

struct Master {
    /// Its clock moves on whenever nothing else is to do, so that no request waits for real.
    runtime: Runtime,
    app: Router,
    asked: u32,
}

thread_local! {
    static MASTER: RefCell<Option<Master>> = const { RefCell::new(None) };
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(request) = request(bytes) else {
        return Corpus::Reject;
    };
    MASTER.with_borrow_mut(|kept| {
        let mut master = kept.take().unwrap_or_else(Master::new);
        master.ask(request);
        *kept = Some(master).filter(|master| master.asked < REQUESTS_MAX);
    });
    Corpus::Keep
});

fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = bytes.split_at(end);
    let (method, path) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let request = Request::builder().method(method).uri(path);
    let request = request.header(CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_vec())).ok()
}

impl Master {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let app = runtime.block_on(async {
            let cluster = Cluster::on(Arc::new(MemoryStore::new())).expect("a cluster");
            fill(&cluster)
                .await
                .expect("an empty store takes everything");
            router(MasterState::new(cluster))
        });
        Self {
            runtime,
            app,
            asked: 0,
        }
    }

    fn ask(&mut self, request: Request<Body>) {
        self.asked += 1;
        let app = self.app.clone();
        let has_body = request.method() != Method::HEAD;
        self.runtime.block_on(async {
            let Ok(response) = app.oneshot(request).await;
            judge(response, has_body).await;
        });
    }
}

/// A job on a host.
async fn fill(cluster: &Cluster) -> Result<(), Box<dyn std::error::Error>> {
    let job = cluster
        .create_job(&CreateJob::new(Job::new("web:7", "nginx")?))
        .await?;
    let host: helios_core::model::HostName = "n1".parse()?;
    let register = RegisterHost {
        host: host.clone(),
        agent_id: "agent".to_owned(),
    };
    cluster.register_host(&register).await?;
    cluster.deploy(&Deploy::new(host, job, Goal::Start)).await?;
    Ok(())
}

async fn judge(response: Response<Body>, has_body: bool) {
    let status = response.status();
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let kind = response.headers().get(CONTENT_TYPE).cloned();
    let kind = kind.as_ref().and_then(|kind| kind.to_str().ok());
    // A stream of events has no end.
    if kind == Some("text/event-stream") {
        return;
    }
    let body = to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("the whole body");
    let is_told = !has_body || !status.is_client_error() || !body.is_empty();
    assert!(is_told, "{status} without a reason");
    if has_body && kind == Some("application/json") && status.is_success() {
        serde_json::from_slice::<serde_json::Value>(&body).expect("what calls itself JSON is JSON");
    }
}
