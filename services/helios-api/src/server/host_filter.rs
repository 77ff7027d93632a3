//! Which hosts are meant.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use helios_core::cluster::{FleetView, HostView};
use helios_core::model::{HostName, HostSelector, ParseError};

use super::fault::Fault;
use super::params::Params;
use super::pattern::Pattern;
use crate::wire::HostState;

/// Which hosts are meant: `?namePattern=REGEX&selector=LABEL=VALUE&status=UP`, all of them if nothing is said.
pub(super) struct HostFilter {
    pattern: Option<Pattern>,
    selectors: Vec<HostSelector>,
    /// Whatever was said: no host is in a state that there is not.
    state: Option<String>,
}

impl HostFilter {
    /// The hosts that are meant, in the order of their names.
    pub(super) fn of<'a>(&self, view: &'a FleetView) -> Vec<&'a HostName> {
        self.among(view, view.hosts.names())
    }

    /// Of these hosts those that are meant, in the same order. A host that is not registered is not meant.
    pub(super) fn among<'a>(
        &self,
        view: &FleetView,
        hosts: impl IntoIterator<Item = &'a HostName>,
    ) -> Vec<&'a HostName> {
        let hosts = hosts.into_iter();
        hosts
            .filter(|host| view.hosts.get(host).is_some() && self.means(view, host))
            .collect()
    }

    fn means(&self, view: &FleetView, name: &HostName) -> bool {
        let pattern = self.pattern.as_ref();
        if !pattern.is_none_or(|pattern| pattern.matches(name.as_str())) {
            return false;
        }
        if self.selectors.is_empty() && self.state.is_none() {
            return true;
        }
        view.host(name).is_some_and(|host| {
            self.means_state(&host) && (self.selectors.is_empty() || self.has_labels(&host))
        })
    }

    /// Whether that is the state that was asked for, if one was.
    pub(super) fn means_state(&self, host: &HostView) -> bool {
        let state = self.state.as_deref();
        state.is_none_or(|wanted| HostState::of(host.up).as_str() == wanted)
    }

    fn has_labels(&self, host: &HostView) -> bool {
        let report = host.report.as_ref();
        report.is_some_and(|report| HostSelector::all_match(&self.selectors, &report.labels))
    }
}

impl<S: Sync> FromRequestParts<S> for HostFilter {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Ok(params) = Params::from_request_parts(parts, state).await;
        let pattern = params.non_empty("namePattern").map(Pattern::new);
        let selectors = params.all("selector").map(str::parse);
        let selectors = selectors
            .collect::<Result<_, _>>()
            .map_err(|error: ParseError| Fault::InvalidSelector(error.to_string()))?;
        Ok(Self {
            pattern: pattern.transpose()?,
            selectors,
            state: params.non_empty("status").map(str::to_owned),
        })
    }
}
