//! How services bore the absence of their hosts.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::arms::OfService;
use crate::guard::{Counts, EProcess, Evidence, Guard, Objective};

/// For every service that had a host away, what happened to it meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Robustness {
    /// By service.
    pub services: BTreeMap<String, Story>,
}

/// What happened to one service while hosts with instances of it were away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// How many of its hosts were taken away.
    pub hosts: u64,
    /// How many instances it was to have, when there were fewest.
    pub instances: u64,
    /// The fewest instances that were well.
    pub healthy: u64,
    /// When that was first seen.
    pub at: Timestamp,
    /// Which host was away then.
    pub host: HostName,
    /// How many had to be well, had nobody waived it.
    pub minimum: u64,
    /// What the objectives of the guard counted on those of its hosts that were there, by objective.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objectives: BTreeMap<String, Counted>,
}

/// What an objective counted on those hosts of a service that were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// While another of its hosts was away.
    pub away: Counts,
    /// While all of them were there.
    pub whole: Counts,
}

/// Whether a service can bear to lose a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// At some time no instance of it was well.
    WasDown,
    /// At some time fewer than its minimum were well.
    BelowMinimum,
    /// It always had its minimum.
    Robust,
}

impl Story {
    /// Whether the service can bear it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.healthy == 0 {
            Verdict::WasDown
        } else if self.healthy < self.minimum {
            Verdict::BelowMinimum
        } else {
            Verdict::Robust
        }
    }
}

impl Story {
    /// The objectives that it shows to get worse while a host is away, at the guard's risk.
    #[must_use]
    pub fn gets_worse(&self, guard: &Guard) -> Vec<String> {
        let is_worse = |objective: &&Objective| {
            let counted = self.objectives.get(&objective.name);
            let evidence = counted.map(|counted| Evidence {
                at: self.at,
                stratum: String::new(),
                new: counted.away,
                old: counted.whole,
            });
            let mut harm = EProcess::of_harm(objective.margin_permille);
            evidence.iter().for_each(|evidence| harm.look(evidence));
            harm.has_reached(guard.objective_alpha_ppm())
        };
        let worse = guard.objectives.iter().filter(is_worse);
        worse.map(|objective| objective.name.clone()).collect()
    }
}

impl Robustness {
    /// What an objective counted on the hosts of services. Those that had no host away yet have no story.
    pub(super) fn note(&mut self, objective: &str, services: &BTreeMap<String, OfService>) {
        for (service, found) in services {
            let Some(story) = self.services.get_mut(service) else {
                continue;
            };
            let counted = story.objectives.entry(objective.to_owned()).or_default();
            let sum = match found.while_away {
                true => &mut counted.away,
                false => &mut counted.whole,
            };
            sum.add(found.counts);
        }
    }

    /// The services, those first that could bear it least.
    #[must_use]
    pub fn by_verdict(&self) -> Vec<(&str, &Story)> {
        let mut services: Vec<(&str, &Story)> = self
            .services
            .iter()
            .map(|(service, story)| (service.as_str(), story))
            .collect();
        services.sort_by_key(|(_, story)| story.verdict());
        services
    }

    /// One look at a service while a host of it is away; `first` says that it was just taken away.
    pub(super) fn look(&mut self, service: &str, first: bool, look: Story) {
        let story = match self.services.get_mut(service) {
            Some(story) => story,
            None => self.services.entry(service.to_owned()).or_insert(Story {
                hosts: 0,
                ..look.clone()
            }),
        };
        story.hosts += u64::from(first);
        if look.healthy < story.healthy {
            let (hosts, objectives) = (story.hosts, std::mem::take(&mut story.objectives));
            *story = Story {
                hosts,
                objectives,
                ..look
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::Action;

    #[test]
    fn a_service_that_gets_worse_while_a_host_is_away_is_found_by_its_objective() {
        let look = Story {
            hosts: 0,
            instances: 3,
            healthy: 2,
            at: Timestamp::from_millis(0),
            host: "web-1".parse().unwrap(),
            minimum: 1,
            objectives: BTreeMap::new(),
        };
        let objective = Objective {
            name: "errors".to_owned(),
            query: String::new(),
            margin_permille: 500,
            gates: vec![],
            on_harm: Action::Hold,
            dead_man: Duration::from_secs(1),
        };
        let guard = Guard {
            alpha_ppm: 50_000,
            objectives: vec![objective],
            bake: None,
        };
        let mut known = Robustness::default();
        let mut note = |events, while_away| {
            let counts = Counts {
                events,
                exposure: 1_000,
            };
            let found = OfService { counts, while_away };
            known.note("errors", &[("front".to_owned(), found)].into());
            known.look("front", false, look.clone());
            known.services["front"].gets_worse(&guard)
        };
        assert_eq!(note(50, true), [""; 0], "it had no host away before");
        assert_eq!(note(10, false), [""; 0]);
        assert_eq!(note(12, true), [""; 0], "not beyond the margin");
        assert_eq!(note(50, true), ["errors"]);
    }
}
