//! What must never happen, and what must happen in time: predicates over a trace.
//!
//! Each is named after its place in the list of properties in `docs/reliability.md`: `S` for what must never
//! happen, `L` for what must happen in time.

mod excuse;
mod liveness;
mod resets;
mod rollouts;
mod safety;
mod seen;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::fmt;

use super::trace::{Actor, Event, Fleet, Trace};

use seen::Watcher;

/// A predicate over a trace, fed event by event.
pub trait Check: fmt::Debug + Send {
    /// Its short name.
    fn name(&self) -> &'static str;

    /// What it demands, in one sentence.
    fn demands(&self) -> &'static str;

    /// Looks at the next event; `fleet` is how everything is after it.
    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts);

    /// Looks at how everything is at the end.
    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts);
}

/// That a check was violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the check.
    pub check: &'static str,
    /// What the check demands.
    pub demands: &'static str,
    /// The number of the event.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// Who is concerned.
    pub actors: Vec<Actor>,
}

/// Where a check says what is wrong. Only the first time counts.
#[derive(Debug, Default)]
pub struct Verdicts {
    at: usize,
    first: Option<(usize, String, Vec<Actor>)>,
}

impl Verdicts {
    /// It is wrong that `message`, and these actors are concerned.
    pub fn violated(
        &mut self,
        actors: impl IntoIterator<Item = Actor>,
        message: impl Into<String>,
    ) {
        if self.first.is_none() {
            self.first = Some((self.at, message.into(), actors.into_iter().collect()));
        }
    }
}

/// All checks there are.
#[must_use]
pub fn all() -> Vec<Box<dyn Check>> {
    let mut all = safety::all();
    all.extend(liveness::all());
    all
}

/// What all of `checks` say about `trace`, in the order in which it happened.
#[must_use]
pub fn judge(trace: &Trace, checks: Vec<Box<dyn Check>>) -> Vec<Violation> {
    judge_and_count(trace, checks, &mut BTreeMap::new())
}

/// As [`judge`]; also counts what a campaign should have seen.
pub(super) fn judge_and_count(
    trace: &Trace,
    checks: Vec<Box<dyn Check>>,
    sometimes: &mut BTreeMap<&'static str, u64>,
) -> Vec<Violation> {
    let mut fleet = Fleet::before(trace);
    let mut watcher = Watcher::default();
    let mut judged: Vec<_> = checks
        .into_iter()
        .map(|check| (check, Verdicts::default()))
        .collect();
    for event in &trace.events {
        if let Some(name) = watcher.see(&fleet, event) {
            *sometimes.entry(name).or_default() += 1;
        }
        fleet.apply(event);
        for (check, verdicts) in &mut judged {
            verdicts.at = event.seq;
            if verdicts.first.is_none() {
                check.see(&fleet, event, verdicts);
            }
        }
    }
    for (check, verdicts) in &mut judged {
        if verdicts.first.is_none() {
            check.end(&fleet, verdicts);
        }
    }
    let mut violations: Vec<_> = judged
        .into_iter()
        .filter_map(|(check, verdicts)| {
            let (at, message, actors) = verdicts.first?;
            Some(Violation {
                check: check.name(),
                demands: check.demands(),
                at,
                message,
                actors,
            })
        })
        .collect();
    violations.sort_by_key(|violation| violation.at);
    violations
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at event {}: {}", self.check, self.at, self.message)
    }
}

/// Implements the parts of a check that are words.
macro_rules! check {
    ($type:ident, $name:literal, $demands:literal) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn demands(&self) -> &'static str {
            $demands
        }
    };
}
use check;
