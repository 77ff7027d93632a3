//! What is seen of a fleet.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_core::schema::Drain;

use crate::order::{Fleet, Member, OrderError};

/// What is seen of one registered host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Its labels, as its agent reports them.
    pub labels: BTreeMap<String, String>,
    /// Which registration it is.
    pub epoch: String,
    /// Whether its agent is there.
    pub up: bool,
    /// Which boot of the machine this is.
    pub boot_id: Option<String>,
    /// Since when the machine is up.
    pub up_since: Option<Timestamp>,
    /// Whether its operating system asks for a reboot.
    pub reboot_pending: bool,
    /// Whether and by whom it is drained.
    pub drain: Option<Drain>,
    /// Why its agent could not reset it, if it could not.
    pub trouble: Option<String>,
    /// Whether nothing runs on it any more, and its agent follows the drain.
    pub empty: bool,
    /// Which of the jobs that should run there are not well, by id.
    pub unwell: Vec<String>,
    /// The instances that should run there.
    pub instances: Vec<Instance>,
}

/// One job that should run on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Of which service: the name of the job, without its version.
    pub service: String,
    /// Whether it runs and is well.
    pub healthy: bool,
}

/// What is seen of all registered hosts, and which of them another reset has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sights {
    pub(super) fleet: Fleet,
    /// By place in the fleet.
    pub(super) hosts: Vec<Sight>,
    /// The services of each host and how many of its instances are wanted and well, by place.
    pub(super) serves: Vec<Vec<Serves>>,
    /// The names of the services, sorted.
    pub(super) services: Vec<String>,
    /// Hosts that an older reset is for, by name, with that reset's name.
    pub(super) claimed: BTreeMap<HostName, String>,
}

/// What one host does for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Serves {
    /// Which service, as a place in [`Sights::services`].
    pub(super) service: usize,
    pub(super) instances: u64,
    pub(super) healthy: u64,
}

impl Sights {
    /// The sights of these hosts.
    ///
    /// # Errors
    ///
    /// [`OrderError`] if two have the same name or there are too many.
    pub fn new(hosts: impl IntoIterator<Item = (HostName, Sight)>) -> Result<Self, OrderError> {
        let mut hosts: Vec<(HostName, Sight)> = hosts.into_iter().collect();
        hosts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let members = hosts
            .iter()
            .map(|(name, sight)| Member::new(name.clone(), sight.labels.clone()));
        let fleet = Fleet::new(members)?;
        let hosts: Vec<Sight> = hosts.into_iter().map(|(_, sight)| sight).collect();
        let names = hosts.iter().flat_map(|sight| &sight.instances);
        let mut places: BTreeMap<&str, usize> = names
            .map(|instance| (instance.service.as_str(), 0))
            .collect();
        for (place, slot) in places.values_mut().enumerate() {
            *slot = place;
        }
        let serves = hosts.iter().map(|sight| serves(sight, &places)).collect();
        let services = places.into_keys().map(str::to_owned).collect();
        Ok(Self {
            serves,
            services,
            fleet,
            hosts,
            claimed: BTreeMap::new(),
        })
    }

    /// With hosts that another reset, which began earlier, is for.
    #[must_use]
    pub fn claimed_by(mut self, reset: &str, hosts: impl IntoIterator<Item = HostName>) -> Self {
        for host in hosts {
            self.claimed.entry(host).or_insert_with(|| reset.to_owned());
        }
        self
    }

    /// The hosts, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&HostName, &Sight)> {
        let names = self.fleet.members().iter().map(|member| &member.host);
        names.zip(&self.hosts)
    }

    /// The host of that name, if it is registered.
    #[must_use]
    pub fn get(&self, host: &HostName) -> Option<&Sight> {
        self.hosts.get(self.fleet.position(host.as_str())?)
    }
}

fn serves(sight: &Sight, places: &BTreeMap<&str, usize>) -> Vec<Serves> {
    let mut found: BTreeMap<usize, Serves> = BTreeMap::new();
    for instance in &sight.instances {
        let Some(&service) = places.get(instance.service.as_str()) else {
            continue;
        };
        let serves = found.entry(service).or_insert(Serves {
            service,
            instances: 0,
            healthy: 0,
        });
        serves.instances += 1;
        serves.healthy += u64::from(instance.healthy);
    }
    found.into_values().collect()
}
