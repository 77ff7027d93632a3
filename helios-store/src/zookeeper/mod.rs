//! The distributed store: a ZooKeeper ensemble, any number of masters, thousands of agents.
//!
//! An entry `hosts/web1` is the node `/hosts/web1` below the store's directory, and its value is the
//! node's data, so that any ZooKeeper tool shows what is stored. A transaction is one ZooKeeper
//! transaction. Directories are container nodes, made with the first entry in them and removed by the
//! servers after the last.
//!
//! The servers must be ZooKeeper 3.6 or later. How to run them is in `docs/zookeeper.md`, with what was
//! measured and why this client was chosen.

mod access;
mod acl;
mod address;
mod backoff;
mod barrier;
mod batch;
mod calls;
mod commit;
mod credential;
mod directories;
mod fault;
mod follower;
mod multi_write;
mod options;
mod picture;
mod plan;
mod point_read;
mod read;
mod request;
mod session;
mod startup;
mod store;
#[cfg(feature = "zookeeper-tls")]
mod tls;
mod view;
mod views;

pub use access::Access;
pub use acl::AclReport;
pub use address::{AddressError, ZooKeeperAddress};
pub use credential::{Credential, CredentialError, Identity};
pub use options::ZooKeeperOptions;
pub use store::ZooKeeperStore;
#[cfg(feature = "zookeeper-tls")]
pub use tls::Tls;
