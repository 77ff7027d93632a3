//! How services bore the absence of their hosts.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

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
}

/// Whether a service can bear to lose a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

impl Robustness {
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
            let hosts = story.hosts;
            *story = Story { hosts, ..look };
        }
    }
}
