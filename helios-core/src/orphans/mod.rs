//! What nothing manages any more: processes whose container the engine has lost, port proxies with nothing behind
//! them, containers of an agent that had this host before.
//!
//! An engine that ends uncleanly can leave all of them. They hold ports and memory, and no list of containers
//! shows them. [`Surroundings`] looks at the engine and at the processes around it; [`judge`] says what of it is
//! orphaned, [`Because`] of what, and whose it is. Finding is generous and reaping is not: what this agent did not
//! see as its own while it was alive is reported and left alone.
//!
//! ```
//! use helios_core::Moment;
//! use helios_core::orphans::{Look, Records, Sightings, judge};
//! use helios_core::runtime::Owner;
//!
//! // An agent that knows of no container sees a machine without any.
//! let (look, records) = (Look::default(), Records::default());
//! let owner = Owner::new("a1")?;
//! let judgement = judge(&look, &records, &owner, &Sightings::default(), Moment::default());
//! assert!(judgement.findings.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod finding;
mod judge;
mod look;
mod policy;
mod records;

#[cfg(test)]
mod tests;

use std::fmt;

use async_trait::async_trait;

pub use finding::{Because, Claim, Finding, What};
pub use judge::{Judgement, Sightings, judge};
pub use look::{KnownContainer, Look, Process, ProcessId, Role, Route, ShimHome};
pub use policy::{OrphanMode, OrphanPolicy};
pub use records::Records;

use crate::runtime::RuntimeError;

/// The engine and the processes around it.
///
/// There are no default methods on purpose: a wrapper that forgets to forward one would lose it silently.
#[async_trait]
pub trait Surroundings: fmt::Debug + Send + Sync + 'static {
    /// Looks once.
    ///
    /// # Guarantees
    /// The processes were read after [`Look::before`] and before [`Look::after`]. Both are all containers that the
    /// engine has, of whatever owner and in whatever state; never a part of them.
    ///
    /// # Errors
    /// As [`Runtime::list`](crate::Runtime::list). An engine that does not answer proves nothing, so there is no look
    /// then.
    ///
    /// # Cancellation
    /// Harmless.
    async fn look(&self) -> Result<Look, RuntimeError>;

    /// Ends what was found.
    ///
    /// # Guarantees
    /// Looks again before each signal, and at the very process that gets it: one with the same id and another
    /// start, or one that is in no such cgroup any more, gets none. A container is stopped and removed only if it
    /// still carries the label of the owner that was found.
    ///
    /// # Errors
    /// `Failed` when a process cannot be ended, as without the right to; and as [`look`](Self::look).
    ///
    /// # Idempotence
    /// Ending what has ended succeeds.
    ///
    /// # Cancellation
    /// Some of it may be ended.
    async fn reap(&self, what: &What) -> Result<(), RuntimeError>;
}
