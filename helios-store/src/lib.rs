//! Stores for Helios: in memory, embedded on disk, ZooKeeper.
//!
//! A [`Store`](helios_core::Store) holds what should run. All of these keep the same numbered
//! guarantees, so a program picks one by where it runs and nothing else:
//!
//! | store | for | survives | feature |
//! |---|---|---|---|
//! | [`MemoryStore`] | tests, simulations, one process | nothing | |
//! | `FileStore` | one machine, without any server | `kill -9`, power loss | `file` (default) |
//! | `ZooKeeperStore` | a fleet: many masters, many agents | the loss of a minority | `zookeeper` |
//!
//! Every handle has a session, and ephemeral entries end with it; `session()` of the first two gives a
//! second handle of the same tree, as another machine would have one.
//!
//! ```
//! use futures_util::StreamExt;
//! use helios_core::Store;
//! use helios_core::store::{Key, Scope, StoreErrorKind, Txn};
//! use helios_store::MemoryStore;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = MemoryStore::new();
//! let job = Key::new("jobs/web:1")?;
//! let mut jobs = store.watch(Scope::Children(Key::new("jobs")?));
//! assert!(jobs.next().await.ok_or("the store is gone")??.is_empty());
//!
//! store.commit(Txn::new().create(job.clone(), "first")).await?;
//! assert_eq!(jobs.next().await.ok_or("the store is gone")??.len(), 1);
//!
//! // Nothing is ever overwritten unseen: an update names the version it was made from.
//! let seen = store.get(&job).await?.ok_or("the job is gone")?;
//! store.commit(Txn::new().update(job.clone(), seen.version, "second")).await?;
//! let late = store.commit(Txn::new().update(job, seen.version, "third")).await;
//! assert_eq!(late.map_err(|error| error.kind()), Err(StoreErrorKind::Conflict));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Writing another one
//!
//! Implement the four methods of [`Store`](helios_core::Store); its documentation says what each promises. Then
//! let the conformance suite of `helios-testkit` judge, which takes a way to open handles and one macro
//! line, and has a case for every guarantee. What is easily overlooked:
//!
//! * Call [`Txn::validate`](helios_core::store::Txn::validate) before anything else (S-12).
//! * A lost connection makes a commit [`Indeterminate`](helios_core::store::StoreErrorKind::Indeterminate),
//!   never `Unavailable`, unless it is certain that nothing was written (S-10).
//! * Build each snapshot of a watch from the one before (S-16), and put nothing but the newest one in front of
//!   a reader: a `tokio::sync::watch` does just that (S-15, S-18).
//! * A directory is there when an entry is below it. If the backend has real directories, it makes them and
//!   hides them (S-04, S-13).
#![deny(missing_docs)]

mod board;
#[cfg(feature = "file")]
mod file;
mod memory;
mod tree;
#[cfg(feature = "zookeeper")]
pub mod zookeeper;

#[cfg(feature = "file")]
pub use file::FileStore;
pub use memory::MemoryStore;
