//! The deployment groups of a cluster.

use helios_core::cluster::{Cluster, ClusterError, Records};
use helios_core::model::{DeploymentGroup, HostSelector, JobId};
use helios_core::schema::{JobRecord, Keys, Stamp, Versioned};
use helios_core::store::{StoreError, Txn};

use super::{Forecast, GroupRecord, GroupRefused, Preview, RollOut};

/// The deployment groups of a cluster: what can be asked of them, each change made exactly once.
///
/// A clone costs nothing. Changes are made on behalf of whom the cluster acts for. Errors are those of the
/// pure function of the same name and those of the store; dropping a future is as harmless as
/// [`Cluster::transact`] says.
#[derive(Clone, Debug)]
pub struct Groups {
    cluster: Cluster,
}

type Changed = Result<bool, ClusterError<GroupRefused>>;

impl Groups {
    /// The groups of that cluster.
    #[must_use]
    pub fn of(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// All groups by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Records<String, GroupRecord>, StoreError> {
        self.cluster.list(&Keys::groups()).await
    }

    /// The group of that name.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if its entry cannot be read.
    pub async fn get(&self, name: &str) -> Result<Option<Versioned<GroupRecord>>, StoreError> {
        match Keys::group(name) {
            Ok(key) => self.cluster.read(&key).await,
            // What fits no key cannot have been stored.
            Err(_) => Ok(None),
        }
    }

    /// Creates a group. False when it is there already, with the same selectors.
    ///
    /// # Errors
    /// As [`create_group`](super::create_group).
    pub async fn create(&self, group: &DeploymentGroup) -> Changed {
        self.change(&group.name, |seen, stamp| {
            super::create_group(seen, group, stamp)
        })
        .await
    }

    /// Gives a group other selectors. False when it has them already.
    ///
    /// # Errors
    /// As [`edit_group`](super::edit_group).
    pub async fn edit(&self, name: &str, selectors: &[HostSelector]) -> Changed {
        self.change(name, |seen, stamp| {
            super::edit_group(seen, name, selectors, stamp)
        })
        .await
    }

    /// What other selectors would change about a group.
    ///
    /// # Errors
    /// [`GroupNotFound`](GroupRefused::GroupNotFound), or those of the store.
    pub async fn preview_edit(
        &self,
        name: &str,
        selectors: &[HostSelector],
    ) -> Result<Preview, ClusterError<GroupRefused>> {
        let seen = self.get(name).await?;
        let seen = seen.ok_or_else(|| {
            let group = name.to_owned();
            ClusterError::Refused(GroupRefused::GroupNotFound { group })
        })?;
        let fleet = self.cluster.fleet().await?;
        Ok(super::preview_edit(&seen, selectors, &fleet))
    }

    /// Removes a group; what it deployed stays deployed.
    ///
    /// # Errors
    /// As [`remove_group`](super::remove_group).
    pub async fn remove(&self, name: &str) -> Changed {
        self.change(name, |seen, stamp| super::remove_group(seen, name, stamp))
            .await
    }

    /// Starts a rollout; one that is under way is replaced.
    ///
    /// # Errors
    /// As [`roll_out`](super::roll_out).
    pub async fn roll_out(&self, request: &RollOut) -> Changed {
        let decide = |stamp: Stamp| async move {
            let seen = self.get(&request.group).await?;
            let job = self.job(&request.job).await?;
            let fleet = self.cluster.fleet().await?;
            super::roll_out(seen.as_ref(), job.as_ref(), &fleet, request, &stamp)
                .map_err(ClusterError::Refused)
        };
        let made = self.cluster.transact(&request.group, decide).await?;
        Ok(made.is_some())
    }

    /// What a rollout would do. Nothing is written.
    ///
    /// # Errors
    /// As [`forecast`](super::forecast).
    pub async fn forecast(
        &self,
        request: &RollOut,
    ) -> Result<Forecast, ClusterError<GroupRefused>> {
        let seen = self.get(&request.group).await?;
        let job = self.job(&request.job).await?;
        let fleet = self.cluster.fleet().await?;
        let now = self.cluster.clock().now();
        super::forecast(seen.as_deref(), job.as_deref(), &fleet, request, now)
            .map_err(ClusterError::Refused)
    }

    /// Stops a group. False when it was stopped already.
    ///
    /// # Errors
    /// As [`stop_group`](super::stop_group).
    pub async fn stop(&self, name: &str) -> Changed {
        self.change(name, |seen, stamp| super::stop_group(seen, name, stamp))
            .await
    }

    /// Pauses a rollout. False when it is paused already.
    ///
    /// # Errors
    /// As [`pause_group`](super::pause_group).
    pub async fn pause(&self, name: &str) -> Changed {
        self.change(name, |seen, stamp| super::pause_group(seen, name, stamp))
            .await
    }

    /// Resumes a rollout, to pause again once `stop_after` more hosts were started, if that is given.
    ///
    /// # Errors
    /// As [`resume_group`](super::resume_group).
    pub async fn resume(&self, name: &str, stop_after: Option<u32>) -> Changed {
        self.change(name, |seen, stamp| {
            super::resume_group(seen, name, stop_after, stamp)
        })
        .await
    }

    /// Takes the last rollout back.
    ///
    /// # Errors
    /// As [`roll_back`](super::roll_back).
    pub async fn roll_back(&self, name: &str) -> Changed {
        let decide = |stamp: Stamp| async move {
            let seen = self.get(name).await?;
            let to = seen.as_deref().and_then(super::job_before);
            let job = match to {
                Some(to) => self.job(to).await?,
                None => None,
            };
            super::roll_back(seen.as_ref(), name, job.as_ref(), &stamp)
                .map_err(ClusterError::Refused)
        };
        let made = self.cluster.transact(name, decide).await?;
        Ok(made.is_some())
    }

    async fn change(
        &self,
        name: &str,
        decide: impl Fn(Option<&Versioned<GroupRecord>>, &Stamp) -> Result<Txn, GroupRefused>,
    ) -> Changed {
        let decide = &decide;
        let decide = |stamp: Stamp| async move {
            let seen = self.get(name).await?;
            decide(seen.as_ref(), &stamp).map_err(ClusterError::Refused)
        };
        let made = self.cluster.transact(name, decide).await?;
        Ok(made.is_some())
    }

    async fn job(&self, id: &JobId) -> Result<Option<Versioned<JobRecord>>, StoreError> {
        match Keys::job(id) {
            Ok(key) => self.cluster.read(&key).await,
            Err(_) => Ok(None),
        }
    }
}
