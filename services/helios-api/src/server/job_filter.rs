//! Which jobs are meant.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use helios_core::cluster::{FleetView, JobQuery};
use helios_core::model::JobId;

use super::fault::Fault;
use super::page::Page;
use super::params::Params;
use super::pattern::Pattern;

/// Which jobs are meant: `?q=PART_OF_ID&hostPattern=REGEX&limit=NUMBER&after=ID`, all of them if nothing is said.
pub(super) struct JobFilter {
    query: JobQuery,
    hosts: Option<Pattern>,
    page: Page,
}

impl JobFilter {
    /// Of jobs in the order of their ids those that are meant.
    pub(super) fn of<'a>(
        &self,
        view: &FleetView,
        jobs: impl IntoIterator<Item = &'a JobId>,
    ) -> Vec<&'a JobId> {
        let deployed = self.hosts.as_ref().map(|hosts| deployed_on(view, hosts));
        let is_there = |id: &JobId| {
            deployed
                .as_ref()
                .is_none_or(|there| there.contains(id.as_str()))
        };
        let meant = jobs.into_iter();
        let meant = meant.filter(|id| self.query.matches(id) && is_there(id));
        self.page
            .of(meant, |id, after| follows(id, after))
            .collect()
    }
}

/// Whether an id comes after that one. What is no id comes before all of them.
fn follows(id: &JobId, after: &str) -> bool {
    !JobId::parse_reference(after).is_ok_and(|after| *id <= after)
}

/// The jobs that have goals on such hosts, also goals that cannot be read.
fn deployed_on<'a>(view: &'a FleetView, pattern: &Pattern) -> BTreeSet<&'a str> {
    let hosts = view
        .hosts
        .iter()
        .filter(|(host, _)| pattern.matches(host.as_str()));
    let jobs = hosts.flat_map(|(_, record)| {
        let unread = record.goals.unread().keys().map(String::as_str);
        record.goals.keys().map(JobId::as_str).chain(unread)
    });
    jobs.collect()
}

impl<S: Sync> FromRequestParts<S> for JobFilter {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let page = Page::from_request_parts(parts, state).await?;
        let Ok(params) = Params::from_request_parts(parts, state).await;
        let hosts = params.non_empty("hostPattern").map(Pattern::new);
        Ok(Self {
            query: JobQuery::new(params.get("q").unwrap_or_default()),
            hosts: hosts.transpose()?,
            page,
        })
    }
}
