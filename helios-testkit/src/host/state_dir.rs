//! A state directory in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use helios_core::state_dir::{StateDir, StateDirError};

/// Documents in memory. Clones are the same directory, so that a test can restart what uses it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStateDir(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<String, Vec<u8>>,
    is_full: bool,
}

impl MemoryStateDir {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every save fail from now on, or not any more.
    pub fn set_full(&self, is_full: bool) {
        self.with(|state| state.is_full = is_full);
    }

    /// Puts a document there, as somebody with an editor would.
    pub fn put(&self, name: &str, document: &[u8]) {
        self.with(|state| state.documents.insert(name.to_owned(), document.to_vec()));
    }

    /// Removes everything.
    pub fn wipe(&self) {
        self.with(|state| state.documents.clear());
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl StateDir for MemoryStateDir {
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        Ok(self.with(|state| state.documents.get(name).cloned()))
    }

    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError> {
        self.with(|state| {
            if state.is_full {
                return Err(StateDirError::new(format!(
                    "cannot write {name}: no space left"
                )));
            }
            state.documents.insert(name.to_owned(), document.to_vec());
            Ok(())
        })
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        self.with(|state| {
            let aside = format!("{name}.unreadable");
            let document = state.documents.remove(name);
            let document =
                document.ok_or_else(|| StateDirError::new(format!("there is no {name}")))?;
            state.documents.insert(aside.clone(), document);
            Ok(aside)
        })
    }
}
