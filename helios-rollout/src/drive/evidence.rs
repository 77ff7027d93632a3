//! Where evidence comes from, and what it says about the two arms of a rollout.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::guard::{Counts, Evidence, Guard, Missing, NoEvidence};
use crate::order::{Fleet, Member};

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
pub(crate) fn check_queries(guard: &Guard) -> Result<(), Refusal> {
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
        let why = format!("this master has nobody to ask {query}");
        Err(NoEvidence::new(Missing::NobodyToAsk, why))
    }
}

/// One look at one objective, ready for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) objective: String,
    /// What was counted on each host that was in one arm all the time.
    pub(crate) tally: Tally,
    /// All strata without events together, then each of the others.
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) fallen: Vec<HostName>,
}

/// Hosts with what is new, or without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arm {
    New,
    Old,
}

/// The two arms of a change that goes over a fleet, as they are now.
pub(crate) trait Arms: Sync {
    fn fleet(&self) -> &Fleet;

    /// The labels that make the strata, outermost first.
    fn strata(&self) -> &[String];

    /// In which arm a host was all the time since then. One that was being changed had both, and is in none.
    fn arm(&self, member: &Member, since: Timestamp) -> Option<Arm>;

    /// Whether anybody has looked at the objective yet.
    fn is_known(&self, objective: &str) -> bool;

    /// Whether the host was found wrong before, by that objective.
    fn has_fallen(&self, objective: &str, host: &HostName) -> bool;
}

impl dyn Arms + '_ {
    /// Looks at hosts that are well or not. The first look only notes who is unwell before anything was changed.
    ///
    /// The exposure of a host is the time it was well, in seconds; it counts at most once, so that a host which goes on and off is not
    /// taken for many.
    pub(crate) fn health(
        &self,
        objective: &str,
        unwell: &BTreeSet<HostName>,
        since: Timestamp,
        at: Timestamp,
    ) -> Look {
        let first = !self.is_known(objective);
        let exposure = at.since(since).as_secs().max(1);
        let (mut tally, mut fallen) = (Tally::new(), Vec::new());
        for member in self.fleet().members() {
            let host = &member.host;
            let in_an_arm = self.arm(member, if first { at } else { since }).is_some();
            // Who is being changed may be away. If it stays so, the look after that finds it in an arm.
            if !in_an_arm || self.has_fallen(objective, host) {
                continue;
            }
            let events = u64::from(unwell.contains(host));
            if events > 0 {
                fallen.push(host.clone());
            }
            if !first {
                tally.insert(host.clone(), Counts { events, exposure });
            }
        }
        Look {
            fallen,
            ..self.tally(objective, tally, since, at)
        }
    }

    /// Whether any of these hosts is one of the fleet.
    pub(crate) fn know_any_of(&self, tally: &Tally) -> bool {
        let fleet = self.fleet();
        tally.keys().any(|host| fleet.get(host.as_str()).is_some())
    }

    /// Sums counts up by stratum and arm.
    pub(crate) fn tally(
        &self,
        objective: &str,
        tally: Tally,
        since: Timestamp,
        at: Timestamp,
    ) -> Look {
        let mut strata: BTreeMap<String, (Counts, Counts)> = BTreeMap::new();
        let mut counted = Tally::new();
        for (host, counts) in tally {
            let Some(member) = self.fleet().get(host.as_str()) else {
                continue;
            };
            let Some(arm) = self.arm(member, since) else {
                continue;
            };
            let (new, old) = strata.entry(self.stratum(member)).or_default();
            let sum = if arm == Arm::New { new } else { old };
            sum.add(counts);
            counted.insert(host, counts);
        }
        Look {
            objective: objective.to_owned(),
            tally: counted,
            evidence: evidence(strata, at),
            fallen: Vec::new(),
        }
    }

    fn stratum(&self, member: &Member) -> String {
        let path: Vec<&str> = self.strata().iter().map(|key| member.label(key)).collect();
        path.join("/")
    }
}

/// A stratum without events says nothing about the ratio of two rates, but something about the rates: one line for all of these.
fn evidence(strata: BTreeMap<String, (Counts, Counts)>, at: Timestamp) -> Vec<Evidence> {
    let of = |stratum: String, new, old| Evidence {
        at,
        stratum,
        new,
        old,
    };
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
    evidence
}
