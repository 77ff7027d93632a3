//! Questions about hosts, and their registration.

use std::collections::BTreeMap;

use helios_core::model::HostSelector;
use http::{Method, StatusCode};

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{HostDeregisterResponse, HostState, HostStatus};

/// Which hosts to list; all of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsQuery {
    /// Only those whose name matches this regular expression somewhere.
    pub name_pattern: Option<String>,
    /// Only those whose labels match all of these, each in its text form such as `role=web`.
    pub selectors: Vec<String>,
}

impl HostsQuery {
    /// The hosts that match all those selectors.
    #[must_use]
    pub fn matching<'a>(selectors: impl IntoIterator<Item = &'a HostSelector>) -> Self {
        Self {
            name_pattern: None,
            selectors: selectors.into_iter().map(HostSelector::to_string).collect(),
        }
    }
}

impl Client {
    /// The names of the hosts, also of those that are down.
    ///
    /// # Errors
    /// As for every question; `Refused` when a selector or the pattern is none.
    pub async fn hosts(&self, query: &HostsQuery) -> Result<Vec<String>, ClientError> {
        let target =
            Target::path(&["hosts"]).with_any("namePattern", query.name_pattern.as_deref());
        let target = query
            .selectors
            .iter()
            .fold(target, |target, selector| target.with("selector", selector));
        self.send(Request::get(target)).await?.found()
    }

    /// What is known of a host, if it is registered; with a `state`, only if it is in that state.
    ///
    /// # Errors
    /// As for every question.
    pub async fn host_status(
        &self,
        host: &str,
        state: Option<HostState>,
    ) -> Result<Option<HostStatus>, ClientError> {
        let target = Target::path(&["hosts", host, "status"])
            .with_any("status", state.map(HostState::as_str));
        self.send(Request::get(target)).await?.found_or_absent()
    }

    /// What is known of many hosts, with one request. Those that are not registered, or not in that
    /// `state`, are left out.
    ///
    /// # Errors
    /// As for every question.
    pub async fn host_statuses(
        &self,
        hosts: &[String],
        state: Option<HostState>,
    ) -> Result<BTreeMap<String, HostStatus>, ClientError> {
        let target =
            Target::path(&["hosts", "statuses"]).with_any("status", state.map(HostState::as_str));
        let request = Request::query(target, &hosts)?;
        self.send(request).await?.found()
    }

    /// Registers a host for the agent of that id. Agents register themselves; this is for hosts that come
    /// later.
    ///
    /// # Errors
    /// As for every change; `Refused` when the host is registered for another agent.
    pub async fn register_host(&self, host: &str, agent_id: &str) -> Result<(), ClientError> {
        let target = Target::path(&["hosts", host]).with("id", agent_id);
        let reply = self.send(Request::change(Method::PUT, target)).await?;
        match reply.status {
            StatusCode::OK => Ok(()),
            _ => Err(reply.into_error()),
        }
    }

    /// Deregisters a host, and removes all its deployments.
    ///
    /// # Errors
    /// As for every change.
    pub async fn deregister_host(&self, host: &str) -> Result<HostDeregisterResponse, ClientError> {
        let target = Target::path(&["hosts", host]);
        let request = Request::change(Method::DELETE, target);
        self.send(request).await?.outcome()
    }
}
