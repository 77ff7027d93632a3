//! Proves a [`Store`](helios_core::Store): one case for each guarantee of the port.
//!
//! A backend gives the suite a [`StoreHarness`] and gets, with one macro line, one test per case. Cases
//! cannot be left out: what a backend cannot do, it does not promise to anybody else either.
//!
//! ```
//! use std::time::Duration;
//!
//! use async_trait::async_trait;
//! use helios_core::store::Key;
//! use helios_store::MemoryStore;
//! use helios_testkit::store::{Session, StoreHarness};
//!
//! /// One tree in memory. A real backend would keep what it needs to connect.
//! struct Memory(MemoryStore);
//!
//! #[async_trait]
//! impl StoreHarness for Memory {
//!     async fn open(&self) -> Session {
//!         let store = self.0.session();
//!         Session::new(store.clone(), async move { store.close() })
//!     }
//!     async fn restart(&self) {} // memory promises to survive nothing
//!     async fn disturb(&self) {} // and knows no trouble
//!     fn root(&self) -> Key {
//!         Key::new("suite").expect("a legal key")
//!     }
//!     fn patience(&self) -> Duration {
//!         Duration::from_secs(30)
//!     }
//! }
//!
//! async fn memory() -> Memory {
//!     Memory(MemoryStore::new())
//! }
//!
//! // In a test target, this line is everything:
//! helios_testkit::store_conformance!(memory);
//! # helios_testkit::store::check("s01_absent_and_deleted_entries_are_none", memory);
//! ```
//!
//! [`verdict`] runs a single case and gives the failure as text; with it the suite itself is tested, on stores
//! with planted bugs.

mod cases;
mod harness;
mod list;
mod mock;
mod trial;

pub use harness::{Session, StoreHarness};
pub use list::{CASES, check, verdict};
pub use mock::MockStore;
