//! A cluster whose store is at hand.

use async_trait::async_trait;
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, Refused, RemoveJob, Undeploy};
use helios_core::store::StoreError;
use helios_core::{Cluster, Goal, HostName, Job, JobId};

use super::error::{TemporaryError, TemporaryErrorKind};
use super::prefix::Prefix;
use super::sight::Sight;
use super::site::{Site, pick};

/// What an agent tells its containers, and tests, about how its host is reached.
pub(super) const HOST_ADDRESS: &str = "HELIOS_HOST_ADDRESS";

/// A cluster, and under which address its hosts can be reached if not by their names.
#[derive(Debug)]
pub(super) struct ClusterSite {
    pub(super) cluster: Cluster,
    pub(super) address: Option<String>,
}

#[async_trait]
impl Site for ClusterSite {
    async fn host(&self, named: Option<&str>, prefix: &Prefix) -> Result<HostName, TemporaryError> {
        let fleet = self.cluster.fleet().await.map_err(unread)?;
        let up = fleet
            .hosts
            .names()
            .filter(|name| fleet.is_up(name))
            .filter(|name| named.is_none_or(|named| name.as_str() == named));
        pick(up.cloned().collect(), prefix).ok_or_else(|| no_host(named))
    }

    async fn create(&self, job: Job) -> Result<JobId, TemporaryError> {
        let created = self.cluster.create_job(&CreateJob::new(job)).await;
        created.map_err(|error| refused("the job is not created", error))
    }

    async fn deploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError> {
        let request = Deploy::new(host.clone(), job.clone(), Goal::Start);
        let deployed = self.cluster.deploy(&request).await;
        deployed.map_err(|error| refused("the job is not deployed", error))
    }

    async fn look(&self, job: &JobId, host: &HostName) -> Result<Option<Sight>, TemporaryError> {
        let host = self.cluster.host(host).await.map_err(unread)?;
        let report = host.and_then(|host| host.report);
        Ok(report.and_then(|report| report.tasks.get(job).map(Sight::from)))
    }

    async fn undeploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError> {
        let request = Undeploy::new(host.clone(), job.clone());
        done(self.cluster.undeploy(&request).await)
    }

    async fn remove(&self, job: &JobId) -> Result<(), TemporaryError> {
        done(self.cluster.remove_job(&RemoveJob::new(job.clone())).await)
    }

    async fn temporary(&self) -> Result<Vec<(Prefix, JobId, Vec<HostName>)>, TemporaryError> {
        let fleet = self.cluster.fleet().await.map_err(unread)?;
        let ours: Vec<&JobId> = fleet
            .jobs
            .names()
            .filter(|id| Prefix::of(id.name()).is_some())
            .collect();
        let statuses = fleet.job_statuses(ours);
        let found = statuses.into_iter().filter_map(|(id, status)| {
            let hosts = status.deployments.into_keys().cloned().collect();
            Some((Prefix::of(id.name())?, id, hosts))
        });
        Ok(found.collect())
    }

    async fn address(&self, host: &HostName) -> Result<String, TemporaryError> {
        if let Some(address) = &self.address {
            return Ok(address.clone());
        }
        let seen = self.cluster.host(host).await.map_err(unread)?;
        let told = seen
            .and_then(|seen| seen.report)
            .and_then(|report| report.environment.get(HOST_ADDRESS).cloned());
        Ok(told.unwrap_or_else(|| host.to_string()))
    }
}

pub(super) fn no_host(named: Option<&str>) -> TemporaryError {
    let message = match named {
        Some(host) => {
            format!("host {host} is not up: start its agent, or let the test pick a host")
        }
        None => "no host of the cluster is up: start an agent".to_owned(),
    };
    TemporaryError::new(TemporaryErrorKind::NoPlace, message)
}

fn unread(error: StoreError) -> TemporaryError {
    TemporaryError::because("the cluster cannot be read", error)
}

fn refused(what: &str, error: ClusterError) -> TemporaryError {
    match error {
        ClusterError::Refused(refused) => {
            TemporaryError::new(TemporaryErrorKind::BadJob, refused.to_string())
        }
        error => TemporaryError::because(what, error),
    }
}

/// What is gone already need not be taken away.
fn done(outcome: Result<(), ClusterError>) -> Result<(), TemporaryError> {
    match outcome {
        Err(ClusterError::Refused(Refused::JobNotFound { .. } | Refused::NotDeployed { .. })) => {
            Ok(())
        }
        Err(ClusterError::Refused(Refused::HostNotFound { .. })) => Ok(()),
        outcome => outcome.map_err(|error| refused("the job is not taken away", error)),
    }
}
