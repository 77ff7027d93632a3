//! A runtime that can remove images.

use std::fmt;

use async_trait::async_trait;

use super::RuntimeError;

/// A runtime that says which image a reference means, and takes references away.
///
/// There are no default methods on purpose: a wrapper that forgets to forward one would lose it silently.
#[async_trait]
pub trait Images: fmt::Debug + Send + Sync + 'static {
    /// The id of the image that `reference` means on this host; `None` if it means none.
    ///
    /// # Errors
    /// `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Cancellation
    /// Harmless.
    async fn image_id(&self, reference: &str) -> Result<Option<String>, RuntimeError>;

    /// Takes `reference` away, and with it the image if nothing else names it.
    ///
    /// # Guarantees
    /// An image that a container was made from, whoever's, in whatever state, stays.
    ///
    /// # Errors
    /// `Failed` when the image is in use; `Unavailable`, `TimedOut`.
    ///
    /// # Idempotence
    /// Removing the missing succeeds.
    ///
    /// # Cancellation
    /// It may still be removed.
    async fn remove_image(&self, reference: &str) -> Result<(), RuntimeError>;
}
