//! S14: bounded work.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct BoundedWork {
    creates: BTreeMap<(u16, JobId), VecDeque<Duration>>,
    /// The pulls and lists of each agent, whatever for.
    others: BTreeMap<(u16, Verb), VecDeque<Duration>>,
}

impl Check for BoundedWork {
    check!(
        BoundedWork,
        "S14",
        "no job is created more often in a minute of one life of its agent than the limit says, and no engine is asked to pull or list more often"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        // What came before it an agent cannot know: one that dies ten times in a minute begins ten times.
        if let (What::Started, Actor::Agent(number)) = (&event.what, event.actor) {
            self.creates.retain(|(of, _), _| *of != number);
            self.others.retain(|(of, _), _| *of != number);
        }
        if let (What::Call { verb, .. }, Actor::Agent(number)) = (&event.what, event.actor)
            && let Some((what, most)) = limit(fleet, *verb)
        {
            let count = count(self.others.entry((number, *verb)).or_default(), event.at);
            if count > most {
                let message = format!("{} {what} {count} times in a minute", event.actor);
                verdicts.violated([event.actor], message);
            }
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
        let count = count(recent, event.at);
        if count > fleet.bounds.creates_per_minute {
            let message = format!("{} created {job} {count} times in a minute", event.actor);
            verdicts.violated([event.actor], message);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

fn limit(fleet: &Fleet, verb: Verb) -> Option<(&'static str, usize)> {
    match verb {
        Verb::Pull => Some(("pulled", fleet.bounds.pulls_per_minute)),
        Verb::List => Some(("listed its containers", fleet.bounds.lists_per_minute)),
        _ => None,
    }
}

/// How many there were in the last minute, with the one of now.
fn count(recent: &mut VecDeque<Duration>, now: Duration) -> usize {
    recent.push_back(now);
    while recent
        .front()
        .is_some_and(|at| *at + Duration::from_secs(60) < now)
    {
        recent.pop_front();
    }
    recent.len()
}
