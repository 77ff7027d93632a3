//! Variables and their rollouts.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::Timestamp;
use helios_rollout::drive::Course;
use http::header::ETAG;
use http::{HeaderValue, Method, StatusCode};
use serde::de::IgnoredAny;

use super::query::{ListQuery, Target};
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{
    AuditReport, Desired, Preview, RollBack, RolloutPlan, RolloutRequest, SINCE_HEADER,
    SetVariable, VariableStatus, Why,
};

const VARIABLES: &str = "variables";

/// What a master said to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredReply {
    /// What it should hold; `None` if that has not changed since the answer whose tag was given.
    pub desired: Option<Desired>,
    /// The tag of this answer, to be given next time.
    pub tag: Option<String>,
}

/// How a host asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredQuery {
    /// What the host is. Counts on its first call, unless it has an agent.
    pub labels: BTreeMap<String, String>,
    /// The tag of the answer it has.
    pub tag: Option<String>,
    /// Why it could not enact that; an empty text if it could, after it could not.
    pub failed: Option<String>,
}

/// Questions. Errors are as for every question, see [`ClientErrorKind`](super::ClientErrorKind).
impl Client {
    /// All variables.
    ///
    /// # Errors
    /// As for every question. `Refused` when the pattern is none.
    pub async fn variables(&self, query: &ListQuery) -> Result<Vec<VariableStatus>, ClientError> {
        let request = Request::get(query.of(VARIABLES));
        self.send(request).await?.found()
    }

    /// A variable, if there is one of that name.
    ///
    /// # Errors
    /// As for every question.
    pub async fn variable(&self, name: &str) -> Result<Option<VariableStatus>, ClientError> {
        let target = Target::path(&[VARIABLES, name]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// What a rollout would do.
    ///
    /// # Errors
    /// As for every question; `Refused` when it could not be started.
    pub async fn plan_rollout(
        &self,
        name: &str,
        request: &RolloutRequest,
    ) -> Result<RolloutPlan, ClientError> {
        let target = Target::path(&[VARIABLES, name, "plan"]);
        let request = Request::query(target, request)?;
        self.send(request).await?.found()
    }

    /// Why a host holds what it holds, and when that changes; `None` if there is no such variable or host.
    ///
    /// # Errors
    /// As for every question.
    pub async fn why(&self, name: &str, host: &str) -> Result<Option<Why>, ClientError> {
        let target = Target::path(&[VARIABLES, name, "why", host]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// How many hosts hold what at a time; `None` if there is no such variable.
    ///
    /// # Errors
    /// As for every question.
    pub async fn preview(
        &self,
        name: &str,
        at: Option<Timestamp>,
    ) -> Result<Option<Preview>, ClientError> {
        let at = at.map(|at| at.as_millis().to_string());
        let target = Target::path(&[VARIABLES, name, "preview"]).with_any("at", at.as_deref());
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// How many hosts hold what over time; `None` if there is no such variable.
    ///
    /// # Errors
    /// As for every question.
    pub async fn course(&self, name: &str) -> Result<Option<Course>, ClientError> {
        let target = Target::path(&[VARIABLES, name, "course"]);
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// What happened in the rollout that is running or was the last; with a host, what it was told. `replay` has every decision made
    /// again. `None` if there is no such variable.
    ///
    /// # Errors
    /// As for every question.
    pub async fn variable_audit(
        &self,
        name: &str,
        host: Option<&str>,
        replay: bool,
    ) -> Result<Option<AuditReport>, ClientError> {
        let target = Target::path(&[VARIABLES, name, "audit"]).with_any("host", host);
        let target = target.with_any("replay", replay.then_some("1"));
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// What a host should hold.
    ///
    /// # Errors
    /// As for every question; `Refused` when nobody knows the host and it does not say what it is.
    pub async fn desired(
        &self,
        host: &str,
        query: &DesiredQuery,
    ) -> Result<DesiredReply, ClientError> {
        let target = Target::path(&["desired", host]).with("join", "1");
        let target = target.with_any("failed", query.failed.as_deref());
        let target = query.labels.iter().fold(target, |target, (name, value)| {
            target.with("label", &format!("{name}={value}"))
        });
        let known = query.tag.as_deref().map(HeaderValue::try_from);
        let request = Request {
            known: known.and_then(Result::ok),
            ..Request::get(target)
        };
        let reply = self.send(request).await?;
        let text = |name: &str| {
            let value = reply
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (tag, since) = (text(ETAG.as_str()), text(SINCE_HEADER));
        if reply.status == StatusCode::NOT_MODIFIED {
            return Ok(DesiredReply { desired: None, tag });
        }
        let desired = Desired {
            values: reply.found()?,
            since: numbers(&since.unwrap_or_default()),
        };
        Ok(DesiredReply {
            desired: Some(desired),
            tag,
        })
    }
}

/// Changes.
impl Client {
    /// Gives every host a value at once; a variable that is not there is made.
    ///
    /// # Errors
    /// As for every change.
    pub async fn set_variable(&self, name: &str, body: &SetVariable) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name]);
        let request = Request::change(Method::PUT, target).with_body(body)?;
        self.done(request).await
    }

    /// Removes a variable: hosts are told nothing of it any more.
    ///
    /// # Errors
    /// As for every change.
    pub async fn remove_variable(&self, name: &str) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name]);
        self.done(Request::change(Method::DELETE, target)).await
    }

    /// Starts a rollout.
    ///
    /// # Errors
    /// As for every change.
    pub async fn start_rollout(
        &self,
        name: &str,
        request: &RolloutRequest,
    ) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name, "rollout"]);
        let request = Request::change(Method::POST, target).with_body(request)?;
        self.done(request).await
    }

    /// Stops the clock of a rollout.
    ///
    /// # Errors
    /// As for every change.
    pub async fn pause_rollout(&self, name: &str) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name, "pause"]);
        self.done(Request::change(Method::POST, target)).await
    }

    /// Lets the clock of a rollout run again.
    ///
    /// # Errors
    /// As for every change.
    pub async fn resume_rollout(&self, name: &str) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name, "resume"]);
        self.done(Request::change(Method::POST, target)).await
    }

    /// Ends a rollout where it is.
    ///
    /// # Errors
    /// As for every change.
    pub async fn abort_rollout(&self, name: &str) -> Result<(), ClientError> {
        let target = Target::path(&[VARIABLES, name, "abort"]);
        self.done(Request::change(Method::POST, target)).await
    }

    /// Turns a rollout round, over that time.
    ///
    /// # Errors
    /// As for every change.
    pub async fn roll_back(&self, name: &str, over: Option<Duration>) -> Result<(), ClientError> {
        let millis = |over: Duration| u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
        let body = RollBack {
            over_millis: over.map(millis),
        };
        let target = Target::path(&[VARIABLES, name, "rollback"]);
        let request = Request::change(Method::POST, target).with_body(&body)?;
        self.done(request).await
    }

    /// Forgets a host that follows without an agent.
    ///
    /// # Errors
    /// As for every change.
    pub async fn forget_follower(&self, host: &str) -> Result<(), ClientError> {
        let target = Target::path(&["desired", host]);
        self.done(Request::change(Method::DELETE, target)).await
    }

    pub(super) async fn done(&self, request: Request) -> Result<(), ClientError> {
        let _: IgnoredAny = self.send(request).await?.found()?;
        Ok(())
    }
}

/// `docker=17,kernel=4`
fn numbers(text: &str) -> BTreeMap<String, u64> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
        .collect()
}
