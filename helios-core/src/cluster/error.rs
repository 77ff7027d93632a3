//! Why a cluster did not do what it was asked.

use thiserror::Error;

use crate::ops::Refused;
use crate::store::StoreError;

/// Why a change was not made or, if the store says `Indeterminate`, perhaps not.
///
/// `R` is what the change can be refused for: [`Refused`] for those of [`ops`](crate::ops), something else
/// for those that are decided elsewhere, see [`Cluster::transact`](super::Cluster::transact).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError<R = Refused> {
    /// What is asked for is not possible as things are.
    #[error(transparent)]
    Refused(R),
    /// The store did not do its part. Its kind says whether anything may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<R> ClusterError<R> {
    /// The refusal, if it is one.
    #[must_use]
    pub fn refused(&self) -> Option<&R> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Store(_) => None,
        }
    }
}

impl From<Refused> for ClusterError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
