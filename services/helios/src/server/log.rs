//! What the process writes about itself.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::Environment;

/// What servers write.
pub(super) const SERVER_LEVEL: &str = "info";

/// Writes what goes on to stderr, at that level; `HELIOS_LOG` says it in more detail, such as
/// `warn,helios_core=debug`.
pub(crate) fn log_to_stderr(environment: &Environment, level: &str) {
    let filter = environment.variable("HELIOS_LOG").unwrap_or(level);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(false)
        .finish();
    // Whoever uses this as a library may have set one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
