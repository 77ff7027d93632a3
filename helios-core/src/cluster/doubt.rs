//! What to do when it is not known whether a commit happened.

use std::sync::Arc;
use std::time::Duration;

use crate::schema::{Keys, Stamp};
use crate::store::{Store, StoreError};

use super::ClusterError;

/// How often to pause. The pauses begin with [`PAUSE`] and double: about six seconds altogether, enough for
/// a store to choose another leader.
const PAUSES_MAX: u32 = 7;

/// The first pause after a commit of unknown outcome.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a commit of unknown outcome was made in the course of a change, and if so, why.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    cause: Option<StoreError>,
    pauses: u32,
}

/// What is known after a look.
pub(super) enum Verdict<S> {
    /// The change was made.
    Made,
    /// It cannot be known yet.
    Unknown,
    /// It was not made before the look, and this is the next step.
    Decided(S),
}

impl Doubt {
    /// A commit had an unknown outcome: gives it time to come to one.
    ///
    /// # Errors
    /// The first such error, when there was time enough.
    pub(super) async fn begin(&mut self, error: StoreError) -> Result<(), ClusterError> {
        self.cause.get_or_insert(error);
        self.pause().await
    }

    /// Looks for the record that the change would have left, after something was `decided` from a read of
    /// the store.
    ///
    /// The record may yet appear later. But a commit after this one creates the same record, so only one of
    /// them can happen; and a refusal relies on something that the other commit would have to find
    /// unchanged.
    ///
    /// # Errors
    /// What was decided, if it is an error; if there is doubt, only once it is settled.
    pub(super) async fn settle<S>(
        &mut self,
        store: &Arc<dyn Store>,
        stamp: &Stamp,
        decided: Result<S, ClusterError>,
    ) -> Result<Verdict<S>, ClusterError> {
        if self.cause.is_none() {
            return decided.map(Verdict::Decided);
        }
        let record = store.get(&Keys::audit(stamp.at, &stamp.operation)).await;
        match (record, decided) {
            (Ok(Some(_)), _) => Ok(Verdict::Made),
            (Ok(None), Ok(step)) => Ok(Verdict::Decided(step)),
            (Ok(None), Err(ClusterError::Refused(refused))) => Err(refused.into()),
            (Err(_), _) | (_, Err(ClusterError::Store(_))) => {
                self.pause().await.map(|()| Verdict::Unknown)
            }
        }
    }

    /// The error to return for `error`: while there is doubt, "nothing was written" would be wrong.
    pub(super) fn explain(self, error: StoreError) -> StoreError {
        self.cause.unwrap_or(error)
    }

    async fn pause(&mut self) -> Result<(), ClusterError> {
        if self.pauses == PAUSES_MAX {
            return self.cause.take().map_or(Ok(()), |cause| Err(cause.into()));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.pauses)).await;
        self.pauses += 1;
        Ok(())
    }
}
