//! Who may be taken away now.

use std::collections::BTreeMap;

use super::{Action, Away, Hold, Impossible, Progress, Reset, Sight, Sights, Wanted};

/// How many hosts and instances there are, are away, and serve; kept up to date as hosts are chosen.
pub(super) struct Standing<'a> {
    reset: &'a Reset,
    sights: &'a Sights,
    /// Hosts that are away, counting those that are chosen in this very step.
    pub(super) away: u64,
    /// Whether each host was away at the beginning, by place, and how.
    is_away: Vec<bool>,
    places: Vec<Option<&'a Away>>,
    /// Whether no host is done yet and the first one goes alone.
    pub(super) alone: bool,
    groups: Vec<Group<'a>>,
    services: Vec<Service>,
}

/// The hosts by the value of one label.
struct Group<'a> {
    label: &'a str,
    allowed_by: &'a super::GroupLimit,
    values: BTreeMap<&'a str, Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    hosts: u64,
    away: u64,
    /// Up, and not away.
    serving: u64,
}

/// The instances of one service.
#[derive(Clone, Copy, Default)]
struct Service {
    instances: u64,
    /// Well, wherever they are.
    healthy: u64,
    /// Well, on hosts that are not away.
    spare: u64,
    minimum: u64,
}

impl<'a> Standing<'a> {
    pub(super) fn of(reset: &'a Reset, progress: &'a Progress, sights: &'a Sights) -> Self {
        let mut standing = Self {
            reset,
            sights,
            away: 0,
            is_away: Vec::new(),
            places: Vec::new(),
            alone: reset.limits.first_alone && progress.done.is_empty(),
            groups: Vec::with_capacity(reset.limits.groups.len()),
            services: vec![Service::default(); sights.services.len()],
        };
        // Also one that has no place any more, until its drain is ended.
        let is_drained = |sight: &Sight| {
            sight
                .drain
                .as_ref()
                .is_some_and(|drain| drain.by == reset.name)
        };
        standing.places = sights.away(progress);
        let is_away = standing.places.iter().zip(sights.hosts.iter());
        let is_away = is_away.map(|(away, sight)| away.is_some() || is_drained(sight));
        standing.is_away = is_away.collect();
        standing.away = standing.is_away.iter().filter(|away| **away).count() as u64;
        for (serves, away) in sights.serves.iter().zip(&standing.is_away) {
            for serves in serves.iter() {
                if let Some(service) = standing.services.get_mut(serves.service) {
                    service.instances += serves.instances;
                    service.healthy += serves.healthy;
                    service.spare += if *away { 0 } else { serves.healthy };
                }
            }
        }
        for (service, name) in standing.services.iter_mut().zip(sights.services.iter()) {
            service.minimum = reset.limits.minimum_of(name, service.instances);
        }
        standing
    }

    /// With the groups of the limits, which only choosing needs.
    pub(super) fn with_groups(mut self) -> Self {
        let (reset, sights) = (self.reset, self.sights);
        for limit in &reset.limits.groups {
            let mut values: BTreeMap<&str, Count> = BTreeMap::new();
            let members = sights.fleet.members().iter().zip(sights.hosts.iter());
            let away = self.is_away.iter().zip(&self.places);
            for ((member, sight), (is_away, place)) in members.zip(away) {
                let known = place.and_then(|away| away.labels.get(&limit.label));
                let value = known.map_or_else(|| member.label(&limit.label), String::as_str);
                let count = values.entry(value).or_default();
                count.hosts += 1;
                count.away += u64::from(*is_away);
                count.serving += u64::from(serves(sight) && !*is_away);
            }
            self.groups.push(Group {
                label: &limit.label,
                allowed_by: limit,
                values,
            });
        }
        self
    }

    /// Takes the host away, if nothing holds it.
    pub(super) fn take(&mut self, member: usize) -> Result<(), Hold> {
        self.may_take(member)?;
        self.away += 1;
        let Some(host) = self.sights.fleet.members().get(member) else {
            return Ok(());
        };
        let serving = self
            .sights
            .hosts
            .get(member)
            .is_some_and(|sight| serves(sight));
        for group in &mut self.groups {
            if let Some(count) = group.values.get_mut(host.label(group.label)) {
                count.away += 1;
                count.serving -= u64::from(serving);
            }
        }
        for serves in self.sights.serves_of(member) {
            if let Some(service) = self.services.get_mut(serves.service) {
                service.spare -= serves.healthy;
            }
        }
        Ok(())
    }

