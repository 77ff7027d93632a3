//! What should run where.

use helios_core::model::{Deployment, JobId};
use http::Method;

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{JobDeployResponse, JobUndeployResponse, SetGoalResponse};

impl Client {
    /// Deploys a job on a host, with the goal that the deployment says. `token` is the job's own, empty
    /// if it has none.
    ///
    /// # Errors
    /// As for every change: see [`ClientErrorKind`](super::ClientErrorKind). A refusal for one of the
    /// reasons of [`DeployStatus`](crate::wire::DeployStatus) is no error.
    pub async fn deploy(
        &self,
        host: &str,
        deployment: &Deployment,
        token: &str,
    ) -> Result<JobDeployResponse, ClientError> {
        let target = deployed(host, &deployment.job_id).with("token", token);
        let request = Request::change(Method::PUT, target).with_body(deployment)?;
        self.send(request).await?.outcome()
    }

    /// Changes the goal of a job on a host to the one that the deployment says.
    ///
    /// # Errors
    /// As for every change.
    pub async fn set_goal(
        &self,
        host: &str,
        deployment: &Deployment,
        token: &str,
    ) -> Result<SetGoalResponse, ClientError> {
        let target = deployed(host, &deployment.job_id).with("token", token);
        let request = Request::change(Method::PATCH, target).with_body(deployment)?;
        self.send(request).await?.outcome()
    }

    /// Takes a job off a host. The agent stops its container afterwards.
    ///
    /// # Errors
    /// As for every change.
    pub async fn undeploy(
        &self,
        host: &str,
        job: &JobId,
        token: &str,
    ) -> Result<JobUndeployResponse, ClientError> {
        let target = deployed(host, job).with("token", token);
        let request = Request::change(Method::DELETE, target);
        self.send(request).await?.outcome()
    }

    /// What is wanted of a job on a host, if it is deployed there.
    ///
    /// # Errors
    /// As for every question; `Refused` when the id is no full one.
    pub async fn deployment(
        &self,
        host: &str,
        job: &JobId,
    ) -> Result<Option<Deployment>, ClientError> {
        self.send(Request::get(deployed(host, job)))
            .await?
            .found_or_absent()
    }
}

fn deployed(host: &str, job: &JobId) -> Target {
    Target::path(&["hosts", host, "jobs", job.as_str()])
}
