//! The store of a simulated fleet: a model of a ZooKeeper ensemble, one layer above the wire.
//!
//! There is one log of commits, and replicas that follow it at their own pace. A client reads from one
//! replica, never goes back within its life, and may see the past when it starts anew. Sessions end when
//! nothing was heard of them for the timeout, not before. A commit whose reply is lost may have happened, or
//! happen later.

mod client;
#[cfg(test)]
mod conformance;
mod log;
mod model;
mod watch;

pub(super) use client::SimStore;
pub(super) use model::Model;
