//! What the process writes about itself.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::Environment;

/// Writes what goes on to stderr: warnings only, or more for each `-v`; `HELIOS_LOG` says it in detail, such as
/// `helios_docker=debug`.
pub(crate) fn log_to_stderr(environment: &Environment, verbose: u8) {
    let filter = match (environment.variable("HELIOS_LOG"), verbose) {
        (Some(filter), 0) => filter,
        (_, 0) => "warn",
        (_, 1) => "info",
        (_, 2) => "debug",
        _ => "trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .finish();
    // Whoever uses this as a library may have set one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
