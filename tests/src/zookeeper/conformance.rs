//! The conformance suite, the same cases as for every other store.

use std::sync::Arc;

use async_trait::async_trait;
use helios_core::store::Key;
use helios_testkit::store::{Session, StoreHarness};
use tokio::sync::Mutex;

use crate::ensemble::Ensemble;
use crate::load::{HANGS, key};

/// Servers of its own for each case, because some cases restart them.
struct Servers(Arc<Mutex<Ensemble>>);

#[async_trait]
impl StoreHarness for Servers {
    async fn open(&self) -> Session {
        let store = self.0.lock().await.store("helios").await;
        Session::new(store.clone(), async move { store.close().await })
    }

    async fn restart(&self) {
        let mut ensemble = self.0.lock().await;
        for server in 0..ensemble.len() {
            ensemble.kill(server);
        }
        for server in 0..ensemble.len() {
            ensemble.restart(server);
        }
        ensemble.until_all_serve().await;
    }

    /// The connection of every handle is lost for a while; the sessions live on.
    async fn disturb(&self) {
        let mut ensemble = self.0.lock().await;
        let victim = ensemble.leader().await.unwrap_or(0);
        ensemble.kill(victim);
        ensemble.restart(victim);
        ensemble.until_all_serve().await;
    }

    fn root(&self) -> Key {
        key("suite")
    }

    fn patience(&self) -> std::time::Duration {
        HANGS
    }
}

async fn servers(count: usize) -> Servers {
    Servers(Arc::new(Mutex::new(Ensemble::start(count).await)))
}

mod one_server {
    async fn harness() -> super::Servers {
        super::servers(1).await
    }

    helios_testkit::store_conformance!(harness);
}

mod three_servers {
    async fn harness() -> super::Servers {
        super::servers(3).await
    }

    helios_testkit::store_conformance!(harness);
}
