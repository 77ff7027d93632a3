//! What came of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::Command;

use super::checks::{self, Check, Violation};
use super::fault::Point;
use super::trace::{Actor, Trace};

/// How many events are shown of the hosts concerned.
const EVENTS_SHOWN: usize = 40;

/// What came of a run. Prints as what one needs to know of a failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The seed of the run.
    pub seed: u64,
    /// What must not have happened and did, or must have and did not; the first of each check.
    pub violations: Vec<Violation>,
    /// All that happened.
    pub trace: Trace,
    /// The faults that struck.
    pub faults: BTreeSet<Point>,
    /// How often things happened that a campaign should have seen.
    pub sometimes: BTreeMap<&'static str, u64>,
    /// How many calls of its ports each actor made before everything healed: the points at which a fault can
    /// strike.
    pub calls: BTreeMap<Actor, u64>,
    /// The simulated time, summed over all hosts.
    pub host_hours: f64,
    replay: Option<String>,
}

impl Report {
    pub(super) fn judge(
        (seed, replay): (u64, Option<String>),
        trace: Trace,
        checks: Vec<Box<dyn Check>>,
        faults: BTreeSet<Point>,
        mut sometimes: BTreeMap<&'static str, u64>,
        calls: BTreeMap<Actor, u64>,
        host_hours: f64,
    ) -> Self {
        let violations = checks::judge_and_count(&trace, checks, &mut sometimes);
        let replay = replay.map(|command| {
            let points: Vec<_> = faults.iter().map(ToString::to_string).collect();
            command.replace("{faults}", &points.join(","))
        });
        Self {
            seed,
            violations,
            trace,
            faults,
            sometimes,
            calls,
            host_hours,
            replay,
        }
    }

    /// The report of a run that came to no end.
    pub(super) fn of_failure(
        seed: u64,
        replay: Option<String>,
        actor: Option<Actor>,
        message: String,
    ) -> Self {
        let violation = Violation {
            check: "well-behaved",
            demands: "it comes to an end",
            at: 0,
            message,
            actors: actor.into_iter().collect(),
        };
        Self {
            seed,
            violations: vec![violation],
            trace: Trace::default(),
            faults: BTreeSet::new(),
            sometimes: BTreeMap::new(),
            calls: BTreeMap::new(),
            host_hours: 0.0,
            replay,
        }
    }

    /// Whether nothing was violated.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether a check of that name was violated.
    #[must_use]
    pub fn violates(&self, check: &str) -> bool {
        self.violations
            .iter()
            .any(|violation| violation.check == check)
    }

    /// Adds a violation if the other run, which should have been the same, was another.
    pub(super) fn compare(&mut self, other: &Self) {
        let Some(at) = self.trace.first_difference(&other.trace) else {
            return;
        };
        let line = |report: &Self| {
            let event = report.trace.events.get(at);
            event.map_or_else(|| "the trace ends".to_owned(), ToString::to_string)
        };
        let actors = self.trace.events.get(at).map(|event| event.actor);
        self.violations.push(Violation {
            check: "deterministic",
            demands: "two runs of one seed are the same",
            at,
            message: format!(
                "two runs of one seed differ: something depends on chance that is not the seed's, as the \
                 order of a HashMap, an unbiased select or the time of day.\n  first:  {}\n  second: {}",
                line(self),
                line(other)
            ),
            actors: actors.into_iter().collect(),
        });
    }
}

/// The commit of the working directory, if it is one of git: a seed says something about that code only.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--exclude", "*"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, faults) = (self.trace.events.len(), self.faults.len());
        writeln!(
            f,
            "seed {}: {events} events, {faults} faults, {:.2} host-hours, trace {:016x}",
            self.seed,
            self.host_hours,
            self.trace.hash()
        )?;
        if self.is_clean() {
            return writeln!(f, "nothing was violated");
        }
        match &self.replay {
            Some(command) => writeln!(f, "again: {command}")?,
            None => writeln!(
                f,
                "again: the same settings with seed {}; Sim::replay_with has a command printed here",
                self.seed
            )?,
        }
        if let Some(commit) = commit() {
            writeln!(f, "commit: {commit}")?;
        }
        for violation in &self.violations {
            writeln!(
                f,
                "\nVIOLATED {violation}\n  {}: {}",
                violation.check, violation.demands
            )?;
        }
        let Some(first) = self.violations.first() else {
            return Ok(());
        };
        writeln!(f, "\nthe last events concerned:")?;
        for event in self
            .trace
            .last_events(&first.actors, first.at, EVENTS_SHOWN)
        {
            writeln!(f, "{event}")?;
        }
        Ok(())
    }
}
