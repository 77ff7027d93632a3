//! Stores for Helios: in memory, embedded on disk, ZooKeeper.
#![deny(missing_docs)]

mod board;
mod memory;
mod tree;
#[cfg(feature = "zookeeper")]
pub mod zookeeper;

pub use memory::MemoryStore;
