//! S4: ignorance is inert.

use std::time::Duration;

use super::super::super::trace::{Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

/// What changed so shortly before may be what the agent knew when it died.
const JUST_BEFORE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct IgnoranceIsInert;

impl Check for IgnoranceIsInert {
    check!(
        IgnoranceIsInert,
        "S4",
        "an agent that cannot read its goals, or has not yet, ends nothing that was to run all the time"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let Some(state) = fleet.machine_of(event) else {
            return;
        };
        let What::Call {
            verb: Verb::Stop | Verb::Remove,
            container: Some(id),
            ..
        } = &event.what
        else {
            return;
        };
        if state.seen_in_this_life && !state.last_read_failed {
            return;
        }
        let container = state.containers.get(id).filter(|container| container.runs);
        let Some(job) = container.and_then(|container| container.job.as_ref()) else {
            return;
        };
        let last_known = state
            .newest
            .map_or(event.at, |(_, at, _)| at.min(state.since));
        let since = last_known.saturating_sub(JUST_BEFORE);
        if fleet.is_wanted_since(state, job, since) {
            let message = format!(
                "{} ends {id} of {job} without knowing its goals",
                event.actor
            );
            verdicts.violated([event.actor], message);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
