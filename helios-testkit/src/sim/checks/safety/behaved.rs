//! Code that can be run at all.

use super::super::super::trace::{Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct WellBehaved;

impl Check for WellBehaved {
    check!(
        WellBehaved,
        "well-behaved",
        "nobody panics, blocks the thread, spins while no time passes, or leaves tasks behind"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if let What::Misbehaved(how) = &event.what {
            verdicts.violated([event.actor], format!("{}: {how}", event.actor));
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
