//! A cluster by the address of a master.

use async_trait::async_trait;
use helios_api::client::{HostsQuery, JobsQuery};
use helios_api::wire::{
    CreateStatus, DeleteStatus, DeployStatus, HostState, TaskStatus, UndeployStatus,
};
use helios_api::{Client, ClientError};
use helios_core::model::Deployment;
use helios_core::{Goal, HostName, Job, JobId};

use super::cluster_site::{HOST_ADDRESS, no_host};
use super::error::{TemporaryError, TemporaryErrorKind};
use super::prefix::Prefix;
use super::sight::Sight;
use super::site::{Site, pick};

/// The jobs of tests have no tokens.
const NO_TOKEN: &str = "";

/// A cluster that is asked through its masters.
#[derive(Debug)]
pub(super) struct MasterSite(pub(super) Client);

#[async_trait]
impl Site for MasterSite {
    async fn host(&self, named: Option<&str>, prefix: &Prefix) -> Result<HostName, TemporaryError> {
        let hosts = match named {
            Some(host) => vec![host.to_owned()],
            None => {
                let hosts = self.0.hosts(&HostsQuery::default()).await;
                hosts.map_err(unanswered)?
            }
        };
        let up = self.0.host_statuses(&hosts, Some(HostState::Up)).await;
        let up = up.map_err(unanswered)?.into_keys();
        let up = up.filter_map(|host| host.parse().ok()).collect();
        pick(up, prefix).ok_or_else(|| no_host(named))
    }

    async fn create(&self, job: Job) -> Result<JobId, TemporaryError> {
        let created = self.0.create_job(&job).await.map_err(unanswered)?;
        let id = created.id.as_deref().map(str::parse);
        match (created.status, id) {
            (CreateStatus::Ok, Some(Ok(id))) => Ok(id),
            (status, _) => Err(refused(format!(
                "the master does not create {}: {} {}",
                job.id,
                status.as_str(),
                created.errors.join(", ")
            ))),
        }
    }

    async fn deploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError> {
        let deployment = Deployment::new(job.clone(), Goal::Start);
        let deployed = self.0.deploy(host.as_str(), &deployment, NO_TOKEN).await;
        match deployed.map_err(unanswered)?.status {
            DeployStatus::Ok | DeployStatus::JobAlreadyDeployed => Ok(()),
            status => Err(refused(format!(
                "the master does not deploy {job} on {host}: {}",
                status.as_str()
            ))),
        }
    }

    async fn look(&self, job: &JobId, host: &HostName) -> Result<Option<Sight>, TemporaryError> {
        let status = self.0.job_status(job).await.map_err(unanswered)?;
        let task = status.and_then(|mut status| status.task_statuses.remove(host.as_str()));
        Ok(task.map(sight))
    }

    async fn undeploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError> {
        let undeployed = self.0.undeploy(host.as_str(), job, NO_TOKEN).await;
        match undeployed.map_err(unanswered)?.status {
            UndeployStatus::Ok | UndeployStatus::JobNotFound | UndeployStatus::HostNotFound => {
                Ok(())
            }
            status => Err(refused(format!(
                "the master does not undeploy {job} from {host}: {}",
                status.as_str()
            ))),
        }
    }

    async fn remove(&self, job: &JobId) -> Result<(), TemporaryError> {
        let removed = self.0.delete_job(job, NO_TOKEN).await;
        match removed.map_err(unanswered)?.status {
            DeleteStatus::Ok | DeleteStatus::JobNotFound => Ok(()),
            status => Err(refused(format!(
                "the master does not remove {job}: {}",
                status.as_str()
            ))),
        }
    }

    async fn temporary(&self) -> Result<Vec<(Prefix, JobId, Vec<HostName>)>, TemporaryError> {
        let jobs = self
            .0
            .jobs(&JobsQuery::default())
            .await
            .map_err(unanswered)?;
        let ours: Vec<JobId> = jobs
            .into_keys()
            .filter(|id| Prefix::of(id.name()).is_some())
            .collect();
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let statuses = self.0.job_statuses(&ours).await.map_err(unanswered)?;
        let found = statuses.into_iter().filter_map(|(id, status)| {
            let hosts = status.deployments.into_keys();
            let hosts = hosts.filter_map(|host| host.parse().ok()).collect();
            Some((Prefix::of(id.name())?, id, hosts))
        });
        Ok(found.collect())
    }

    async fn address(&self, host: &HostName) -> Result<String, TemporaryError> {
        let status = self.0.host_status(host.as_str(), None).await;
        let told = status
            .map_err(unanswered)?
            .and_then(|mut status| status.environment.remove(HOST_ADDRESS));
        Ok(told.unwrap_or_else(|| host.to_string()))
    }
}

fn sight(task: TaskStatus) -> Sight {
    Sight {
        state: task.state,
        throttled: task.throttled,
        container: task.container_id,
        ports: task.ports,
        error: task.container_error,
        exit_code: None,
    }
}

fn unanswered(error: ClientError) -> TemporaryError {
    TemporaryError::because("the master does not answer the test", error)
}

fn refused(message: String) -> TemporaryError {
    TemporaryError::new(TemporaryErrorKind::BadJob, message)
}
