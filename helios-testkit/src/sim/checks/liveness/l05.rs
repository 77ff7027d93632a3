//! L5: presence.

use std::time::Duration;

use helios_core::store::Key;

use super::super::super::trace::{Actor, Event, Fact, Fleet, MachineState, What, Write};
use super::{Check, Verdicts, check};

/// How exactly a session ends.
const TICK: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Presence {
    /// What must be gone, and from when on.
    ghosts: Vec<(Duration, Actor, Key, Fact)>,
    store_is_away: bool,
    /// Whether all agents were looked for since everything settled.
    all_seen: bool,
}

impl Check for Presence {
    check!(
        Presence,
        "L5",
        "a healthy agent is seen to be up, and one that was killed is seen to be down after the session timeout"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if event.actor == Actor::Store {
            self.see_store(fleet, event);
        }
        if matches!(event.what, What::Crashed)
            && let Some(state) = fleet.machine_of(event)
        {
            let key = up(state);
            let entry = key.and_then(|key| fleet.entries.get_key_value(&key));
            let own = entry.filter(|(_, fact)| {
                fact.presence()
                    .is_some_and(|presence| presence.id == state.machine.agent_id)
            });
            if let Some((key, fact)) = own {
                let gone = event.at + fleet.bounds.session_timeout + TICK;
                self.ghosts
                    .push((gone, event.actor, key.clone(), fact.clone()));
            }
        }
        if matches!(event.what, What::Commit { .. }) {
            self.ghosts.retain(|(gone, _, key, fact)| {
                event.at >= *gone || fleet.entries.get(key) == Some(fact)
            });
        }
        self.judge_ghosts(fleet, verdicts);
        if !fleet.is_settled() {
            self.all_seen = false;
            return;
        }
        // While everything is settled, no host is registered or removed: only entries that say who is up can change this.
        let is_up = |write: &Write| write.key.segments().next() == Some("up");
        let news = match &event.what {
            What::Commit { writes, .. } => !self.all_seen || writes.iter().any(is_up),
            What::Phase(_) => true,
            _ => false,
        };
        if news {
            self.all_seen = true;
            judge_up(fleet, verdicts);
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if fleet.is_settled() {
            judge_up(fleet, verdicts);
        }
    }
}

impl Presence {
    /// While no server counts, no session ends; then each has its whole time again.
    fn see_store(&mut self, fleet: &Fleet, event: &Event) {
        match event.what {
            What::Crashed => self.store_is_away = true,
            What::Started => {
                self.store_is_away = false;
                let gone = event.at + fleet.bounds.session_timeout + TICK;
                for ghost in &mut self.ghosts {
                    ghost.0 = gone;
                }
            }
            _ => {}
        }
    }

    fn judge_ghosts(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if self.store_is_away {
            return;
        }
        for (gone, actor, key, fact) in &self.ghosts {
            if fleet.now > *gone && fleet.entries.get(key) == Some(fact) {
                verdicts.violated(
                    [*actor],
                    format!("{key} is there long after its agent was killed"),
                );
            }
        }
        self.ghosts.retain(|(gone, ..)| fleet.now <= *gone);
    }
}

fn judge_up(fleet: &Fleet, verdicts: &mut Verdicts) {
    for (number, state) in &fleet.machines {
        if state.lost {
            continue;
        }
        let host = fleet.wanted(&state.machine.host);
        let registered = host.is_some_and(|host| host.agent_id == state.machine.agent_id);
        let present = up(state).and_then(|key| fleet.entries.get(&key)?.presence().cloned());
        let is_up = present.is_some_and(|presence| presence.id == state.machine.agent_id);
        if host.is_none() || registered && !is_up {
            let message = format!("{} is not seen to be up", state.machine.host);
            verdicts.violated([Actor::Agent(*number)], message);
        }
    }
}

fn up(state: &MachineState) -> Option<Key> {
    format!("up/{}", state.machine.host).parse().ok()
}
