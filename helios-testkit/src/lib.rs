//! Prove your orchestrator: conformance suites, fakes, mocks, a fleet simulator, and real containers in tests.
//!
//! What do you want to test?
//!
//! | yours | take |
//! |---|---|
//! | a service that needs others to run: a database, a queue, itself in its image | [`temporary::TemporaryJobs`] |
//! | a program that holds a `Cluster` or an `Agent` | `MemoryStore` with [`runtime::FakeRuntime`] and [`host`] |
//! | a function that makes a few calls on a port | [`runtime::MockRuntime`], [`store::MockStore`] |
//! | a [`Store`](helios_core::Store) | [`store_conformance!`](crate::store_conformance) |
//! | a [`Runtime`](helios_core::Runtime) | [`runtime_conformance!`](crate::runtime_conformance) |
//! | an agent or a master, over months of faults | [`sim`] |
//!
//! The conformance suites are one macro line, which becomes one test for each numbered guarantee of the port;
//! none can be left out. The fakes obey the same contract as the real things, run on paused time, and fail when
//! told to. The simulator runs a fleet from one seed, and prints the command that runs a failure again.
//!
//! # An example
//!
//! The test of a program that needs a queue, on the engine in memory; with `TemporaryJobs::solo` it is a real container, and
//! nothing else changes.
//!
//! ```
//! use helios_testkit::runtime::{FakeEngine, FakeImage};
//! use helios_testkit::temporary::TemporaryJobs;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let engine = FakeEngine::new();
//! engine.image("queue:2", FakeImage::new().here());
//!
//! let jobs = TemporaryJobs::fake(&engine).await?;
//! let queue = jobs.job("queue").image("queue:2").port("amqp", 5672).deploy().await?;
//! println!("the program under test connects to {}", queue.address("amqp")?);
//! // It is removed when `jobs` is dropped, also by a panic.
//! # jobs.end().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! * `docker`: `TemporaryJobs::solo`, containers on this machine's Docker engine.
//! * `http`: `TemporaryJobs::at`, containers on a cluster by the address of a master.
//!
//! Without them this crate has neither a Docker nor an HTTP client in its dependencies.
#![deny(missing_docs)]

pub mod host;
pub mod runtime;
pub mod sim;
pub mod store;
pub mod temporary;
