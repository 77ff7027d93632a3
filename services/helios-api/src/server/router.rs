//! Which request goes where.

use axum::Router;
use axum::middleware::from_fn_with_state;

use super::guards::{Doors, guard};
use super::route::Route;
use super::state::MasterState;
use super::{
    deployments, desired, events, groups, history, hosts, jobs, logs, masters, openapi, resets,
    token, variables,
};

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
    let routes = routes();
    let doors = Doors::new(&state, &routes);
    routes
        .iter()
        .fold(Router::new(), |router, route| route.add_to(router))
        .layer(from_fn_with_state(doors, guard))
        .with_state(state)
}

/// Every thing a master can be asked: one list for each noun.
pub(super) fn routes() -> Vec<Route> {
    let nouns = [
        jobs::routes(),
        hosts::routes(),
        deployments::routes(),
        groups::routes(),
        history::routes(),
        logs::routes(),
        masters::routes(),
        events::routes::routes(),
        resets::routes(),
        token::routes::routes(),
        variables::routes(),
        desired::routes(),
        openapi::routes(),
    ];
    nouns.into_iter().flatten().collect()
}