    /// What holds every host, whichever it is.
    pub(super) fn room(&self) -> Result<(), Hold> {
        let limit = self.reset.limits.at_once;
        if self.away >= limit {
            return Err(Hold::AtOnce { limit });
        }
        if self.alone && self.away > 0 {
            return Err(Hold::First);
        }
        Ok(())
    }

    fn may_take(&self, member: usize) -> Result<(), Hold> {
        self.room()?;
        let (Some(host), Some(sight)) = (
            self.sights.fleet.members().get(member),
            self.sights.hosts.get(member),
        ) else {
            return Err(Hold::Down);
        };
        if let Some(by) = self.sights.claimed.get(&host.host) {
            return Err(Hold::Claimed(by.clone()));
        }
        self.is_ready(sight)?;
        for group in &self.groups {
            let value = host.label(group.label);
            let name = || format!("{}={value}", group.label);
            let count = group.values.get(value).copied().unwrap_or_default();
            let allowed = group.allowed_by.allowed(count.hosts);
            let keep = group.allowed_by.keep;
            if count.away >= allowed {
                let group = name();
                return Err(Hold::Group { group, allowed });
            }
            if count.serving <= keep && keep > 0 && !self.reset.limits.waived.contains(&name()) {
                let group = name();
                return Err(Hold::Keep { group, keep });
            }
        }
        for serves in self.sights.serves_of(member) {
            let Some(service) = self.services.get(serves.service) else {
                continue;
            };
            if service.spare - serves.healthy < service.minimum {
                let name = self.sights.services.get(serves.service);
                return Err(Hold::Service {
                    service: name.cloned().unwrap_or_default(),
                    minimum: service.minimum,
                });
            }
        }
        Ok(())
    }

    /// The groups of a host that could never spare one, even if all their hosts served.
    pub(super) fn groups_without_room(&self, member: usize) -> Vec<Impossible> {
        let Some(host) = self.sights.fleet.members().get(member) else {
            return Vec::new();
        };
        let blocks = self.groups.iter().filter_map(|group| {
            let value = host.label(group.label);
            let hosts = group.values.get(value)?.hosts;
            let name = format!("{}={value}", group.label);
            let limit = group.allowed_by;
            let (allowed, keep) = (limit.allowed(hosts), limit.keep);
            let kept = hosts > keep || keep == 0 || self.reset.limits.waived.contains(&name);
            (allowed == 0 || !kept).then_some(Impossible::Group {
                group: name,
                hosts,
                allowed,
                keep,
            })
        });
        blocks.collect()
    }

    fn is_ready(&self, sight: &Sight) -> Result<(), Hold> {
        if !sight.up {
            return Err(Hold::Down);
        }
        if let Some(drain) = sight.drain.as_ref() {
            return Err(Hold::Drained(drain.by.clone()));
        }
        if sight.boot_id.is_none() && self.reset.action != Action::None {
            return Err(Hold::NoBoot);
        }
        Ok(())
    }

    /// The services that have a host away: name, instances, how many are well, and how many have to be.
    pub(super) fn service(&self, place: usize) -> Option<(&'a str, u64, u64, u64)> {
        let service = self.services.get(place)?;
        let name = self.sights.services.get(place)?;
        Some((name, service.instances, service.healthy, service.minimum))
    }
}

fn serves(sight: &Sight) -> bool {
    sight.up && sight.drain.is_none()
}

impl Reset {
    /// Whether the host is not as wanted, by what its agent says.
    pub(super) fn is_stale(&self, progress: &Progress, sight: &Sight) -> bool {
        let bound = match self.wanted {
            Wanted::NoRebootPending => return sight.reboot_pending,
            Wanted::ResetSince(since) => since,
            Wanted::YoungerThan(age) => {
                let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                let at_the_end = self.deadline.as_millis().saturating_sub(age);
                // Whoever is reset meanwhile is young enough; no host is reset twice.
                helios_core::Timestamp::from_millis(at_the_end).min(progress.created)
            }
        };
        sight.up_since.is_none_or(|since| since < bound)
    }
}
