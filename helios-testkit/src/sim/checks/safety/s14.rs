//! S14: bounded work.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct BoundedWork {
    creates: BTreeMap<(u16, JobId), VecDeque<Duration>>,
}

impl Check for BoundedWork {
    check!(
        BoundedWork,
        "S14",
        "no job is created more often in a minute of one life of its agent than the limit says"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        // What came before it an agent cannot know: one that dies ten times in a minute begins ten times.
        if let (What::Started, Actor::Agent(number)) = (&event.what, event.actor) {
            self.creates.retain(|(of, _), _| *of != number);
        }
        let (
            What::Call {
                verb: Verb::Create,
                job: Some(job),
                ..
            },
            Actor::Agent(number),
        ) = (&event.what, event.actor)
        else {
            return;
        };
        let recent = self.creates.entry((number, job.clone())).or_default();
        recent.push_back(event.at);
        while recent
            .front()
            .is_some_and(|at| *at + Duration::from_secs(60) < event.at)
        {
            recent.pop_front();
        }
        if recent.len() > fleet.bounds.creates_per_minute {
            let message = format!(
                "{} created {job} {} times in a minute",
                event.actor,
                recent.len()
            );
            verdicts.violated([event.actor], message);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
