//! How long a call may take.

use std::time::Duration;

/// How long the runtime waits for an answer before a call is
/// [`TimedOut`](helios_core::runtime::RuntimeErrorKind::TimedOut).
///
/// The defaults are far above what a healthy engine needs, also under load: they end calls to an engine
/// that hangs, and nothing else. The call may still take effect after its timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To list or inspect.
    pub read: Duration,
    /// To create, which includes waiting for a name that a remove is about to free.
    pub create: Duration,
    /// To start.
    pub start: Duration,
    /// To stop, after the grace is over.
    pub stop_after_grace: Duration,
    /// To remove, also one that somebody else has begun.
    pub remove: Duration,
    /// To pull, without any progress.
    pub pull_idle: Duration,
    /// To find the credentials of a registry, which may run a helper program.
    pub credentials: Duration,
    /// Between two complete looks of a watch, whatever the event stream says.
    pub resync: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(30),
            create: Duration::from_secs(60),
            start: Duration::from_secs(120),
            stop_after_grace: Duration::from_secs(60),
            remove: Duration::from_secs(120),
            pull_idle: Duration::from_secs(120),
            credentials: Duration::from_secs(10),
            resync: Duration::from_secs(30),
        }
    }
}
