//! L8: progress of watches.

use std::time::Duration;

use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

/// What reading takes beside the waiting.
const READING: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct WatchProgress {
    /// By when which agent must have read which commit, in the order of times.
    due: Vec<(Duration, u16, u32, u64)>,
}

impl Check for WatchProgress {
    check!(
        WatchProgress,
        "L8",
        "what is committed to a host's goals is read by its agent within the resync time, whatever watches do"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if !self.due.is_empty() {
            self.judge(fleet, verdicts);
        }
        let What::Commit { zxid, writes, .. } = &event.what else {
            return;
        };
        if !fleet.is_calm() {
            return;
        }
        for write in writes
            .iter()
            .filter(|write| matches!(write.is, Fact::Host(_)))
        {
            for (number, state) in &fleet.machines {
                if state.alive && !state.lost && state.reads_goals(&write.key) {
                    let by = event.at + fleet.bounds.resync + READING;
                    self.due.push((by, *number, state.incarnation, *zxid));
                }
            }
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl WatchProgress {
    fn judge(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        self.due.retain(|(by, number, life, zxid)| {
            let Some(state) = fleet.machines.get(number) else {
                return false;
            };
            let read = state.newest.is_some_and(|(newest, ..)| newest >= *zxid);
            let other_life = state.incarnation != *life || !state.alive;
            let excused = fleet.has_faults && fleet.healed_at.is_none();
            if read || other_life || excused {
                return false;
            }
            if fleet.now > *by {
                let agent = Actor::Agent(*number);
                verdicts.violated(
                    [agent],
                    format!("{agent} did not read commit {zxid} in time"),
                );
            }
            fleet.now <= *by
        });
    }
}
