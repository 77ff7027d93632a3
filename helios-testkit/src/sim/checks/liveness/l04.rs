//! L4: rollouts end.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::schema::Keys;
use helios_core::store::Key;
use helios_rollout::rolling::{GroupRecord, Rollout, RolloutState};

use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::super::rollouts::{Labels, Move, moves};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct RolloutEnds {
    labels: Labels,
    /// Since when a rollout is under way as it is.
    since: BTreeMap<Key, (String, Duration)>,
    /// When hosts last came or went.
    registered: Duration,
}

impl Check for RolloutEnds {
    check!(
        RolloutEnds,
        "L4",
        "a rollout that is not paused is done, has failed or was stopped after the time that its steps may take, whatever becomes of masters"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        match &event.what {
            What::Commit { writes, .. } => {
                self.labels.see(writes);
                let exists = |fact: &Fact| fact.host().map(|host| host.epoch.clone());
                if writes
                    .iter()
                    .any(|write| exists(&write.was) != exists(&write.is))
                {
                    self.registered = event.at;
                }
                for group in moves(writes) {
                    if let Ok(key) = Keys::group(group.name) {
                        self.follow(key, group, event.at);
                    }
                }
            }
            What::Phase(_) => {}
            _ => return,
        }
        self.judge(fleet, verdicts);
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        self.judge(fleet, verdicts);
    }
}

impl RolloutEnds {
    fn follow(&mut self, key: Key, group: Move<'_>, now: Duration) {
        let Some(rollout) = group.is.and_then(under_way) else {
            self.since.remove(&key);
            return;
        };
        let selectors = |record: &GroupRecord| record.group.host_selectors.clone();
        let edited = group.was.map(selectors) != group.is.map(selectors);
        let known = self
            .since
            .get(&key)
            .is_some_and(|(id, _)| *id == rollout.id);
        if edited || !known {
            self.since.insert(key, (rollout.id.clone(), now));
        }
    }

    fn judge(&self, fleet: &Fleet, verdicts: &mut Verdicts) {
        let Some(healed) = fleet.healed_at else {
            return;
        };
        for (key, (id, since)) in &self.since {
            let Some(group) = fleet.entries.get(key).and_then(|fact| fact.group()) else {
                continue;
            };
            let Some(rollout) = under_way(group) else {
                continue;
            };
            // Hosts that come or go while it is under way make it longer.
            let begun = healed.max(*since).max(self.registered);
            let limit = self.limit(group, rollout) + fleet.bounds.settle;
            if fleet.now > begun + limit {
                let message = format!(
                    "rollout {id} of {key} is still under way {limit:?} after the last fault and change"
                );
                verdicts.violated([Actor::Store], message);
            }
        }
    }

    /// How long its steps may take: one after the other, each as long as it may.
    fn limit(&self, group: &GroupRecord, rollout: &Rollout) -> Duration {
        let options = group.options();
        let members = self.labels.members(&group.group.host_selectors, None, "");
        // Where zones have a width each, one of them may be all there is.
        let zone = if rollout.policy.per.is_some() {
            1
        } else {
            members
        };
        let width = rollout.policy.width(&options, zone).max(1);
        let steps = members.max(rollout.size).div_ceil(width) + 1;
        let step = options.step_timeout() + rollout.policy.healthy_for();
        step * u32::try_from(steps).unwrap_or(u32::MAX)
    }
}

fn under_way(group: &GroupRecord) -> Option<&Rollout> {
    let rollout = group.rollout.as_ref()?;
    let goes = rollout.state == RolloutState::RollingOut && rollout.pause.is_none();
    goes.then_some(rollout)
}
