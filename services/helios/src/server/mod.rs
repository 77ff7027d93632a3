//! The commands that go on running: `solo`, `master` and `agent`. And `zk`, which prepares a store for them.
//!
//! Each is a thin assembly of the libraries: it opens what they need, says clearly what cannot be opened, and
//! runs them until it is told to stop.

mod agent;
mod agent_http;
mod authorities;
mod boot_file;
mod containers;
mod events;
mod host;
mod listener;
mod log;
mod login;
mod master;
mod outbound;
mod outlets;
mod process;
mod prometheus;
mod registrar;
mod reset_action;
mod solo;
mod store;
mod token;
mod webhook;
#[cfg(feature = "zookeeper")]
mod zk;

pub(crate) use agent::run as agent;
pub(crate) use log::log_to_stderr;
pub(crate) use master::run as master;
pub(crate) use solo::run as solo;
pub(crate) use token::run as token;
#[cfg(feature = "zookeeper")]
pub(crate) use zk::run as zk;
