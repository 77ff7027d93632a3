//! When an agent could not do what it is to do, because something failed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::trace::{Actor, Event, What};

/// How long what failed may be felt: longer than anything stays away.
const LASTS: Duration = Duration::from_secs(75);

/// When something last failed, but for faults of some kinds, which an agent has to cope with.
#[derive(Debug)]
pub(super) struct Troubles {
    but_for: &'static [&'static str],
    of_machine: BTreeMap<u16, Duration>,
    of_all: Option<Duration>,
}

impl Troubles {
    pub(super) fn but_for(kinds: &'static [&'static str]) -> Self {
        Self {
            but_for: kinds,
            of_machine: BTreeMap::new(),
            of_all: None,
        }
    }

    pub(super) fn see(&mut self, event: &Event) {
        let is_trouble = match &event.what {
            What::Crashed => true,
            What::Fault(fault) => !self.but_for.iter().any(|kind| fault.contains(kind)),
            _ => false,
        };
        match event.actor {
            Actor::Agent(number) | Actor::Engine(number) if is_trouble => {
                self.of_machine.insert(number, event.at);
            }
            Actor::Store | Actor::Test if is_trouble => self.of_all = Some(event.at),
            _ => {}
        }
    }

    /// Whether nothing has failed there since `since`, nor shortly before.
    pub(super) fn none_since(&self, number: u16, since: Duration) -> bool {
        let last = self.of_machine.get(&number).copied().max(self.of_all);
        last.is_none_or(|last| last + LASTS < since)
    }
}
