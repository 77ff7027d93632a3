//! A Helios [`Runtime`](helios_core::Runtime) on the Docker engine.
//!
//! ```no_run
//! use helios_core::Runtime;
//! use helios_core::runtime::{ContainerSpec, Owner};
//! use helios_docker::{DockerEndpoint, DockerRuntime};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = DockerRuntime::connect(DockerEndpoint::default(), Owner::new("agent-1")?).await?;
//! runtime.pull("nginx:1").await?;
//! let id = runtime.create(&ContainerSpec::new("web", "nginx:1")).await?;
//! runtime.start(&id).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it leaves on the engine
//!
//! Containers under exactly the name of their spec, with these labels beside those of the spec:
//!
//! | label | value |
//! |---|---|
//! | `helios.runtime.owner` | whose container it is; without it nothing is ever touched |
//! | `helios.runtime.digest` | of which spec it was made |
//! | `helios.runtime.labels` | which labels come from the spec and not from the image: a JSON list |
//!
//! Docker's own restart policy is always `no`: an engine that comes back must not start what was
//! undeployed meanwhile.
//!
//! # Limits
//!
//! * Engines are reached by Unix socket or plain TCP. For TLS, hand a client of your own to
//!   [`DockerRuntime::from_client`].
//! * Docker counts the grace of a stop in whole seconds: it is rounded up.
//! * A bind whose source does not exist is made by the engine, as a directory.
//! * The client library logs request bodies, and so environments, at the level `debug` of the target
//!   `bollard`: leave that off where environments hold secrets.
#![deny(missing_docs)]

mod container;
mod credentials;
mod endpoint;
mod events;
mod exec;
mod failure;
mod images;
mod labels;
mod logs;
mod owners;
mod ownership;
mod probe;
mod pull;
mod reference;
mod rename;
mod runtime;
mod spec;
mod surroundings;
mod timeouts;
mod verbs;
mod version;
mod watch;

pub use credentials::Credentials;
pub use endpoint::{DockerEndpoint, EndpointError};
pub use runtime::DockerRuntime;
pub use timeouts::Timeouts;
