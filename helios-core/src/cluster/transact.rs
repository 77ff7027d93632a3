//! Looking, deciding and committing, until one of them is final.

use crate::schema::Stamp;
use crate::store::{StoreError, StoreErrorKind, Txn};

use super::doubt::{Doubt, Verdict};
use super::{Cluster, ClusterError};

/// How often a change is decided anew before its maker is told that others were always faster.
const ATTEMPTS_MAX: u32 = 64;

/// What to do next about a change.
pub(super) enum Step {
    /// Commit this, and the change is made.
    Finish(Txn),
    /// Commit this, and look again.
    Prepare(Txn),
}

impl Cluster {
    /// Makes a change that `decide` decides: for what [`ops`](crate::ops) does not have, as a step of a
    /// rolling update. The change happens exactly once or, after an error, not at all.
    ///
    /// `decide` reads what it needs and returns the transaction, or the refusal. It is called again when
    /// somebody else was faster, always with the same stamp, so it must rest on nothing but what it reads.
    /// The transaction must
    ///
    /// * name the version of everything that was relied on, and
    /// * create the [audit record](crate::schema::AuditRecord) at
    ///   [`Keys::audit`](crate::schema::Keys::audit) of the stamp: that is what makes the change happen only
    ///   once, and settles what became of a lost answer.
    ///
    /// An empty transaction says that everything is as it should be. Changes of the same `subject` through
    /// this handle and its clones take turns instead of racing.
    ///
    /// Returns the stamp of the change, or `None` when there was nothing to change.
    ///
    /// # Errors
    /// What `decide` returns, or those of the store: `Conflict` only after many attempts, and
    /// `Indeterminate` if it is not known whether the change was made.
    ///
    /// # Cancellation
    /// The change is made or not, as after `Indeterminate`.
    ///
    /// # Example
    /// ```
    /// # use helios_core::cluster::{Cluster, ClusterError};
    /// # use helios_core::ops::audited;
    /// # use helios_core::schema::{AuditRecord, Keys};
    /// # use helios_core::store::Txn;
    /// # async fn example(cluster: &Cluster) -> Result<(), ClusterError<std::fmt::Error>> {
    /// let key = Keys::group("web").expect("a legal name");
    /// let key = &key;
    /// cluster
    ///     .transact("web", |stamp| async move {
    ///         let Some(found) = cluster.read::<serde_json::Value>(key).await? else {
    ///             return Ok(Txn::new());
    ///         };
    ///         let remove = Txn::new().delete(key.clone(), found.version);
    ///         let audit = AuditRecord::new(&stamp, "remove group").detail("web");
    ///         Ok(audited(remove, &stamp, &audit))
    ///     })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub async fn transact<R, D, F>(
        &self,
        subject: &str,
        decide: D,
    ) -> Result<Option<Stamp>, ClusterError<R>>
    where
        D: Fn(Stamp) -> F,
        F: Future<Output = Result<Txn, ClusterError<R>>>,
    {
        self.attempt(subject, |stamp, _| {
            let decided = decide(stamp);
            async move { decided.await.map(Step::Finish) }
        })
        .await
    }

    /// As [`transact`](Self::transact), for changes that need to prepare. `decide` is also told whether the
    /// step before was to prepare, and was committed.
    pub(super) async fn attempt<R, D, F>(
        &self,
        subject: &str,
        decide: D,
    ) -> Result<Option<Stamp>, ClusterError<R>>
    where
        D: Fn(Stamp, bool) -> F,
        F: Future<Output = Result<Step, ClusterError<R>>>,
    {
        let stamp = self.stamp();
        let _turn = self.lanes.turn(subject).await;
        let mut doubt = Doubt::default();
        let mut prepared = false;
        let mut lost = None;
        for _ in 0..ATTEMPTS_MAX {
            let decided = decide(stamp.clone(), prepared).await;
            // Only now, so that a refusal for what this very change did is not taken for an answer.
            let (txn, last) = match doubt.settle(&self.store, &stamp, decided).await? {
                Verdict::Made => return Ok(Some(stamp)),
                Verdict::Unknown => continue,
                Verdict::Decided(Step::Finish(txn)) => (txn, true),
                Verdict::Decided(Step::Prepare(txn)) => (txn, false),
            };
            if txn.is_empty() {
                return Ok(None);
            }
            match self.store.commit(txn).await {
                Ok(()) if last => return Ok(Some(stamp)),
                Ok(()) => prepared = true,
                Err(error) if error.kind() == StoreErrorKind::Conflict => {
                    prepared = false;
                    lost = Some(error);
                }
                Err(error) if error.kind() == StoreErrorKind::Indeterminate => {
                    prepared = false;
                    doubt.begin(error).await?;
                }
                Err(error) => return Err(doubt.explain(error).into()),
            }
        }
        let error = lost.unwrap_or_else(|| always_slower(subject));
        Err(doubt.explain(error).into())
    }
}

fn always_slower(subject: &str) -> StoreError {
    let message = format!("{subject}: others were faster {ATTEMPTS_MAX} times");
    StoreError::new(StoreErrorKind::Conflict, message)
}
