//! Stores for Helios: in memory, embedded on disk, ZooKeeper.
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
