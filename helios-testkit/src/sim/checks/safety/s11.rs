//! S11: idempotent effects.

use super::super::super::trace::{Change, Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct IdempotentEffects;

impl Check for IdempotentEffects {
    check!(
        IdempotentEffects,
        "S11",
        "whatever the replies were, a job has at most one container beside those that died and are kept"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let Some(state) = fleet.machine_of(event) else {
            return;
        };
        let What::Effect {
            change: Change::Created {
                id, job: Some(job), ..
            },
            ..
        } = &event.what
        else {
            return;
        };
        let others = state.own().filter(|(other, _)| *other != id);
        let mut others = others.filter(|(_, container)| container.kept_since.is_none());
        if let Some((other, _)) = others.find(|(_, container)| container.job.as_ref() == Some(job))
        {
            verdicts.violated(
                [event.actor],
                format!("{id} was made for {job}, which has {other}"),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
