//! A runtime that can give a container another name.

use std::fmt;

use async_trait::async_trait;

use super::{ContainerId, RuntimeError};

/// A runtime that can give a container that ended another name, so that its own is free and it can still be looked at.
///
/// There are no default methods on purpose: a wrapper that forgets to forward one would lose it silently.
#[async_trait]
pub trait Rename: fmt::Debug + Send + Sync + 'static {
    /// Gives the owner's container that name.
    ///
    /// # Guarantees
    /// After `Ok` the name it had before is free for a `create`; nothing else of the container has changed.
    ///
    /// # Errors
    /// `NameInUse`, `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Idempotence
    /// Giving a container the name it has, or any name to the missing, succeeds.
    ///
    /// # Cancellation
    /// It may still get the name.
    async fn rename(&self, id: &ContainerId, name: &str) -> Result<(), RuntimeError>;
}
