//! S10: only its own.

use super::super::super::trace::{Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct OnlyItsOwn;

impl Check for OnlyItsOwn {
    check!(
        OnlyItsOwn,
        "S10",
        "an agent never touches a container that is not its own"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let Some(state) = fleet.machine_of(event) else {
            return;
        };
        let What::Call {
            verb: Verb::Start | Verb::Stop | Verb::Rename | Verb::Remove,
            container: Some(id),
            ..
        } = &event.what
        else {
            return;
        };
        let foreign = state
            .containers
            .get(id)
            .filter(|container| container.owner != state.machine.agent_id);
        if let Some(container) = foreign {
            let message = format!(
                "{} touches {id}, which is {}'s",
                event.actor, container.owner
            );
            verdicts.violated([event.actor], message);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
