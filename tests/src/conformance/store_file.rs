use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::store::Key;
use helios_store::FileStore;
use helios_testkit::store::{Session, StoreHarness};
use tempfile::TempDir;

struct File {
    dir: TempDir,
    store: Mutex<Option<FileStore>>,
}

#[async_trait]
impl StoreHarness for File {
    async fn open(&self) -> Session {
        let store = self.store.lock().unwrap().as_ref().unwrap().session();
        let handle = store.clone();
        Session::new(store, async move { handle.close().await })
    }

    /// Closes the database and reads it anew.
    async fn restart(&self) {
        let mut store = self.store.lock().unwrap();
        drop(store.take());
        *store = Some(FileStore::open(&self.dir).unwrap());
    }

    async fn disturb(&self) {}

    fn root(&self) -> Key {
        Key::new("suite").unwrap()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

async fn file() -> File {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(&dir).unwrap();
    File {
        dir,
        store: Mutex::new(Some(store)),
    }
}

helios_testkit::store_conformance!(file);
