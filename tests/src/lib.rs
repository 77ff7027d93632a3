//! The test tiers above the crates: one folder and one binary each. The simulation tier is in
//! `helios-testkit/tests/simulation`, where it can be built optimised without Docker, HTTP and their friends.
//!
//! | tier | what it shows | needs |
//! |---|---|---|
//! | `agent` | the whole agent in paused time, killed, starved and lied to | nothing |
//! | `cluster` | changes of many masters through a bad connection happen exactly once and keep the schema's invariants | nothing |
//! | `conformance` | every backend keeps every guarantee of its port, and the suites catch planted bugs | Docker, ZooKeeper |
//! | `tidy` | the sources keep the rules of `ARCHITECTURE.md` and `CONTRIBUTING.md` | nothing |
//! | `resets` | fleets that are reset end to end while masters die, whole agents on fake engines, in paused time | nothing |
//! | `zookeeper` | the distributed store on real servers that are cut off, frozen, wiped and killed | ZooKeeper |
