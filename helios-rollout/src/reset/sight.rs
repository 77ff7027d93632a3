//! What is seen of a fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_core::schema::Drain;

use super::host_hashes::hash_of;
use super::{Away, Progress};
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

/// What is seen of all registered hosts, and which of them another reset has. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sights {
    pub(super) fleet: Arc<Fleet>,
    /// By place in the fleet.
    pub(super) hosts: Arc<[Arc<Sight>]>,
    /// The services of each host and how many of its instances are wanted and well, by place.
    pub(super) serves: Arc<[Arc<[Serves]>]>,
    /// The names of the services, sorted.
    pub(super) services: Arc<[String]>,
    /// The hashes of the hosts' names, by place.
    hashes: Arc<[u64]>,
    /// Hosts that an older reset is for, by name, with that reset's name.
    pub(super) claimed: BTreeMap<HostName, String>,
    /// The order of the hosts that was asked for last.
    pub(super) remembered: Remembered,
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
        let members = fleet.members().iter();
        let hashes = members.map(|member| hash_of(&member.host)).collect();
        let hosts = hosts.into_iter().map(|(_, sight)| Arc::new(sight));
        let mut sights = Self {
            fleet: Arc::new(fleet),
            hosts: hosts.collect(),
            serves: Arc::default(),
            services: Arc::default(),
            hashes,
            claimed: BTreeMap::new(),
            remembered: Remembered::default(),
        };
        sights.index();
        Ok(sights)
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
        names.zip(self.hosts.iter().map(AsRef::as_ref))
    }

    /// The host of that name, if it is registered.
    #[must_use]
    pub fn get(&self, host: &HostName) -> Option<&Sight> {
        let sight = self.hosts.get(self.fleet.position(host.as_str())?)?;
        Some(sight)
    }

    /// What the host in that place does for services.
    pub(super) fn serves_of(&self, place: usize) -> &[Serves] {
        self.serves.get(place).map_or(&[], AsRef::as_ref)
    }

    /// Puts what is seen now in the place of what was seen of hosts whose labels are what they were.
    pub(super) fn renew(&mut self, hosts: Vec<(usize, Sight)>) {
        if hosts.is_empty() {
            return;
        }
        let mut is_indexed = true;
        let slots = Arc::make_mut(&mut self.serves);
        let sights = Arc::make_mut(&mut self.hosts);
        for (place, sight) in hosts {
            let found = serves(&sight, &self.services);
            if let Some(slot) = slots.get_mut(place) {
                let of = |serves: &Serves| serves.service;
                is_indexed &= found.iter().map(of).eq(slot.iter().map(of))
                    && found.iter().map(|serves| serves.instances).sum::<u64>()
                        == sight.instances.len() as u64;
                *slot = found.into();
            }
            if let Some(slot) = sights.get_mut(place) {
                *slot = Arc::new(sight);
            }
        }
        if !is_indexed {
            self.index();
        }
    }

    /// Finds out which services there are, and where.
    fn index(&mut self) {
        let instances = self.hosts.iter().flat_map(|sight| &sight.instances);
        let services: BTreeSet<&str> = instances.map(|one| one.service.as_str()).collect();
        self.services = services.into_iter().map(str::to_owned).collect();
        let serves = |sight: &Arc<Sight>| serves(sight, &self.services).into();
        self.serves = self.hosts.iter().map(serves).collect();
    }

    /// Whether each host was chosen already, by place.
    pub(super) fn chosen(&self, progress: &Progress) -> Vec<bool> {
        let mut chosen: Vec<bool> = self
            .hashes
            .iter()
            .map(|hash| progress.done.has(*hash))
            .collect();
        for host in progress.away.keys().chain(progress.mishaps.keys()) {
            let place = self.fleet.position(host.as_str());
            if let Some(slot) = place.and_then(|place| chosen.get_mut(place)) {
                *slot = true;
            }
        }
        chosen
    }

    /// How each host is away, by place.
    pub(super) fn away<'a>(&self, progress: &'a Progress) -> Vec<Option<&'a Away>> {
        let mut away = vec![None; self.hosts.len()];
        for (host, of_host) in &progress.away {
            let place = self.fleet.position(host.as_str());
            if let Some(slot) = place.and_then(|place| away.get_mut(place)) {
                *slot = Some(of_host);
            }
        }
        away
    }
}

/// What a host does for services that are known.
fn serves(sight: &Sight, services: &[String]) -> Vec<Serves> {
    let mut found: Vec<Serves> = Vec::with_capacity(sight.instances.len());
    for instance in &sight.instances {
        let Ok(service) = services.binary_search(&instance.service) else {
            continue;
        };
        let healthy = u64::from(instance.healthy);
        match found.iter_mut().find(|serves| serves.service == service) {
            Some(serves) => {
                serves.instances += 1;
                serves.healthy += healthy;
            }
            None => found.push(Serves {
                service,
                instances: 1,
                healthy,
            }),
        }
    }
    found.sort_unstable_by_key(|serves| serves.service);
    found
}

/// The last order of hosts that was asked for. It follows from the fleet and the question alone, so that it is remembered changes nothing
/// but the time it takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered(Arc<Mutex<Option<Answered>>>);

/// A question, and the order that answers it.
type Answered = (Question, Arc<[usize]>);

/// Which order: the salt, the strata, and of which hosts, by place.
pub(super) type Question = (String, Vec<String>, Vec<usize>);

impl PartialEq for Remembered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Remembered {}

impl Remembered {
    /// The answer, found out if it is not that of the last question.
    pub(super) fn answer(
        &self,
        question: Question,
        find_out: impl FnOnce(&Question) -> Arc<[usize]>,
    ) -> Arc<[usize]> {
        let Ok(mut last) = self.0.lock() else {
            return find_out(&question);
        };
        if let Some((_, answer)) = last.as_ref().filter(|(asked, _)| *asked == question) {
            return Arc::clone(answer);
        }
        let answer = find_out(&question);
        *last = Some((question, Arc::clone(&answer)));
        answer
    }
}
