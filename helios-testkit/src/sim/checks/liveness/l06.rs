//! L6: clock independence.

use std::collections::BTreeSet;

use super::super::super::trace::{Actor, Event, Fleet, What};
use super::l01::difference;
use super::{Check, Excuses, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct ClockIndependence {
    excuses: Excuses,
    jumped: BTreeSet<Actor>,
    other_faults: bool,
}

impl Check for ClockIndependence {
    check!(
        ClockIndependence,
        "L6",
        "wall clocks that jump by years keep nothing from being as wanted in time"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.excuses.see(fleet, event);
        if let What::Fault(fault) = &event.what {
            if fault.contains("ClockJump") {
                self.jumped.insert(event.actor);
            } else {
                self.other_faults = true;
            }
        }
        let settled = event.at >= fleet.wanted_since + fleet.bounds.settle;
        if self.jumped.is_empty() || self.other_faults || !settled {
            return;
        }
        for (number, state) in fleet.machines.iter().filter(|(_, state)| !state.lost) {
            if let Some(wrong) = difference(fleet, *number, state, &self.excuses) {
                let message = format!("{wrong}, and nothing happened but clocks that jumped");
                verdicts.violated([Actor::Agent(*number)], message);
            }
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
