//! Deployment as a library: what should run on a fleet of hosts, and how to get there.
#![deny(missing_docs)]

pub mod model;
pub mod time;

pub use time::{Moment, Timestamp};
