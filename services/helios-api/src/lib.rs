//! The Helios HTTP API: wire types, a router for a master, a client.
//!
//! * [`wire`]: what travels, in the JSON of the original Helios master.
//! * [`version`]: how two sides find out whether they understand each other.
//! * [`client`]: asks masters. Needs the feature `client`.
//! * [`server`]: the router of a master, and what serves it. Needs the feature `server`.
//!
//! Whoever only asks, such as a command line, takes the feature `client` alone and carries no server.
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
