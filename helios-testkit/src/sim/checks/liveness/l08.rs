//! L8: progress of watches.

use std::time::Duration;

use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::{Check, Troubles, Verdicts, check};

/// What reading takes beside the waiting.
const READING: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct WatchProgress {
    /// All that can fail, but for watch events that are lost.
    troubles: Troubles,
    due: Vec<Due>,
}

/// What an agent must have read by when.
#[derive(Debug)]
struct Due {
    since: Duration,
    number: u16,
    life: u32,
    zxid: u64,
}

impl Default for WatchProgress {
    fn default() -> Self {
        Self {
            troubles: Troubles::but_for(&["LoseWatches"]),
            due: Vec::new(),
        }
    }
}

impl Check for WatchProgress {
    check!(
        WatchProgress,
        "L8",
        "what is committed to a host's goals is read by its agent within the resync time, whatever watches do"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.troubles.see(event);
        if !self.due.is_empty() {
            self.judge(fleet, verdicts);
        }
        let What::Commit { zxid, writes, .. } = &event.what else {
            return;
        };
        for write in writes
            .iter()
            .filter(|write| matches!(write.is, Fact::Host(_)))
        {
            for (number, state) in &fleet.machines {
                let is_well = fleet.is_calm() || self.troubles.none_since(*number, event.at);
                if is_well && state.alive && !state.lost && state.reads_goals(&write.key) {
                    self.due.push(Due {
                        since: event.at,
                        number: *number,
                        life: state.incarnation,
                        zxid: *zxid,
                    });
                }
            }
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl WatchProgress {
    fn judge(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        let within = fleet.bounds.resync + READING;
        let troubles = &self.troubles;
        self.due.retain(|due| {
            let Due {
                since,
                number,
                life,
                zxid,
            } = due;
            let Some(state) = fleet.machines.get(number) else {
                return false;
            };
            let read = state.newest.is_some_and(|(newest, ..)| newest >= *zxid);
            let other_life = state.incarnation != *life || !state.alive;
            let healed = fleet.healed_at.is_some_and(|healed| healed <= *since);
            let excused = !healed && !troubles.none_since(*number, *since);
            if read || other_life || excused {
                return false;
            }
            let is_late = fleet.now > *since + within;
            if is_late {
                let agent = Actor::Agent(*number);
                verdicts.violated(
                    [agent],
                    format!("{agent} did not read commit {zxid} in time"),
                );
            }
            !is_late
        });
    }
}
