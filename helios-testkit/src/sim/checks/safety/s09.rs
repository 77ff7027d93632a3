//! S9: no time travel.

use std::collections::BTreeMap;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fleet, MachineState, Verb, Wanted, What};
use super::{Check, Verdicts, check};

/// Explains what agents do by goals that never go back in time. What cannot be explained so is wrong.
#[derive(Debug, Default)]
pub(super) struct NoTimeTravel {
    /// By machine and job: the oldest goals that explain what was done last.
    explained: BTreeMap<(u16, JobId), u64>,
}

impl Check for NoTimeTravel {
    check!(
        NoTimeTravel,
        "S9",
        "the goals by which an agent acts never go back in time, also across its restarts"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let (Some(state), Actor::Agent(number)) = (fleet.machine_of(event), event.actor) else {
            return;
        };
        let What::Call {
            verb,
            job: Some(job),
            container,
            ..
        } = &event.what
        else {
            return;
        };
        let container = container.as_ref();
        let runs = container.is_some_and(|id| state.known_to_run(id, event.at).is_some());
        let wanted = match verb {
            Verb::Create | Verb::Start => true,
            Verb::Stop | Verb::Remove if runs => false,
            _ => return,
        };
        let history = fleet.history(&state.machine.host);
        let explained = self.explained.entry((number, job.clone())).or_default();
        match explain(state, history, job, wanted, *explained) {
            Some(zxid) => *explained = zxid,
            None if explain(state, history, job, wanted, 0).is_some() => {
                let message = format!(
                    "{} does a {verb:?} of {job}, which only goals older than commit {explained} explain",
                    event.actor
                );
                verdicts.violated([event.actor], message);
            }
            None => {}
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

/// The oldest commit not before `from` after which `job` is wanted, or is not.
fn explain(
    state: &MachineState,
    history: &[Wanted],
    job: &JobId,
    wanted: bool,
    from: u64,
) -> Option<u64> {
    let first = history
        .partition_point(|known| known.zxid <= from)
        .saturating_sub(1);
    let explains = |known: &&Wanted| {
        let host = known.host.as_ref();
        if wanted {
            state.is_wanted(host, job)
        } else {
            state.is_unwanted(host, job)
        }
    };
    let found = history.iter().skip(first).find(explains)?;
    Some(found.zxid.max(from))
}
