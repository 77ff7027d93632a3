//! Making changes, each exactly once.

use tracing::warn;

use crate::model::{HostName, JobId};
use crate::ops::{
    self, CreateJob, Deploy, DeployView, DeregisterView, Refused, RegisterHost, RegisterView,
    Removal, RemoveJob, RemoveView, SetGoal, Undeploy,
};
use crate::schema::{ClusterRecord, HostRecord, Keys, NameRecord, Stamp, Versioned};
use crate::store::{Key, StoreError, StoreErrorKind, Version};

use super::transact::Step;
use super::{Cluster, ClusterError, Records};

/// A change that is asked for.
#[derive(Debug)]
enum Change<'a> {
    CreateJob(&'a CreateJob),
    RemoveJob(&'a RemoveJob),
    Deploy(&'a Deploy),
    Undeploy(&'a Undeploy),
    SetGoal(&'a SetGoal),
    RegisterHost(&'a RegisterHost),
    TakeOverHost(&'a RegisterHost),
    DeregisterHost(&'a HostName),
}

/// Changes. Each happens exactly once or, after an error, not at all; only after an error of the kind
/// `Indeterminate` it is not known. Dropping one of these futures is like that.
///
/// Others may change the same things at the same time: then it is decided anew. A `Conflict` is returned
/// only after many attempts, and names the entry that others were always faster at.
impl Cluster {
    /// Creates a job, and returns its id with the hash.
    ///
    /// # Errors
    /// As [`ops::create_job`], or those of the store.
    pub async fn create_job(&self, request: &CreateJob) -> Result<JobId, ClusterError> {
        self.make(Change::CreateJob(request)).await?;
        Ok(request.id())
    }

    /// Removes a job that is deployed nowhere, and forgets what happened to it.
    ///
    /// # Errors
    /// As [`ops::remove_job`], or those of the store; `Corrupt` when a host cannot be read, since nobody can
    /// say whether the job is deployed there.
    pub async fn remove_job(&self, request: &RemoveJob) -> Result<(), ClusterError> {
        self.make(Change::RemoveJob(request)).await?;
        // The job is gone all the same, and its history is of no use to anybody.
        if let Err(error) = self.forget_history(&request.job).await {
            warn!(job = %request.job, %error, "the history of a removed job stays");
        }
        Ok(())
    }

    /// Deploys a job to a host.
    ///
    /// # Errors
    /// As [`ops::deploy`], or those of the store; `LimitExceeded` when the host has so many deployments
    /// already that they do not fit one entry.
    pub async fn deploy(&self, request: &Deploy) -> Result<(), ClusterError> {
        self.make(Change::Deploy(request)).await
    }

    /// Undeploys a job from a host.
    ///
    /// # Errors
    /// As [`ops::undeploy`], or those of the store.
    pub async fn undeploy(&self, request: &Undeploy) -> Result<(), ClusterError> {
        self.make(Change::Undeploy(request)).await
    }

    /// Sets the goal of a deployed job.
    ///
    /// # Errors
    /// As [`ops::set_goal`], or those of the store.
    pub async fn set_goal(&self, request: &SetGoal) -> Result<(), ClusterError> {
        self.make(Change::SetGoal(request)).await
    }

    /// Registers a host for an agent; a host that is registered for it already stays as it is.
    ///
    /// # Errors
    /// As [`ops::register_host`], or those of the store.
    pub async fn register_host(&self, request: &RegisterHost) -> Result<(), ClusterError> {
        self.make(Change::RegisterHost(request)).await
    }

    /// Gives the name of a host whose agent is gone to another agent, with its goals.
    ///
    /// # Errors
    /// As [`ops::take_over_host`], or those of the store.
    pub async fn take_over_host(&self, request: &RegisterHost) -> Result<(), ClusterError> {
        self.make(Change::TakeOverHost(request)).await
    }

    /// Deregisters a host with all its deployments.
    ///
    /// # Errors
    /// As [`ops::deregister_host`], or those of the store.
    pub async fn deregister_host(&self, host: &HostName) -> Result<(), ClusterError> {
        self.make(Change::DeregisterHost(host)).await
    }

    async fn make(&self, change: Change<'_>) -> Result<(), ClusterError> {
        let change = &change;
        self.attempt(change.subject(), |stamp, prepared| async move {
            self.decide(change, &stamp, prepared).await
        })
        .await?;
        Ok(())
    }

    /// One look at the store, and what follows from it. `prepared` says that the step before was to
    /// prepare, and was committed.
    async fn decide(
        &self,
        change: &Change<'_>,
        stamp: &Stamp,
        prepared: bool,
    ) -> Result<Step, ClusterError> {
        let txn = match change {
            Change::CreateJob(request) => {
                let same_name = self.name_record(&request.job.id).await?;
                ops::create_job(same_name.as_deref(), request, stamp)?
            }
            Change::RemoveJob(request) => {
                let view = self.remove_view(&request.job, prepared).await?;
                match ops::remove_job(&view, request, stamp)? {
                    Removal::Mark(txn) => return Ok(Step::Prepare(txn)),
                    Removal::Delete(txn) => txn,
                }
            }
            Change::Deploy(request) => {
                let view = self.deploy_view(&request.job, &request.host).await?;
                ops::deploy(&view, request, stamp)?
            }
            Change::Undeploy(request) => {
                let host = self.host_record(&request.host).await?;
                ops::undeploy(host.as_ref(), request, stamp)?
            }
            Change::SetGoal(request) => {
                let view = self.deploy_view(&request.job, &request.host).await?;
                ops::set_goal(&view, request, stamp)?
            }
            Change::RegisterHost(request) => {
                let view = self.register_view(&request.host).await?;
                ops::register_host(&view, request, stamp)?
            }
            Change::TakeOverHost(request) => {
                let view = self.register_view(&request.host).await?;
                ops::take_over_host(&view, request, stamp)?
            }
            Change::DeregisterHost(host) => {
                let view = self.deregister_view(host).await?;
                ops::deregister_host(&view, host, stamp)?
            }
        };
        Ok(Step::Finish(txn))
    }

    async fn deploy_view(&self, job: &JobId, host: &HostName) -> Result<DeployView, StoreError> {
        let (job, host) =
            futures_util::future::try_join(self.job_record(job), self.host_record(host)).await?;
        Ok(DeployView { job, host })
    }

    async fn remove_view(&self, job: &JobId, marked: bool) -> Result<RemoveView, StoreError> {
        let record = self.job_record(job).await?;
        let name = self.name_record(job).await?;
        let snapshot = self.store.list(&Keys::hosts()).await?;
        let hosts = Records::<HostName, HostRecord>::decode(&Keys::hosts(), &snapshot);
        if let Some(unreadable) = hosts.unreadable().next() {
            let message = format!("{unreadable}; job {job} may be deployed there");
            let error = StoreError::new(StoreErrorKind::Corrupt, message);
            return Err(error.at(unreadable.key.clone()));
        }
        for (host, record) in hosts.iter() {
            let mut unread = record.goals.unread().keys();
            if let Some(unread) = unread.find(|id| id.parse::<JobId>().is_err()) {
                let key = Keys::host(host);
                let message = format!(
                    "the goal of {unread:?} in {key} cannot be read; job {job} may be deployed there"
                );
                return Err(StoreError::new(StoreErrorKind::Corrupt, message).at(key));
            }
        }
        let deployed = hosts.iter().filter(|(_, host)| host.goals.concern(job));
        Ok(RemoveView {
            job: record,
            name,
            hosts: deployed.map(|(host, _)| host.clone()).collect(),
            marked,
        })
    }

    async fn register_view(&self, host: &HostName) -> Result<RegisterView, ClusterError> {
        let cluster = self.read::<ClusterRecord>(&Keys::cluster()).await?;
        let found = cluster.as_ref().map(|cluster| cluster.id.as_str());
        if let Some(own) = self.only.as_deref().filter(|own| found != Some(*own)) {
            let refused = Refused::OtherCluster {
                host: host.clone(),
                own: own.to_owned(),
                found: found.map(ToOwned::to_owned),
            };
            return Err(refused.into());
        }
        Ok(RegisterView {
            cluster,
            host: self.host_record(host).await?,
            up: self.read(&Keys::up(host)).await?,
        })
    }

    async fn deregister_view(&self, host: &HostName) -> Result<DeregisterView, StoreError> {
        Ok(DeregisterView {
            host: self.version_of(&Keys::host(host)).await?,
            report: self.version_of(&Keys::report(host)).await?,
        })
    }

    /// The version of an entry, also of one that its access list keeps from us: a list tells that it is there.
    async fn version_of(&self, key: &Key) -> Result<Option<Version>, StoreError> {
        let entry = match (self.store.get(key).await, key.parent()) {
            (Err(error), Some(dir)) if error.kind() == StoreErrorKind::Denied => {
                self.store.list(&dir).await?.get(key.name()).cloned()
            }
            (entry, _) => entry?,
        };
        Ok(entry.map(|entry| entry.version))
    }

    async fn name_record(&self, id: &JobId) -> Result<Option<Versioned<NameRecord>>, StoreError> {
        match Keys::job_name(id) {
            Ok(key) => self.read(&key).await,
            Err(_) => Ok(None),
        }
    }
}

impl Change<'_> {
    /// What to take turns at.
    fn subject(&self) -> &str {
        match self {
            Self::CreateJob(request) => request.job.id.name(),
            Self::RemoveJob(request) => request.job.name(),
            Self::Deploy(Deploy { host, .. })
            | Self::Undeploy(Undeploy { host, .. })
            | Self::SetGoal(SetGoal { host, .. })
            | Self::RegisterHost(RegisterHost { host, .. })
            | Self::TakeOverHost(RegisterHost { host, .. }) => host.as_str(),
            Self::DeregisterHost(host) => host.as_str(),
        }
    }
}
