//! A store of your own: `store.rs` is all of it, and one macro line in `suite.rs` proves it.

mod store;
#[cfg(test)]
mod suite;

use std::sync::Arc;

use helios_core::Cluster;

use self::store::LockedStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = LockedStore::open(&Arc::default());
    println!("cluster {}", Cluster::on(Arc::new(store))?.init().await?);
    Ok(())
}
