//! L10: resets come to rest.

use helios_core::Timestamp;
use helios_rollout::reset::Stage;

use super::super::super::machine::EPOCH_MILLIS;
use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

/// How long after its deadline a reset may not have noticed that.
const LATE_MILLIS: i64 = 60_000;

#[derive(Debug, Default)]
pub(super) struct ResetsRest {
    /// Whether a master's clock jumped: then nobody knows when deadlines are.
    jumped: bool,
}

impl Check for ResetsRest {
    check!(
        ResetsRest,
        "L10",
        "at the end no reset keeps a place for a host that is gone or leaves one drained, and none goes on after its deadline, whatever becomes of masters"
    );

    fn see(&mut self, _: &Fleet, event: &Event, _: &mut Verdicts) {
        let by_master = matches!(event.actor, Actor::Master(_));
        let jumps = |fault: &String| fault.contains("ClockJump");
        self.jumped |= by_master && matches!(&event.what, What::Fault(fault) if jumps(fault));
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if fleet.stable_since.is_none() || self.jumped {
            return;
        }
        let passed = i64::try_from(fleet.now.as_millis()).unwrap_or(i64::MAX);
        for (key, fact) in &fleet.entries {
            match fact {
                Fact::Reset(reset) => {
                    let progress = &reset.progress;
                    if let Some(host) = progress.away.keys().next() {
                        let message = format!("{key} still has a place for {host}");
                        verdicts.violated([Actor::Store], message);
                    }
                    let goes_on = matches!(progress.stage, Stage::Running | Stage::Aborting);
                    let deadline = reset.reset.deadline;
                    let over = Timestamp::from_millis(EPOCH_MILLIS + passed - LATE_MILLIS);
                    if goes_on && over > deadline {
                        let message = format!("{key} is {}, after its deadline", progress.stage);
                        verdicts.violated([Actor::Store], message);
                    }
                }
                Fact::Host(host) => {
                    if let Some(drain) = &host.drain {
                        let message = format!("{key} is still drained by {}", drain.by);
                        verdicts.violated([Actor::Store], message);
                    }
                }
                _ => {}
            }
        }
    }
}
