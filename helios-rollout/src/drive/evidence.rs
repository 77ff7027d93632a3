//! Where evidence comes from, and what it says about the two arms of a rollout.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Refusal;
use super::ledger::Mark;
use crate::audit::State;
use crate::guard::{Counts, Evidence, Guard};
use crate::order::{Member, Order};

/// What an objective asks, as [`Objective::query`](crate::guard::Objective::query) holds it: JSON with one member, the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// Whether hosts are well, as Helios itself sees them: a host goes wrong when its agent is gone, one of its tasks fails or flaps, or its
    /// follower could not enact what it was told. Each host counts once.
    Health {
        /// For how many seconds it must be wrong to count: as long as a change may take a host away.
        #[serde(default = "two_minutes")]
        grace_seconds: u64,
    },
    /// Two PromQL expressions, each with one sample per host. `$window` in them becomes the time since the look before, as `90s`.
    Prometheus {
        /// The server, as `http://127.0.0.1:9090` or `https://prometheus.example.net`.
        url: String,
        /// How often it went wrong in the window.
        bad: String,
        /// How often it could have.
        all: String,
        /// The label that names the host; a port after the name is ignored.
        #[serde(default = "instance")]
        host_label: String,
    },
}

fn two_minutes() -> u64 {
    120
}

fn instance() -> String {
    "instance".to_owned()
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Query {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|error| Refusal::Query {
            query: text.to_owned(),
            why: error.to_string(),
        })
    }
}

/// Whether every objective asks something that can be asked.
pub(super) fn check_queries(guard: &Guard) -> Result<(), Refusal> {
    guard.objectives.iter().try_for_each(|objective| {
        let refuse = |why: &str| {
            let (query, why) = (objective.query.clone(), why.to_owned());
            Err(Refusal::Query { query, why })
        };
        match objective.query.parse()? {
            Query::Health { .. } => Ok(()),
            Query::Prometheus { url, .. }
                if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) =>
            {
                refuse("give the address of a Prometheus server as http://host:9090 or https://host:9090")
            }
            // A counter as it stands holds what happened before the rollout, and would be counted at every look.
            Query::Prometheus { bad, all, .. }
                if ![&bad, &all].iter().all(|text| text.contains("$window")) =>
            {
                refuse("count over the time since the last look, as in sum by (instance) (increase(errors_total[$window]))")
            }
            Query::Prometheus { .. } => Ok(()),
        }
    })
}

/// What was counted in a window of time, by host.
pub type Tally = BTreeMap<HostName, Counts>;

/// Why there is no evidence. It is never taken for evidence of anything.
#[derive(Debug, Error)]
#[error("there is no evidence: {0}")]
pub struct NoEvidence(pub String);

/// Asks a system of measurement.
#[async_trait]
pub trait EvidenceSource: fmt::Debug + Send + Sync + 'static {
    /// What was counted on each host in the `window` that ends now.
    ///
    /// # Errors
    /// [`NoEvidence`] if the source is down, or answers with what is no count.
    ///
    /// # Cancellation
    /// Harmless.
    async fn count(&self, query: &Query, window: Duration) -> Result<Tally, NoEvidence>;
}

/// A master that can ask nobody: a guard that does is ended by its dead-man limit.
#[derive(Clone, Copy, Debug)]
pub struct NobodyToAsk;

#[async_trait]
impl EvidenceSource for NobodyToAsk {
    async fn count(&self, query: &Query, _: Duration) -> Result<Tally, NoEvidence> {
        Err(NoEvidence(format!("this master has nobody to ask {query}")))
    }
}

/// One look at one objective, ready for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) objective: String,
    /// All strata without events together, then each of the others.
    pub(super) evidence: Vec<Evidence>,
    pub(super) fallen: Vec<HostName>,
}

/// The two arms of a rollout.
pub(super) struct Arms<'a> {
    pub(super) state: &'a State,
    pub(super) marks: &'a BTreeMap<HostName, Mark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Arm {
    New,
    Old,
}

