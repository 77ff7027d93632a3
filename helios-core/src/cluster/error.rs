//! Why a cluster did not do what it was asked.

use thiserror::Error;

use crate::ops::Refused;
use crate::store::StoreError;

/// Why a change was not made or, if the store says `Indeterminate`, perhaps not.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// What is asked for is not possible as things are.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store did not do its part. Its kind says whether anything may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClusterError {
    /// The refusal, if it is one.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Store(_) => None,
        }
    }
}
