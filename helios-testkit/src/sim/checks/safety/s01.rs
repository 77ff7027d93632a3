//! S1: one container.

use super::super::super::trace::{Change, Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct OneContainer;

impl Check for OneContainer {
    check!(
        OneContainer,
        "S1",
        "a job never runs in two containers on one host"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let (
            Some(state),
            What::Effect {
                change: Change::Started(id),
                ..
            },
        ) = (fleet.machine_of(event), &event.what)
        else {
            return;
        };
        let job = state
            .containers
            .get(id)
            .and_then(|container| container.job.as_ref());
        let Some(job) = job else { return };
        let same = state
            .containers
            .iter()
            .filter(|(_, other)| other.runs && other.job.as_ref() == Some(job));
        let same: Vec<_> = same.map(|(id, _)| id.to_string()).collect();
        if same.len() > 1 {
            verdicts.violated(
                [event.actor],
                format!("{job} runs in {}", same.join(" and ")),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
