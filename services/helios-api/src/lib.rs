//! The Helios HTTP API: wire types, a router for a master, a client.
//!
//! * [`wire`]: what travels, in the JSON of the original Helios master.
//! * [`version`]: how two sides find out whether they understand each other.
//! * [`client`]: asks masters. Needs the feature `client`.
//! * [`server`]: the router of a master, and what serves it. Needs the feature `server`.
//!
//! Whoever only asks, such as a command line, takes the feature `client` alone and carries no server.
//!
//! # A master and somebody who asks it
//!
//! ```
//! # #[cfg(all(feature = "client", feature = "server"))]
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! use std::sync::Arc;
//!
//! use helios_api::Client;
//! use helios_api::client::JobsQuery;
//! use helios_api::server::{MasterState, router, serve};
//! use helios_core::{Cluster, Job};
//! use helios_store::MemoryStore;
//!
//! let cluster = Cluster::on(Arc::new(MemoryStore::new()))?;
//! cluster.init().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = format!("http://{}", listener.local_addr()?);
//! // Mount your own routes beside these: it is a router of axum.
//! let app = router(MasterState::new(cluster));
//! tokio::spawn(serve(listener, app, std::future::pending()));
//!
//! let client = Client::new(&address)?;
//! let created = client.create_job(&Job::new("web:1", "nginx:1.27")?).await?;
//! println!("{:?}: {:?}", created.status, created.id);
//! let jobs = client.jobs(&JobsQuery::default()).await?;
//! assert!(jobs.values().all(|job| job.image.as_deref() == Some("nginx:1.27")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

#[macro_use]
mod names;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod server;
pub mod version;
pub mod wire;

#[cfg(feature = "client")]
pub use client::{Client, ClientError, ClientErrorKind};
