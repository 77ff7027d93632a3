//! Deployment as a library: what should run on a fleet of hosts, and how to get there.
#![deny(missing_docs)]

pub mod agent;
pub mod clock;
pub mod cluster;
pub mod model;
pub mod ops;
pub mod reconcile;
pub mod runtime;
pub mod schema;
pub mod state_dir;
pub mod store;
pub mod time;

pub use clock::{Clock, SystemClock};
pub use cluster::Cluster;
pub use model::{Deployment, Goal, HostName, Job, JobId, PortMapping, TaskState};
pub use runtime::Runtime;
pub use state_dir::StateDir;
pub use store::Store;
pub use time::{Moment, Timestamp};
