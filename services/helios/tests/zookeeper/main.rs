//! The binary on a real ZooKeeper server.

#[cfg(test)]
#[path = "../../../../tests/src/zookeeper/certificates.rs"]
#[expect(dead_code, reason = "some of it is for other tests")]
mod certificates;
#[cfg(test)]
mod containers;
#[cfg(test)]
#[path = "../../../../tests/src/zookeeper/ensemble.rs"]
#[expect(dead_code, reason = "most of it is for other tests")]
mod ensemble;
#[cfg(test)]
mod init_acl;
#[cfg(test)]
#[path = "../serving/prometheus.rs"]
mod prometheus;
#[cfg(test)]
#[path = "../../../../tests/src/zookeeper/proxy.rs"]
#[expect(dead_code, reason = "faults are for other tests")]
mod proxy;
#[cfg(test)]
mod reset_guards;
#[cfg(test)]
mod resets;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod secured;
#[cfg(test)]
#[path = "../serving/mod.rs"]
#[expect(dead_code, reason = "a cluster has a home of its own")]
mod serving;
#[cfg(test)]
mod visitor;
