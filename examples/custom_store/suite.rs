//! All guarantees of the port, as tests of this store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::store::Key;
use helios_testkit::store::{Session, StoreHarness};

use super::store::{LockedStore, Shared};

/// One tree, of which the suite opens as many handles as it likes.
struct Locked(Arc<Shared>);

#[async_trait]
impl StoreHarness for Locked {
    async fn open(&self) -> Session {
        let store = LockedStore::open(&self.0);
        let (shared, session) = (Arc::clone(&self.0), store.session);
        Session::new(store, async move { shared.end(session) })
    }

    async fn restart(&self) {} // it promises to survive nothing

    async fn disturb(&self) {} // and knows no trouble

    fn root(&self) -> Key {
        Key::new("suite").expect("a legal key")
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

async fn locked() -> Locked {
    Locked(Arc::default())
}

helios_testkit::store_conformance!(locked);
