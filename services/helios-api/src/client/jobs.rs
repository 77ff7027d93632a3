//! Questions about jobs, and their creation and removal.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{Job, JobId};
use http::Method;

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{CreateJobResponse, JobDeleteResponse, JobStatus, TaskStatusEvents};

/// Which jobs to list; all of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsQuery {
    /// Only those whose full id contains this text.
    pub id_part: Option<String>,
    /// Only those deployed on a host whose name matches this regular expression somewhere.
    pub host_pattern: Option<String>,
}

impl Client {
    /// The jobs.
    ///
    /// # Errors
    /// As for every question: see [`ClientErrorKind`](super::ClientErrorKind).
    pub async fn jobs(&self, query: &JobsQuery) -> Result<BTreeMap<JobId, Arc<Job>>, ClientError> {
        let target = Target::path(&["jobs"])
            .with_any("q", query.id_part.as_deref())
            .with_any("hostPattern", query.host_pattern.as_deref());
        self.send(Request::get(target)).await?.found()
    }

    /// The job of that full id, if there is one.
    ///
    /// # Errors
    /// As for every question; `Refused` when the id is no full one.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, ClientError> {
        let target = Target::path(&["jobs", id.as_str()]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// Creates a job. The master computes its full id and tells it; rules that the job breaks are in the
    /// answer, and no error.
    ///
    /// # Errors
    /// As for every change: see [`ClientErrorKind`](super::ClientErrorKind).
    pub async fn create_job(&self, job: &Job) -> Result<CreateJobResponse, ClientError> {
        let target = Target::path(&["jobs"]);
        let request = Request::change(Method::POST, target).with_body(job)?;
        self.send(request).await?.outcome()
    }

    /// Removes a job that is deployed nowhere. `token` is the job's own, empty if it has none.
    ///
    /// # Errors
    /// As for every change.
    pub async fn delete_job(
        &self,
        id: &JobId,
        token: &str,
    ) -> Result<JobDeleteResponse, ClientError> {
        let target = Target::path(&["jobs", id.as_str()]).with("token", token);
        let request = Request::change(Method::DELETE, target);
        self.send(request).await?.outcome()
    }

    /// Where a job should run and what agents report of it, if there is such a job.
    ///
    /// # Errors
    /// As for every question; `Refused` when the id is no full one.
    pub async fn job_status(&self, id: &JobId) -> Result<Option<JobStatus>, ClientError> {
        let target = Target::path(&["jobs", id.as_str(), "status"]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// The status of many jobs with one request. Those that do not exist are left out.
    ///
    /// # Errors
    /// As for every question; `Refused` when one of the ids is no full one.
    pub async fn job_statuses(
        &self,
        ids: &[JobId],
    ) -> Result<BTreeMap<JobId, JobStatus>, ClientError> {
        let request = Request::query(Target::path(&["jobs", "statuses"]), &ids)?;
        self.send(request).await?.found()
    }

    /// What agents reported of a job over time, oldest first.
    ///
    /// # Errors
    /// As for every question; `Refused` when the id is no full one.
    pub async fn history(&self, id: &JobId) -> Result<TaskStatusEvents, ClientError> {
        let target = Target::path(&["history", "jobs", id.as_str()]);
        self.send(Request::get(target)).await?.outcome()
    }
}
