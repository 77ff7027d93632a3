//! What to do when it is not known whether a commit happened.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::schema::{AuditRecord, Keys, Stamp, encode};
use crate::store::{Key, Store, StoreError, Txn};

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
    pub(super) async fn begin(&mut self, error: StoreError) -> Result<(), StoreError> {
        self.cause.get_or_insert(error);
        self.pause().await
    }

    /// Looks for the record that the change would have left, after something was `decided` from a read of
    /// the store.
    ///
    /// The record may yet appear later. But a commit after this one creates the same record, so only one of
    /// them can happen. A refusal is followed by no commit of the change, so a void one takes the place of
    /// the record before the refusal is final.
    ///
    /// # Errors
    /// What was decided, if it is an error; if there is doubt, only once it is settled.
    pub(super) async fn settle<S, R>(
        &mut self,
        store: &Arc<dyn Store>,
        stamp: &Stamp,
        decided: Result<S, ClusterError<R>>,
    ) -> Result<Verdict<S>, ClusterError<R>> {
        if self.cause.is_none() {
            return decided.map(Verdict::Decided);
        }
        let key = Keys::audit(stamp.at, &stamp.operation);
        match (store.get(&key).await, decided) {
            (Ok(Some(entry)), decided) if entry.value == void(stamp) => {
                return Err(decided.err().unwrap_or_else(|| given_up(key).into()));
            }
            (Ok(Some(_)), _) => return Ok(Verdict::Made),
            (Ok(None), Ok(step)) => return Ok(Verdict::Decided(step)),
            (Ok(None), Err(ClusterError::Refused(refused))) => {
                let txn = Txn::new().create(key, void(stamp));
                if store.commit(txn).await.is_ok() {
                    return Err(ClusterError::Refused(refused));
                }
            }
            (Err(_), _) | (_, Err(ClusterError::Store(_))) => {}
        }
        self.pause().await?;
        Ok(Verdict::Unknown)
    }

    /// The error to return for `error`: while there is doubt, "nothing was written" would be wrong.
    pub(super) fn explain(self, error: StoreError) -> StoreError {
        self.cause.unwrap_or(error)
    }

    async fn pause(&mut self) -> Result<(), StoreError> {
        if self.pauses == PAUSES_MAX {
            return self.cause.take().map_or(Ok(()), Err);
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.pauses)).await;
        self.pauses += 1;
        Ok(())
    }
}

/// The record of a change that must never happen.
fn void(stamp: &Stamp) -> Bytes {
    encode(&AuditRecord::new(stamp, "nothing").detail("refused after an attempt got lost"))
}

fn given_up(key: Key) -> StoreError {
    StoreError::conflict(
        key,
        "the change was given up, and became possible again: ask once more",
    )
}
