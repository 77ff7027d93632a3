//! What happened to jobs over time.

use crate::model::{HostName, JobId};
use crate::schema::{HistoryRecord, Keys};
use crate::store::{StoreError, Txn};

use super::{Cluster, Records};

/// Histories. Agents write them; they go with their job.
impl Cluster {
    /// What happened to a job, by host; nothing if it never ran, or if there is no such job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn history(
        &self,
        job: &JobId,
    ) -> Result<Records<HostName, HistoryRecord>, StoreError> {
        match Keys::histories(job) {
            Ok(dir) => self.list(&dir).await,
            // What fits no key cannot have been stored.
            Err(_) => Ok(Records::default()),
        }
    }

    /// Forgets what happened to a job that was removed, and returns on how many hosts it had happened.
    ///
    /// # Errors
    /// Those of the store. It can be done again, as with `Conflict`, when an agent wrote meanwhile.
    ///
    /// # Cancellation
    /// Some hosts may be forgotten by then. It can be done again.
    pub async fn forget_history(&self, job: &JobId) -> Result<usize, StoreError> {
        let Ok(dir) = Keys::histories(job) else {
            return Ok(0);
        };
        let entries = self.store.list(&dir).await?;
        let mut count = 0;
        for (name, entry) in entries.iter() {
            let Ok(key) = dir.child(name) else { continue };
            let forget = Txn::new().delete(key, entry.version);
            self.store.commit(forget).await?;
            count += 1;
        }
        Ok(count)
    }
}
