//! Prove your orchestrator: conformance suites, fakes, mocks and a fleet simulator for Helios.
#![deny(missing_docs)]

pub mod host;
pub mod runtime;
pub mod sim;
pub mod store;
