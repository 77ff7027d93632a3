use std::time::Duration;

use async_trait::async_trait;
use helios_core::store::Key;
use helios_store::MemoryStore;
use helios_testkit::store::{Session, StoreHarness};

struct Memory(MemoryStore);

#[async_trait]
impl StoreHarness for Memory {
    async fn open(&self) -> Session {
        let store = self.0.session();
        Session::new(store.clone(), async move { store.close() })
    }

    async fn restart(&self) {}

    async fn disturb(&self) {}

    fn root(&self) -> Key {
        Key::new("suite").unwrap()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

async fn memory() -> Memory {
    Memory(MemoryStore::new())
}

helios_testkit::store_conformance!(memory);
