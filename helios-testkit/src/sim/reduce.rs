//! Finding out how little of a run a failure needs.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::trace::{Actor, What};
use super::{Kept, Point, Report, Sim};

/// How many runs a reduction takes at most.
const RUNS_MAX: usize = 300;

/// The smallest run found that still fails in the same way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reduced {
    /// Its report.
    pub report: Report,
    /// What it keeps: [`Sim::keep`] runs it again.
    pub kept: Kept,
    /// What there was before.
    pub all: Kept,
}

/// Runs what `make` makes, and if it fails leaves out of it what it can for as long as the same check is
/// violated: masters and agents, changes that are asked for, time, and faults.
///
/// The rest of the run stays as it was, since every operation has its own chance. `None` if it does not fail. What
/// has no trace, as an agent that blocks its thread, is not reduced.
#[must_use]
pub fn reduce(make: impl Fn() -> Sim) -> Option<Reduced> {
    let whole = make();
    let (actors, lasts) = (whole.actors(), whole.lasts);
    let report = whole.run();
    let check = report.violations.first()?.check;
    let asked = report.trace.events.iter();
    let all = Kept {
        actors: Some(actors),
        changes: Some(asked.filter_map(principal).collect()),
        faults: Some(report.faults.clone()),
        until: Some(lasts),
    };
    let mut reduction = Reduction {
        make,
        check,
        runs: 0,
        best: (report, all.clone()),
    };
    if !reduction.best.0.trace.events.is_empty() {
        // What one round leaves out may make more of the rest needless.
        while reduction.round() {}
    }
    let (report, kept) = reduction.best;
    Some(Reduced { report, kept, all })
}

fn principal(event: &super::Event) -> Option<String> {
    match &event.what {
        What::Asked { principal, .. } => Some(principal.clone()),
        _ => None,
    }
}

/// A reduction under way.
struct Reduction<F> {
    make: F,
    check: &'static str,
    runs: usize,
    best: (Report, Kept),
}

impl<F: Fn() -> Sim> Reduction<F> {
    /// Tries to leave out some of everything, and says whether that worked.
    fn round(&mut self) -> bool {
        let before = self.best.1.clone();
        self.shrink(
            |kept| kept.actors.iter().flatten().copied().collect(),
            |kept, actors: BTreeSet<Actor>| kept.actors = Some(actors),
        );
        self.shorten();
        self.shrink(
            |kept| kept.changes.iter().flatten().cloned().collect(),
            |kept, changes: BTreeSet<String>| kept.changes = Some(changes),
        );
        self.shrink(
            |kept| kept.faults.iter().flatten().copied().collect(),
            |kept, faults: BTreeSet<Point>| kept.faults = Some(faults),
        );
        before != self.best.1
    }

    /// Leaves out items of one kind, first many at once and then one by one.
    fn shrink<T: Clone + Ord>(
        &mut self,
        items: impl Fn(&Kept) -> Vec<T>,
        put: impl Fn(&mut Kept, BTreeSet<T>),
    ) {
        let mut step = items(&self.best.1).len().div_ceil(2).max(1);
        loop {
            let (mut start, mut shrunk) = (0, false);
            loop {
                let all = items(&self.best.1);
                if start >= all.len() {
                    break;
                }
                let (before, after) = (all.iter().take(start), all.iter().skip(start + step));
                let mut fewer = self.best.1.clone();
                put(&mut fewer, before.chain(after).cloned().collect());
                if self.fails(fewer) {
                    shrunk = true;
                } else {
                    start += step;
                }
            }
            if step == 1 && !shrunk {
                return;
            }
            step = step.div_ceil(2).max(1);
        }
    }

    /// Lets everything heal earlier: at the violation, and then in steps that get smaller.
    fn shorten(&mut self) {
        let (report, kept) = &self.best;
        let Some(lasts) = kept.until else { return };
        let violation = report.violations.first();
        let event = violation.and_then(|violation| report.trace.events.get(violation.at));
        let found = event.map_or(lasts, |event| event.at.min(lasts));
        let shares = [(found, 1, 1), (found, 3, 4), (found, 1, 2), (found, 1, 4)];
        for (time, part, of) in shares {
            let until = Some(time * part / of).filter(|until| *until < lasts);
            if let Some(until) = until {
                let mut shorter = self.best.1.clone();
                shorter.until = Some(until.min(shorter.until.unwrap_or(until)));
                if shorter != self.best.1 && !self.fails(shorter) {
                    return;
                }
            }
        }
    }

    /// Whether that little fails as well, and is the best from now on.
    fn fails(&mut self, kept: Kept) -> bool {
        // Without a master there is no cluster, and without an agent there are no hosts: not the same failure.
        let has = |is: fn(&Actor) -> bool| kept.actors.iter().flatten().any(is);
        let is_fleet = has(|actor| matches!(actor, Actor::Master(_)))
            && has(|actor| matches!(actor, Actor::Agent(_)));
        if self.runs >= RUNS_MAX || !is_fleet {
            return false;
        }
        self.runs += 1;
        let report = (self.make)().keep(kept.clone()).run();
        let fails = report.violates(self.check);
        if fails {
            self.best = (report, kept);
        }
        fails
    }
}

impl fmt::Display for Reduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kept, all) = (&self.kept, &self.all);
        let seconds = |until: Option<Duration>| until.unwrap_or_default().as_secs();
        writeln!(
            f,
            "of seed {} this is enough: {} of {} masters and agents, {} of {} changes, {} of {} faults, and {} of {} seconds\nkept: {kept}\n",
            self.report.seed,
            kept.actors.iter().flatten().count(),
            all.actors.iter().flatten().count(),
            kept.changes.iter().flatten().count(),
            all.changes.iter().flatten().count(),
            kept.faults.iter().flatten().count(),
            all.faults.iter().flatten().count(),
            seconds(kept.until),
            seconds(all.until),
        )?;
        write!(f, "{}", self.report)
    }
}
