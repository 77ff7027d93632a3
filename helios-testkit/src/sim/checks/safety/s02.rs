//! S2: no wrong kill.

use super::super::super::trace::{Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct NoWrongKill;

impl Check for NoWrongKill {
    check!(
        NoWrongKill,
        "S2",
        "an agent never ends a running container that is wanted by the goals as it last read them"
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
        let container = state.known_to_run(id, event.at);
        let Some(job) = container.and_then(|container| container.job.as_ref()) else {
            return;
        };
        if !state.seen_in_this_life {
            return; // S4 is about that.
        }
        let seen = [state.seen, state.newest.map(|(newest, ..)| newest)];
        let wanted = |zxid| state.is_wanted(fleet.wanted_at(&state.machine.host, zxid), job);
        if seen.into_iter().flatten().all(wanted) {
            let as_of = state.seen.unwrap_or_default();
            verdicts.violated(
                [event.actor],
                format!(
                    "{} ends {id}, though {job} is to run as of commit {as_of}, which it has read",
                    event.actor
                ),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
