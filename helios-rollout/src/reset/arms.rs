//! Who was reset and who was not, for the guard of a reset.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::Timestamp;
use helios_core::model::HostName;

use super::{Progress, Reset, Sights};
use crate::drive::Tally;
use crate::drive::evidence::{Arm, Arms};
use crate::guard::Counts;
use crate::order::{Fleet, Member};

/// A reset as it was when a window of time began, and as it is now.
pub(super) struct Window<'a> {
    pub(super) reset: &'a Reset,
    pub(super) strata: &'a [String],
    pub(super) sights: &'a Sights,
    pub(super) then: &'a Progress,
    pub(super) now: &'a Progress,
}

/// What was counted on the hosts of one service that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfService {
    pub(super) counts: Counts,
    /// Whether another of its hosts was away.
    pub(super) while_away: bool,
}

impl Window<'_> {
    /// What was counted on the hosts of each service.
    pub(super) fn by_service(&self, tally: &Tally) -> BTreeMap<String, OfService> {
        let away = [self.then, self.now].map(|progress| progress.away.keys());
        let away: BTreeSet<usize> = away
            .into_iter()
            .flatten()
            .flat_map(|host| self.services_of(host))
            .collect();
        let mut counted: BTreeMap<usize, Counts> = BTreeMap::new();
        for (host, counts) in tally {
            for service in self.services_of(host) {
                counted.entry(service).or_default().add(*counts);
            }
        }
        let named = counted.into_iter().filter_map(|(service, counts)| {
            let while_away = away.contains(&service);
            let name = self.sights.services.get(service)?;
            Some((name.clone(), OfService { counts, while_away }))
        });
        named.collect()
    }

    fn services_of(&self, host: &HostName) -> impl Iterator<Item = usize> {
        let place = self.sights.fleet.position(host.as_str());
        let serves = place.map_or(&[][..], |place| self.sights.serves_of(place));
        serves.iter().map(|serves| serves.service)
    }
}

impl Arms for Window<'_> {
    fn fleet(&self) -> &Fleet {
        &self.sights.fleet
    }

    fn strata(&self) -> &[String] {
        self.strata
    }

    /// Whatever the time: the window is what it began with.
    fn arm(&self, member: &Member, _: Timestamp) -> Option<Arm> {
        let sight = self.sights.get(&member.host)?;
        let arm = arm_in(self.now, &member.host).filter(|_| self.reset.is_for(sight))?;
        (arm_in(self.then, &member.host) == Some(arm)).then_some(arm)
    }

    fn is_known(&self, objective: &str) -> bool {
        self.now.fallen.contains_key(objective)
    }

    fn has_fallen(&self, objective: &str, host: &HostName) -> bool {
        let fallen = self.now.fallen.get(objective);
        fallen.is_some_and(|fallen| fallen.contains(host))
    }
}

/// A host with which something went wrong was reset, or was to be: what is wrong with it now counts against the reset.
fn arm_in(progress: &Progress, host: &HostName) -> Option<Arm> {
    if progress.away.contains_key(host) {
        return None;
    }
    Some(match progress.has(host) {
        true => Arm::New,
        false => Arm::Old,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reset::{Instance, Phase, Sight, Wanted};

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn name(host: &str) -> HostName {
        host.parse().unwrap()
    }

    fn sights(hosts: &[&str]) -> Sights {
        let sight = |host: &&str| {
            let instance = Instance {
                service: host.chars().take(1).collect(),
                healthy: true,
            };
            let sight = Sight {
                instances: vec![instance],
                ..Sight::default()
            };
            (name(host), sight)
        };
        Sights::new(hosts.iter().map(sight)).unwrap()
    }

    fn reset() -> Reset {
        let text = r#"{"name": "spring", "wanted": "no_reboot_pending", "deadline": 0}"#;
        let reset: Reset = serde_json::from_str(text).unwrap();
        assert_eq!(reset.wanted, Wanted::NoRebootPending);
        reset
    }

    fn away(progress: &mut Progress, host: &str) {
        let text = r#"{"phase": "chosen", "since": 0, "chosen": 0, "id": "1", "epoch": "1"}"#;
        let away: crate::reset::Away = serde_json::from_str(text).unwrap();
        assert_eq!(away.phase, Phase::Chosen);
        progress.away.insert(name(host), away);
    }

    fn window<'a>(
        (reset, sights): (&'a Reset, &'a Sights),
        (then, now): (&'a Progress, &'a Progress),
    ) -> Window<'a> {
        Window {
            reset,
            strata: &[],
            sights,
            then,
            now,
        }
    }

    #[test]
    fn who_was_changed_or_is_being_changed_in_the_window_is_in_no_arm() {
        let (reset, sights) = (reset(), sights(&["a1", "a2", "a3", "a4"]));
        let mut then = Progress::new(&reset, NOW).unwrap();
        then.done.insert(&name("a1"));
        away(&mut then, "a2");
        let mut now = then.clone();
        now.away.clear();
        now.done.insert(&name("a2"));
        away(&mut now, "a3");
        let window = window((&reset, &sights), (&then, &now));
        let arms = sights.fleet.members().iter();
        let arms: Vec<_> = arms.map(|member| window.arm(member, NOW)).collect();
        assert_eq!(arms, [Some(Arm::New), None, None, Some(Arm::Old)]);
        // It was restarted and is still away from its jobs: nobody counts that before it is back.
        let unwell = [name("a2"), name("a3"), name("a4")].into();
        let window: &dyn Arms = &window;
        let look = window.health("health", &unwell, NOW, NOW);
        assert_eq!((look.fallen, look.tally.len()), (vec![name("a4")], 0));
    }

    #[test]
    fn what_is_counted_on_the_hosts_of_a_service_counts_for_it() {
        let (reset, sights) = (reset(), sights(&["a1", "a2", "b1", "b2"]));
        let then = Progress::new(&reset, NOW).unwrap();
        let mut now = then.clone();
        away(&mut now, "a1");
        let window = window((&reset, &sights), (&then, &now));
        let counts = |events| Counts {
            events,
            exposure: 100,
        };
        let tally = [("a2", 7), ("b1", 1), ("b2", 2), ("gone", 50)];
        let tally = tally.map(|(host, events)| (name(host), counts(events)));
        let found = window.by_service(&tally.into());
        let of = |events, exposure, while_away| OfService {
            counts: Counts { events, exposure },
            while_away,
        };
        let expected = [("a", of(7, 100, true)), ("b", of(3, 200, false))];
        assert_eq!(
            found,
            expected
                .map(|(name, found)| (name.to_owned(), found))
                .into()
        );
    }
}