impl Arms<'_> {
    /// Looks at hosts that are well or not. The first look only notes who is unwell before anything was changed.
    ///
    /// The exposure of a host is the time it was well, in seconds; it counts at most once, so that a host which goes on and off is not
    /// taken for many.
    pub(super) fn health(
        &self,
        objective: &str,
        unwell: &BTreeSet<HostName>,
        since: Timestamp,
        at: Timestamp,
    ) -> Look {
        let known = self.state.fallen.get(objective);
        let before = |host: &HostName| known.is_some_and(|known| known.contains(host));
        let fallen: Vec<HostName> = unwell
            .iter()
            .filter(|host| !before(host))
            .cloned()
            .collect();
        let mut tally = Tally::new();
        if known.is_some() {
            let seconds = at.since(since).as_secs().max(1);
            for member in self
                .state
                .fleet
                .members()
                .iter()
                .filter(|member| !before(&member.host))
            {
                let counts = Counts {
                    events: u64::from(unwell.contains(&member.host)),
                    exposure: seconds,
                };
                tally.insert(member.host.clone(), counts);
            }
        }
        Look {
            fallen,
            ..self.tally(objective, &tally, since, at)
        }
    }

    /// Whether any of these hosts is one of the fleet.
    pub(super) fn know_any_of(&self, tally: &Tally) -> bool {
        let fleet = &self.state.fleet;
        tally.keys().any(|host| fleet.get(host.as_str()).is_some())
    }

    /// Sums counts up by stratum and arm. A host that was told in the window had both values, and is left out.
    pub(super) fn tally(
        &self,
        objective: &str,
        tally: &Tally,
        since: Timestamp,
        at: Timestamp,
    ) -> Look {
        let mut strata: BTreeMap<String, (Counts, Counts)> = BTreeMap::new();
        for (host, counts) in tally {
            let Some(member) = self.state.fleet.get(host.as_str()) else {
                continue;
            };
            let Some(arm) = self.arm(member, since) else {
                continue;
            };
            let (new, old) = strata.entry(self.stratum(member)).or_default();
            let sum = if arm == Arm::New { new } else { old };
            sum.add(*counts);
        }
        let of = |stratum: String, new, old| Evidence {
            at,
            stratum,
            new,
            old,
        };
        // A stratum without events says nothing about the ratio of two rates, but something about the rates: one line for all of these.
        let (eventful, quiet): (Vec<_>, Vec<_>) = strata
            .into_iter()
            .partition(|(_, (new, old))| new.events + old.events > 0);
        let (mut new, mut old) = (Counts::default(), Counts::default());
        for (_, (quiet_new, quiet_old)) in quiet {
            new.add(quiet_new);
            old.add(quiet_old);
        }
        let possible = eventful
            .into_iter()
            .filter(|(_, (new, old))| new.exposure >= new.events && old.exposure >= old.events);
        let mut evidence = vec![of(String::new(), new, old)];
        evidence.extend(possible.map(|(stratum, (new, old))| of(stratum, new, old)));
        Look {
            objective: objective.to_owned(),
            evidence,
            fallen: Vec::new(),
        }
    }

    fn arm(&self, member: &Member, since: Timestamp) -> Option<Arm> {
        let running = self.state.variable.running()?;
        match self.marks.get(&member.host) {
            Some(mark) if mark.at > since => None,
            _ if running.told.contains(&member.host) => Some(Arm::New),
            _ => Order::picks(&running.transition.scope, member).then_some(Arm::Old),
        }
    }

    fn stratum(&self, member: &Member) -> String {
        let running = self.state.variable.running();
        let keys = running.map_or(&[][..], |running| &running.transition.order.strata);
        let path: Vec<&str> = keys.iter().map(|key| member.label(key)).collect();
        path.join("/")
    }
}
