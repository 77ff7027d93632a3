//! The ZooKeeper tier: the distributed store against real servers.
//!
//! Needs Debian's `zookeeper` package: `scripts/zookeeper install`.

#![cfg(test)]

mod certificates;
mod conformance;
mod ensemble;
mod fleet;
mod host;
mod load;
mod one_server;
mod presence;
mod proxy;
mod recorded;
mod security;
mod side_by_side;
mod three_servers;
mod together;
mod unread;
mod watching;
mod wrong_store;
