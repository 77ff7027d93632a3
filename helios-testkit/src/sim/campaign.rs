//! Many runs, and what they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Dice, FaultKind, Faults, Point, Report, Sim};

/// How many failures are kept; after as many, a campaign ends.
const FAILURES_MAX: usize = 10;

/// One run in so many is made twice, to see whether it comes out the same.
const TWICE_EVERY: u64 = 100;

/// What a campaign came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Campaign {
    /// How many runs there were, each with a fault plan of its own.
    pub runs: u64,
    /// How many faults struck.
    pub faults: u64,
    /// The simulated time, summed over all hosts.
    pub host_hours: f64,
    /// How many events there were.
    pub events: u64,
    /// How often things happened that a campaign should have seen.
    pub sometimes: BTreeMap<&'static str, u64>,
    /// The reports of the runs that failed, as far as they were kept.
    pub failures: Vec<Report>,
    /// How long it took, in time that nobody simulated.
    pub took: Duration,
}

impl Campaign {
    /// Runs what `make` makes of each of the seeds, on all processors, until ten have failed. Every hundredth run is made twice:
    /// if the two differ, that is a failure of the check `deterministic`.
    #[must_use]
    pub fn of(seeds: impl IntoIterator<Item = u64>, make: impl Fn(u64) -> Sim + Sync) -> Self {
        let seeds: Vec<_> = seeds.into_iter().collect();
        Self::run(&seeds, |seed| make(*seed))
    }

    /// Runs what `make` makes once without faults, and then once for every call of any port with each kind of
    /// fault, but not more often than `most` times.
    #[must_use]
    pub fn of_single_faults(make: impl Fn() -> Sim + Sync, most: usize) -> Self {
        Self::of_single_faults_at(make, most, |_| true)
    }

    /// As [`of_single_faults`](Self::of_single_faults), of those faults alone that `which` chooses.
    #[must_use]
    pub fn of_single_faults_at(
        make: impl Fn() -> Sim + Sync,
        most: usize,
        which: impl Fn(&Point) -> bool,
    ) -> Self {
        let mut points = points(&make);
        points.retain(which);
        let every = points.len().div_ceil(most.max(1)).max(1);
        let plans: Vec<_> = points.into_iter().step_by(every).collect();
        Self::run(&plans, |point| make().faults(Faults::plan([*point])))
    }

    /// Runs what `make` makes once without faults, and then `count` times with two of the faults of
    /// [`of_single_faults`](Self::of_single_faults), drawn from all pairs of them.
    #[must_use]
    pub fn of_fault_pairs(make: impl Fn() -> Sim + Sync, count: u64) -> Self {
        let points = points(&make);
        let pair = |number| {
            let mut dice = Dice::new(points.len() as u64, "pair", number);
            let first = dice.pick(&points).copied()?;
            Some([first, dice.pick(&points).copied()?])
        };
        let plans: Vec<_> = (0..count).filter_map(pair).collect();
        Self::run(&plans, |pair| make().faults(Faults::plan(*pair)))
    }

    fn run<T: Sync>(plans: &[T], make: impl Fn(&T) -> Sim + Sync) -> Self {
        let began = Instant::now();
        let next = AtomicU64::new(0);
        let sum = Mutex::new(Self::default());
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let plan = usize::try_from(index)
                            .ok()
                            .and_then(|index| plans.get(index));
                        let Some(plan) = plan else { break };
                        let mut report = make(plan).run();
                        if index.is_multiple_of(TWICE_EVERY) {
                            report.compare(&make(plan).run());
                        }
                        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                        sum.add(report);
                        if sum.failures.len() >= FAILURES_MAX {
                            break;
                        }
                    }
                });
            }
        });
        let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        sum.failures.sort_by_key(|report| report.seed);
        sum.took = began.elapsed();
        sum
    }

    /// Adds what another campaign came to.
    pub fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.faults += other.faults;
        self.host_hours += other.host_hours;
        self.events += other.events;
        self.took += other.took;
        for (name, count) in other.sometimes {
            *self.sometimes.entry(name).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    /// Those of `names` that never happened.
    #[must_use]
    pub fn never<'a>(&self, names: &[&'a str]) -> BTreeSet<&'a str> {
        let seen = |name: &&&str| self.sometimes.get(**name).copied().unwrap_or(0) > 0;
        names.iter().filter(|name| !seen(name)).copied().collect()
    }

    fn add(&mut self, report: Report) {
        self.runs += 1;
        self.faults += report.faults.len() as u64;
        self.host_hours += report.host_hours;
        self.events += report.trace.events.len() as u64;
        for (name, count) in &report.sometimes {
            *self.sometimes.entry(name).or_default() += count;
        }
        if !report.is_clean() && self.failures.len() < FAILURES_MAX {
            self.failures.push(report);
        }
    }
}

/// Every call of any port with each kind of fault, in a run of `make` in which nothing fails.
fn points(make: impl Fn() -> Sim) -> Vec<Point> {
    let quiet = make().faults(Faults::none()).run();
    let calls = quiet.calls.iter();
    calls
        .flat_map(|(actor, calls)| {
            (0..*calls).flat_map(move |call| {
                FaultKind::ALL.map(|kind| Point::Call {
                    actor: *actor,
                    call,
                    kind,
                })
            })
        })
        .collect()
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.took.as_secs_f64();
        writeln!(
            f,
            "{} runs, {} faults, {:.0} host-hours, {} events in {took:.1} s; {} failed",
            self.runs,
            self.faults,
            self.host_hours,
            self.events,
            self.failures.len()
        )?;
        for (name, count) in &self.sometimes {
            writeln!(f, "{count:>9} times: {name}")?;
        }
        for report in &self.failures {
            writeln!(f, "\n{report}")?;
        }
        Ok(())
    }
}
