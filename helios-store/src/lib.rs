//! Stores for Helios: in memory, embedded on disk, ZooKeeper.
#![deny(missing_docs)]

#[cfg(feature = "zookeeper")]
pub mod zookeeper;
