//! Deployment as a library: what should run on a fleet of hosts, and how to get there.
//!
//! A *job* says which image to run, and never changes. A *deployment* says that a job has a *goal* (start or
//! stop) on a *host*. An *agent* beside each container engine looks at what is desired and what is observed,
//! and does what is missing. A *master* is any program that holds a [`Cluster`]; there is no leader.
//!
//! ```text
//!   Cluster  --->  Store  --->  reconcile  --->  Runtime
//!   (pure ops)     (watch)      (pure plan)      (one call per action)
//!   helios_core::ops  ::store   ::reconcile      ::runtime
//! ```
//!
//! This crate decides; it opens no socket and knows no engine. Stores are in `helios-store`, the Docker engine
//! is in `helios-docker`, the HTTP API in `helios-api`, and doubles of all ports in `helios-testkit`.
//!
//! # What to touch first
//!
//! * To run containers: [`Agent::new`](agent::Agent::new) with a [`Store`], a [`Runtime`] and a [`StateDir`],
//!   then [`Agent::run`](agent::Agent::run) until a future of yours ends. [`AgentId::load`](agent::AgentId::load)
//!   remembers which containers are its own. The agent reaches goals only in a store that somebody has
//!   initialised: [`Cluster::init`] may be called by everybody, and again.
//! * To say what should run: [`Cluster::on`] a store, then [`create_job`](Cluster::create_job),
//!   [`deploy`](Cluster::deploy), [`set_goal`](Cluster::set_goal), [`undeploy`](Cluster::undeploy) and
//!   [`remove_job`](Cluster::remove_job), each with its request of [`ops`]. They return once it is written, not
//!   once it runs: [`Cluster::wait_until`] waits for that.
//! * To decide without any of this: [`reconcile`](reconcile::reconcile), [`validate`](model::validate) and the
//!   functions of [`ops`] are pure.
//!
//! All of it is async over tokio and needs a runtime with time enabled; every handle is cheap to clone or
//! shared in an `Arc`, and every port is an object-safe trait.
//!
//! # An example
//!
//! What would the agent of `web1` do for a job that was just deployed, and why?
//!
//! ```
//! use helios_core::model::{ValidationRules, validate};
//! use helios_core::reconcile::{Desired, Observed, Policy, reconcile};
//! use helios_core::runtime::Containers;
//! use helios_core::{Goal, Job, Moment, PortMapping, Timestamp};
//!
//! let job = Job::new("web:1", "nginx:1.27")?
//!     .port("http", PortMapping::tcp(80))
//!     .with_computed_id();
//! let today = Timestamp::from_millis(1_800_000_000_000);
//! assert!(validate(&job, &ValidationRules::for_client(today)).is_empty());
//!
//! let desired = Desired::new(Policy::for_host("web1")).with(job, Goal::Start);
//! let mut observed = Observed {
//!     containers: Some(Containers::new()),
//!     ..Observed::default()
//! };
//! // A port is leased before a container is made; the agent stores the leases of a plan, then follows it.
//! observed.leases = reconcile(&desired, &observed, Moment::default()).leases;
//!
//! let plan = reconcile(&desired, &observed, Moment::default());
//! let line = &plan.tasks[0];
//! assert_eq!(line.because.to_string(), "it is deployed and has no container");
//! assert!(line.action.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules, in reading order
//!
//! | module | what it holds |
//! |---|---|
//! | [`model`] | jobs, hosts, goals, their JSON, and the rules of [`validate`](model::validate): plain data |
//! | [`ops`] | what can be asked of a cluster, as pure functions from what was read to a transaction |
//! | [`reconcile`] | from desired and observed to a plan, every line with its reason: pure |
//! | [`store`] | the port [`Store`]: a small versioned tree with transactions and watches |
//! | [`runtime`] | the port [`Runtime`]: the containers of one owner; and [`Probe`](runtime::Probe), for health |
//! | [`state_dir`] | the port [`StateDir`]: what an agent must remember across restarts |
//! | [`clock`], [`time`] | the port [`Clock`], and two kinds of time that are kept apart |
//! | [`schema`] | the one place that spells a key or encodes a value |
//! | [`cluster`] | [`Cluster`]: reads, calls [`ops`], commits, and watches the fleet |
//! | [`orphans`] | what an engine left behind and nothing manages any more: found by pure rules, of what was seen |
//! | [`registrar`] | the port [`Registrar`](registrar::Registrar): who is told where services are |
//! | [`reap`] | what masters clean up by themselves: expired jobs, dead agents, old jobs |
//! | [`agent`] | [`Agent`](agent::Agent): the loop that watches, calls [`reconcile`](mod@reconcile), and acts |
//!
//! # Ports of your own
//!
//! Implement [`Store`] or [`Runtime`] and run the conformance suite of `helios-testkit` against it: one
//! macro, one test for each guarantee that the trait's documentation numbers.
//!
//! # Errors
//!
//! Where a caller has something to decide, an error has a `kind()`
//! ([`StoreErrorKind`](store::StoreErrorKind), [`RuntimeErrorKind`](runtime::RuntimeErrorKind)) or is an enum
//! ([`Refused`](ops::Refused)). Messages name what was tried and leave the cause to `source()`.
#![deny(missing_docs)]

pub mod agent;
mod causes;
pub mod clock;
pub mod cluster;
pub mod model;
pub mod ops;
pub mod orphans;
pub mod reap;
pub mod reconcile;
pub mod registrar;
pub mod runtime;
pub mod schema;
pub mod state_dir;
pub mod store;
pub mod time;

pub use causes::with_causes;
pub use clock::{Clock, SystemClock};
pub use cluster::Cluster;
pub use model::{Deployment, Goal, HostName, Job, JobId, PortMapping, TaskState};
pub use runtime::Runtime;
pub use state_dir::StateDir;
pub use store::Store;
pub use time::{Moment, Timestamp};
