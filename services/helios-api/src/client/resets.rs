//! Resets of the fleet.

use helios_rollout::guard::Evidence;
use helios_rollout::reset::Reset;
use http::Method;

use super::query::{ListQuery, Target};
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{
    PlannedReset, ResetAudit, ResetEvidence, ResetReport, ResetStatus, ResetSummary, ResumeReset,
};

const RESETS: &str = "resets";

/// Questions.
impl Client {
    /// All resets, also those that are over.
    ///
    /// # Errors
    /// As for every question: see [`ClientErrorKind`](super::ClientErrorKind). `Refused` when the pattern is none.
    pub async fn resets(&self, query: &ListQuery) -> Result<Vec<ResetSummary>, ClientError> {
        let request = Request::get(query.of(RESETS));
        self.send(request).await?.found()
    }

    /// How a reset is doing, if there is one of that name.
    ///
    /// # Errors
    /// As for every question.
    pub async fn reset(&self, name: &str) -> Result<Option<ResetStatus>, ClientError> {
        let target = Target::path(&[RESETS, name]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// How a reset would go that began now, or why it cannot.
    ///
    /// # Errors
    /// As for every question.
    pub async fn plan_reset(&self, reset: &Reset) -> Result<PlannedReset, ClientError> {
        let target = Target::path(&[RESETS, "plan"]);
        let request = Request::query(target, reset)?;
        self.send(request).await?.found()
    }

    /// How services bore a reset, if there is one of that name.
    ///
    /// # Errors
    /// As for every question.
    pub async fn reset_report(&self, name: &str) -> Result<Option<ResetReport>, ClientError> {
        let target = Target::path(&[RESETS, name, "report"]);
        self.send(Request::get(target)).await?.found_or_absent()
    }
}

/// What happened.
impl Client {
    /// What happened in a reset, or to one host in it, if there is one of that name.
    ///
    /// # Errors
    /// As for every question.
    pub async fn reset_audit(
        &self,
        name: &str,
        host: Option<&str>,
    ) -> Result<Option<ResetAudit>, ClientError> {
        let target = Target::path(&[RESETS, name, "audit"]).with_any("host", host);
        self.send(Request::get(target)).await?.found_or_absent()
    }
}

/// Changes.
impl Client {
    /// Starts a reset.
    ///
    /// # Errors
    /// As for every change; `Refused` when it can never be done, or others are for the same hosts.
    pub async fn start_reset(&self, reset: &Reset) -> Result<(), ClientError> {
        let target = Target::path(&[RESETS]);
        let request = Request::change(Method::POST, target).with_body(reset)?;
        self.done(request).await
    }

    /// Lets the hosts that are away come back, and takes no more.
    ///
    /// # Errors
    /// As for every change; `Refused` when it does not run.
    pub async fn pause_reset(&self, name: &str) -> Result<(), ClientError> {
        self.done(Self::about(name, "pause")).await
    }

    /// Lets a reset that is paused or halted go on.
    ///
    /// # Errors
    /// As for every change; `Refused` when there is nothing to resume.
    pub async fn resume_reset(&self, name: &str, how: &ResumeReset) -> Result<(), ClientError> {
        let request = Self::about(name, "resume").with_body(how)?;
        self.done(request).await
    }

    /// Ends a reset: hosts that were not reset yet get their jobs back, the others come back first.
    ///
    /// # Errors
    /// As for every change; `Refused` when it is over.
    pub async fn abort_reset(&self, name: &str) -> Result<(), ClientError> {
        self.done(Self::about(name, "abort")).await
    }

    /// Tells the guard of a reset what was counted.
    ///
    /// # Errors
    /// As for every change; `Refused` when it has no such objective.
    pub async fn reset_evidence(
        &self,
        name: &str,
        objective: &str,
        evidence: &Evidence,
    ) -> Result<(), ClientError> {
        let body = ResetEvidence {
            objective: objective.to_owned(),
            evidence: evidence.clone(),
        };
        let request = Self::about(name, "evidence").with_body(&body)?;
        self.done(request).await
    }

    fn about(name: &str, what: &str) -> Request {
        Request::change(Method::POST, Target::path(&[RESETS, name, what]))
    }
}
