//! Which request goes where.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post, put};

use super::guards::guard;
use super::state::MasterState;
use super::{deployments, hosts, jobs, masters};

/// Everything a master can be asked, ready to be served, merged or nested.
///
/// Every path works with and without a slash at its end. There is no fallback, so that an application it
/// is merged into keeps its own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use axum::{Router, routing::get};
/// use helios_api::server::{MasterState, router};
/// use helios_core::cluster::Cluster;
/// use helios_store::MemoryStore;
///
/// let cluster = Cluster::on(Arc::new(MemoryStore::new()))?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "my own page" }))
///     .merge(router(MasterState::new(cluster)));
/// # drop(app);
/// # Ok(())
/// # }
/// ```
pub fn router(state: MasterState) -> Router {
    let endpoints: [(&str, MethodRouter<MasterState>); 12] = [
        ("/jobs", get(jobs::list).post(jobs::create)),
        ("/jobs/{job}", get(jobs::get).delete(jobs::delete)),
        ("/jobs/{job}/status", get(jobs::status)),
        ("/jobs/statuses", post(jobs::statuses)),
        ("/hosts", get(hosts::list)),
        (
            "/hosts/{host}",
            put(hosts::register).delete(hosts::deregister),
        ),
        ("/hosts/{host}/status", get(hosts::status)),
        (
            "/hosts/statuses",
            get(hosts::all_statuses).post(hosts::statuses),
        ),
        ("/hosts/{host}/jobs/{job}", deployment()),
        ("/masters", get(masters::list)),
        ("/version", get(masters::version)),
        ("/version/check", get(masters::check_version)),
    ];
    let router = endpoints
        .into_iter()
        .fold(Router::new(), |router, (path, endpoint)| {
            let with_slash = format!("{path}/");
            router
                .route(path, endpoint.clone())
                .route(&with_slash, endpoint)
        });
    router
        .layer(from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

fn deployment() -> MethodRouter<MasterState> {
    get(deployments::get)
        .put(deployments::deploy)
        .patch(deployments::set_goal)
        .delete(deployments::undeploy)
}
