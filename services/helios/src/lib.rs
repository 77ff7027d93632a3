//! The one binary of Helios, as a library: [`run`] is what `main` calls.
//!
//! * [`args`]: what can be said on the command line.
//! * [`environment`]: what the process finds around it; nothing else reads it.
//! * [`targets`]: which masters a command asks.
//! * [`job_source`]: how a job is made of a file, an existing job and options.
//! * `commands`: one file per command; each asks through `helios_api::Client` and tells through a [`Console`].
//! * `output`: tables, JSON and words for people.
//! * `server`: the commands that go on running: solo, master and agent.

pub mod args;
mod commands;
mod console;
pub mod environment;
mod failure;
pub mod job_source;
mod output;
mod run;
mod server;
pub mod targets;
mod times;

pub use console::Console;
pub use environment::Environment;
pub use failure::{Failure, Outcome};
pub use run::run;
