//! Cleaning up, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use tokio::time::sleep;

use crate::cluster::{Cluster, ClusterError, FleetView, Records};
use crate::model::{HostName, JobId};
use crate::ops::{Refused, RemoveJob, Undeploy};
use crate::schema::{Keys, RemovalRecord, encode};
use crate::store::{StoreError, StoreErrorKind, Txn};
use crate::time::Timestamp;

use super::absence::{Absence, AbsenceRecord, absences};
use super::rules::{Known, ReapRules, Reaping, long_unused, reap};

/// The pause between two rounds.
const PAUSE: Duration = Duration::from_secs(30);
/// For how long after the removal of a job agents may still write what happened to it.
const WRITES_LATE: Duration = Duration::from_secs(3_600);

/// Cleans up a cluster.
#[derive(Debug)]
pub struct Reaper {
    cluster: Cluster,
    rules: ReapRules,
}

impl Reaper {
    /// One for that cluster. Changes are recorded as the reaper's.
    #[must_use]
    pub fn new(cluster: &Cluster, rules: ReapRules) -> Self {
        Self {
            cluster: cluster.on_behalf_of("reaper"),
            rules,
        }
    }

    /// Does a round every 30 seconds until `shutdown`. Trouble with the store is logged, and left to the next
    /// round.
    ///
    /// # Cancellation
    /// Safe at any time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "nothing is cleaned up for now");
            }
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = sleep(PAUSE) => {}
            }
        }
    }

    /// Looks once, does what is to be done, and returns it.
    ///
    /// # Errors
    /// Those of the store while looking. What cannot be done is logged, and found again in the next round.
    pub async fn round(&self) -> Result<Vec<Reaping>, StoreError> {
        let view = match self.cluster.fleet_at_hand() {
            Some(view) => view,
            None => self.cluster.fleet().await?,
        };
        let noted = self.cluster.list(&Keys::absences()).await?;
        let now = self.cluster.clock().now();
        self.note(&absences(&view, &noted), &noted, now).await;
        let (mut last_events, mut needed) = (BTreeMap::new(), BTreeSet::new());
        if let Some(limit) = self.rules.unused_jobs_after {
            let jobs = long_unused(&view, limit, now);
            needed = self.needed(&jobs).await?;
            last_events = self.last_events(&jobs, &mut needed).await?;
        }
        let known = Known {
            view: &view,
            absences: &noted,
            last_events: &last_events,
            needed: &needed,
        };
        let reapings = reap(&known, &self.rules, now);
        for reaping in &reapings {
            self.carry_out(reaping, &view).await;
        }
        self.see_to_removals(now).await?;
        Ok(reapings)
    }

    /// Whoever comes second finds it noted; what fails is noted in the next round.
    async fn note(
        &self,
        absences: &[Absence],
        noted: &Records<HostName, AbsenceRecord>,
        now: Timestamp,
    ) {
        for absence in absences {
            let txn = match absence {
                Absence::Begins { host, agent_id } => {
                    let (key, agent_id) = (Keys::absence(host), agent_id.clone());
                    let record = encode(&AbsenceRecord {
                        agent_id,
                        since: now,
                    });
                    match noted.get(host) {
                        Some(other) => Txn::new().update(key, other.version, record),
                        None => Txn::new().create(key, record),
                    }
                }
                Absence::Ends { host } => match noted.get(host) {
                    Some(found) => Txn::new().delete(Keys::absence(host), found.version),
                    None => continue,
                },
            };
            if let Err(error) = self.cluster.store().commit(txn).await {
                tracing::debug!(%error, "an absence is not noted");
            }
        }
    }

    async fn carry_out(&self, reaping: &Reaping, view: &FleetView) {
        // Tokens are against mistakes of people.
        let token = |job| {
            let record = view.jobs.get(job);
            record.map_or_else(String::new, |record| record.job.token.clone())
        };
        let done = match reaping {
            Reaping::Undeploy { host, job, .. } => {
                let request = Undeploy {
                    token: token(job),
                    ..Undeploy::new(host.clone(), job.clone())
                };
                self.cluster.undeploy(&request).await
            }
            Reaping::Remove { job, .. } => {
                let request = RemoveJob {
                    job: job.clone(),
                    token: token(job),
                };
                self.cluster.remove_job(&request).await
            }
            Reaping::Deregister { host, .. } => self.cluster.deregister_host(host).await,
        };
        match done {
            Ok(()) => tracing::info!(?reaping, "cleaned up"),
            Err(ClusterError::Refused(
                Refused::JobNotFound { .. }
                | Refused::HostNotFound { .. }
                | Refused::NotDeployed { .. },
            )) => tracing::debug!(?reaping, "somebody else was faster"),
            Err(error) => tracing::warn!(%error, ?reaping, "left to the next round"),
        }
    }

    /// Those of the jobs that a group, a variable or a reset names somewhere: whatever it means by it, the job
    /// is still needed.
    async fn needed(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, StoreError> {
        let mut needed = BTreeSet::new();
        for dir in [Keys::groups(), Keys::variables(), Keys::resets()] {
            for (_, entry) in self.cluster.store().list(&dir).await?.iter() {
                let text = String::from_utf8_lossy(&entry.value);
                let named = jobs.iter().filter(|job| text.contains(job.as_str()));
                needed.extend(named.cloned());
            }
        }
        Ok(needed)
    }

    /// When something happened last to each of the jobs. One whose history cannot be read is added to those that
    /// are needed: it may have happened lately.
    async fn last_events(
        &self,
        jobs: &[JobId],
        needed: &mut BTreeSet<JobId>,
    ) -> Result<BTreeMap<JobId, Timestamp>, StoreError> {
        let mut last = BTreeMap::new();
        for job in jobs {
            let histories = self.cluster.history(job).await?;
            if histories.unreadable().next().is_some() {
                needed.insert(job.clone());
            }
            let events = histories.iter().flat_map(|(_, history)| &history.events);
            if let Some(at) = events.map(|event| event.at).max() {
                last.insert(job.clone(), at);
            }
        }
        Ok(last)
    }

    /// Looks once for what is left of each removed job, as soon as nothing can come any more: whoever removed it may have
    /// died before it was forgotten, and an agent may have written since.
    async fn see_to_removals(&self, now: Timestamp) -> Result<(), StoreError> {
        let removals: Records<String, RemovalRecord> = self.cluster.list(&Keys::removals()).await?;
        for (name, removal) in removals.iter() {
            let is_over = now.since(removal.at) >= WRITES_LATE;
            if !is_over || !self.is_forgotten(&removal.job).await? {
                continue;
            }
            if let Ok(key) = Keys::removals().child(name) {
                let done = Txn::new().delete(key, removal.version);
                settled(self.cluster.store().commit(done).await)?;
            }
        }
        Ok(())
    }

    /// Whether nothing is left of a job that was removed; what there is is forgotten, if that is wanted. What belongs
    /// to a job that was created again stays with it.
    async fn is_forgotten(&self, job: &JobId) -> Result<bool, StoreError> {
        if self.cluster.job(job).await?.is_some() {
            return Ok(true);
        }
        if self.rules.history {
            return settled(self.cluster.forget_history(job).await.map(drop));
        }
        let left = self.cluster.history(job).await?;
        Ok(left.is_empty() && left.unreadable().next().is_none())
    }
}

/// Whether it was done. Somebody else may have been faster; what is left is found in the next round.
fn settled(done: Result<(), StoreError>) -> Result<bool, StoreError> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}
