//! How a master has a machine reset.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use helios_core::model::HostName;

/// That a machine is to be reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The machine's host, on which nothing runs any more.
    pub host: HostName,
    /// The name of the reset.
    pub reset: String,
    /// Which time a host was chosen: the same for every attempt, so that whoever is asked twice need not do it twice.
    pub id: String,
}

/// Has a machine reset from the outside: an interface of a cloud, a power switch, a job of its own.
///
/// Resets whose [`Action`](super::Action) is `Master` use it.
#[async_trait]
pub trait ResetAction: fmt::Debug + Send + Sync + 'static {
    /// Asks for the reset of a machine. It need not be over, or even begun, when this returns.
    ///
    /// # Idempotence
    /// At least once for every [`Ask::id`]: a master that dies in between is followed by another one, which asks again with the same id, unless the
    /// host is seen to be down by then.
    ///
    /// # Errors
    /// Whatever the host's failure should be told as; the host is not asked for again.
    ///
    /// # Cancellation
    /// The future is dropped when it takes longer than [`Patience::ask`](super::Patience::ask), and with the master.
    async fn ask(&self, ask: &Ask) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Resets nothing: for drills.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAction;

#[async_trait]
impl ResetAction for NoAction {
    async fn ask(&self, _: &Ask) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}
