//! A master inside an axum app of your own: its routes beside yours, on one listener.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use helios_api::server::{MasterState, router, serve};
use helios_core::Cluster;
use helios_store::MemoryStore;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::on(Arc::new(MemoryStore::new()))?;
    cluster.init().await?;

    let own = Router::new().route("/hello", get(async || "hello"));
    let app = own.merge(router(MasterState::new(cluster)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "http://{}/hello and http://{0}/jobs; Ctrl-C ends it",
        listener.local_addr()?
    );
    serve(listener, app, async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(())
}
