//! Our own agent and masters: nothing is violated, whatever fails.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use helios_core::{Clock, Moment, Timestamp};
use helios_testkit::sim::campaign::Campaign;
use helios_testkit::sim::{Actor, FaultKind, Faults, Point, Report, Sim};

/// Seeds that once showed a bug of ours; what it was is in the name of the test.
mod regressions;
/// Fleet resets.
mod resets;
/// Rolling updates.
mod rolling;

/// How many fault plans and host-hours a year of the campaign promises.
const PLANS_IN_A_YEAR: u64 = 20_000;
const HOURS_IN_A_YEAR: f64 = 365.0 * 24.0;

/// How many years of the campaign to simulate: one in `make simulation`. `None` for a glimpse, as
/// among the tests of the workspace.
pub(crate) fn years() -> Option<u64> {
    let years = std::env::var("HELIOS_SIM_YEARS").ok()?;
    Some(years.parse().expect("HELIOS_SIM_YEARS is a number"))
}

/// Which years those are, counted from 0: HELIOS_SIM_FIRST_YEAR and the next ones. Each has seeds that no other has.
pub(crate) fn rounds() -> Range<u64> {
    let first = std::env::var("HELIOS_SIM_FIRST_YEAR").map_or(0, |first| {
        first.parse().expect("HELIOS_SIM_FIRST_YEAR is a number")
    });
    first..first + years().unwrap_or(1)
}

/// How many large fleets a year has, if it is to have more than in `make simulation`: they make host-years quickly.
fn large_fleets() -> Option<u64> {
    let fleets = std::env::var("HELIOS_SIM_LARGE_FLEETS").ok()?;
    Some(fleets.parse().expect("HELIOS_SIM_LARGE_FLEETS is a number"))
}

/// Runs of one kind.
struct Part {
    name: &'static str,
    /// How many runs make a glimpse, and how many a year.
    sizes: (u64, u64),
    /// That many runs, other ones in every round.
    run: fn(round: u64, size: u64) -> Campaign,
}

const PARTS: &[Part] = &[
    Part {
        name: "swarms: everything drawn per seed",
        sizes: (20, 4_000),
        run: |round, size| Campaign::of(seeds(round, size), swarm),
    },
    Part {
        name: "swarms of rolling updates",
        sizes: (4, 1_500),
        run: |round, size| Campaign::of(seeds(round, size), rolling::swarm),
    },
    Part {
        name: "clocks that jump by years",
        sizes: (2, 600),
        run: |round, size| {
            Campaign::of(seeds(round, size), |seed| {
                let again = replayed("HELIOS_SIM_FAULTS=clocks ", seed);
                swarm(seed).faults(Faults::clocks()).replay_with(again)
            })
        },
    },
    Part {
        name: "ports that something else takes",
        sizes: (2, 150),
        run: |round, size| {
            Campaign::of(seeds(round, size), |seed| {
                let again = replayed("HELIOS_SIM_FAULTS=ports ", seed);
                swarm(seed).faults(Faults::ports()).replay_with(again)
            })
        },
    },
    Part {
        name: "watch events that are lost",
        sizes: (2, 150),
        run: |round, size| {
            Campaign::of(seeds(round, size), |seed| {
                let again = replayed("HELIOS_SIM_FAULTS=watches ", seed);
                swarm(seed).faults(Faults::watches()).replay_with(again)
            })
        },
    },
    Part {
        name: "large fleets: two hundred hosts, everything else drawn per seed",
        sizes: (0, 20),
        run: |round, size| Campaign::of(seeds(round, large_fleets().unwrap_or(size)), large),
    },
    Part {
        name: "single faults: every call of a port, each of six kinds of fault",
        sizes: (60, 4_500),
        run: |round, size| of_scenarios(round, |number| single_faults(scenario, number, size / 3)),
    },
    Part {
        name: "pairs of those faults",
        sizes: (60, 12_200),
        run: |round, size| {
            of_scenarios(round, |number| {
                Campaign::of_fault_pairs(|| scenario(number), size / 3)
            })
        },
    },
    Part {
        name: "a rolling update, single faults of every kind at its calls",
        sizes: (20, 400),
        run: |round, size| single_faults(rolling::scenario, round, size),
    },
    Part {
        name: "a rolling update, a master that dies before or after any of its calls",
        sizes: (20, 400),
        run: |round, size| {
            masters_that_die(
                rolling::scenario,
                round,
                size,
                "a rollout came to every host",
            )
        },
    },
    Part {
        name: "swarms of fleet resets",
        sizes: (4, 600),
        run: |round, size| Campaign::of(seeds(round, size), resets::swarm),
    },
    Part {
        name: "a fleet reset, single faults of every kind at its calls",
        sizes: (12, 250),
        run: |round, size| single_faults(resets::scenario, round, size),
    },
    Part {
        name: "a fleet reset, a master that dies before or after any of its calls",
        sizes: (12, 250),
        run: |round, size| {
            masters_that_die(resets::scenario, round, size, "a reset came to every host")
        },
    },
];

fn seeds(round: u64, size: u64) -> Range<u64> {
    round * size..(round + 1) * size
}

fn of_scenarios(round: u64, run: impl Fn(u64) -> Campaign) -> Campaign {
    let mut sum = Campaign::default();
    for number in round * 3..round * 3 + 3 {
        sum.join(run(number));
    }
    sum
}

/// Every call of a scenario fails in each of the six ways, as far as so many runs go.
fn single_faults(scenario: fn(u64) -> Sim, number: u64, size: u64) -> Campaign {
    let most = usize::try_from(size).expect("a number");
    Campaign::of_single_faults(|| scenario(number), most)
}

/// Whatever becomes of the masters, each run comes to its end, which is told by what it is to have seen: `end`.
fn masters_that_die(scenario: fn(u64) -> Sim, number: u64, size: u64, end: &str) -> Campaign {
    let dies = |point: &Point| {
        let Point::Call { actor, kind, .. } = point else {
            return false;
        };
        let dies = matches!(kind, FaultKind::CrashBefore | FaultKind::CrashAfter);
        dies && matches!(actor, Actor::Master(_))
    };
    let most = usize::try_from(size).expect("a number");
    let campaign = Campaign::of_single_faults_at(|| scenario(number), most, dies);
    let ended = campaign.sometimes.get(end);
    assert!(
        ended.is_some_and(|ended| *ended >= campaign.runs),
        "{campaign}"
    );
    campaign
}

/// Small scenarios, so that each of their calls can fail in each of the six ways.
fn scenario(number: u64) -> Sim {
    let short = Duration::from_secs(40);
    Sim::new(number)
        .hosts(1)
        .lasting(short)
        .stable_for(Duration::from_secs(600))
        .replay_with(replayed(PLANNED, number))
}

/// Quiet at the end for longer than anything takes that comes back by itself.
fn swarm(seed: u64) -> Sim {
    Sim::swarm(seed)
        .stable_for(Duration::from_secs(900))
        .replay_with(replayed("", seed))
}

/// So many hosts that what is shared among them is crowded.
fn large(seed: u64) -> Sim {
    Sim::swarm(seed)
        .hosts(200)
        .stable_for(Duration::from_secs(900))
        .replay_with(replayed("HELIOS_SIM_LARGE=1 ", seed))
}

/// What is said to a replay of a scenario.
const PLANNED: &str = "HELIOS_SIM_SCENARIO=1 HELIOS_SIM_FAULTS={faults} ";

/// The command that runs a seed again.
fn replayed(with: &str, seed: u64) -> String {
    format!(
        "{with}HELIOS_SIM_SEED={seed} cargo test --profile simulation -p helios-testkit --test simulation replay -- --nocapture"
    )
}

/// What a year must have seen, else its faults are too tame.
const SOMETIMES: &[&str] = &[
    "a call waited for a start of its container",
    "a commit was made after its maker was told that nobody knows",
    "a commit was made, and its maker was not told",
    "a create found what an earlier one had made",
    "a create took effect after its caller had given up",
    "a host did not come back from its reset",
    "a host was deregistered while it was away",
    "a job was deployed again within one resync",
    "a job was undeployed during a pull",
    "a look while a container was being started",
    "a machine was reset",
    "a port was taken by something else",
    "a read from a replica at least 10 commits behind",
    "a reset came to every host",
    "a reset was aborted while hosts were away",
    "a reset was halted",
    "a restart onto a replica that is far behind",
    "a rollout came to every host",
    "a rollout was given up",
    "a rollout was given up with the first failure that was too many",
    "a rollout was replaced while hosts were in flight",
    "a rollout was stopped",
    "a session expired",
    "a session expired during a transaction",
    "a start took effect after its caller had given up",
    "all ports of the agent's range were taken",
    "an agent died between create and start",
    "an agent died between lease and create",
    "an agent died between stop and remove",
    "an agent died during a health check",
    "an oversize request was refused",
    "the engine was restarted during a create",
    "two masters made the same step of a rollout at once",
    "watch events were lost",
    "what died was kept, and removed when its time was over",
];

/// Prints the table of docs/reliability.md; with HELIOS_SIM_PART only the parts whose name has that in it.
#[test]
fn whatever_fails_nothing_is_violated() {
    let years = years();
    let mut sum = Campaign::default();
    println!("| | plans | faults | host-hours | violations | seconds |\n|---|---|---|---|---|---|");
    let only = std::env::var("HELIOS_SIM_PART").ok();
    let is_run = |part: &&Part| only.as_ref().is_none_or(|only| part.name.contains(only));
    for part in PARTS.iter().filter(is_run) {
        let size = years.map_or(part.sizes.0, |_| part.sizes.1);
        let mut campaign = Campaign::default();
        for round in rounds() {
            campaign.join((part.run)(round, size));
            assert!(campaign.failures.is_empty(), "{}: {campaign}", part.name);
        }
        println!("{}", row(part.name, &campaign));
        sum.join(campaign);
    }
    println!("{}\n\nin all: {sum}", row("in all", &sum));
    let Some(years) = years.filter(|_| only.is_none()) else {
        return;
    };
    let never = sum.never(SOMETIMES);
    assert!(never.is_empty(), "never seen: {never:?}\n{sum}");
    let promised = (PLANS_IN_A_YEAR * years, HOURS_IN_A_YEAR * years as f64);
    assert!(
        sum.runs >= promised.0 && sum.host_hours >= promised.1,
        "{years} years are {promised:?} plans and host-hours, and these were fewer: {sum}"
    );
}

fn row(name: &str, campaign: &Campaign) -> String {
    format!(
        "| {name} | {} | {} | {:.0} | {} | {:.0} |",
        campaign.runs,
        campaign.faults,
        campaign.host_hours,
        campaign.failures.len(),
        campaign.took.as_secs_f64()
    )
}

#[test]
fn nothing_fails_and_nothing_is_violated() {
    for seed in 0..4 {
        let report = Sim::new(seed).run();
        assert!(report.is_clean(), "{report}");
    }
}

/// Counts how often its agent asks what time it is, which it does each time it looks around for news.
#[derive(Debug)]
struct Counted(Arc<dyn Clock>, Arc<AtomicU64>);

impl Clock for Counted {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn moment(&self) -> Moment {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.moment()
    }
}

/// A timer that had gone off woke the agent another 255 times before it took its next step.
#[test]
fn an_agent_that_waits_is_not_busy() {
    let looks = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&looks);
    let sim = Sim::new(1).hosts(1).agent(move |mut host| {
        host.clock = Arc::new(Counted(host.clock, Arc::clone(&counts)));
        async { drop(host.helios_agent().run(std::future::pending()).await) }
    });
    let report = sim.run();
    assert!(report.is_clean(), "{report}");
    let (looks, events) = (looks.load(Ordering::Relaxed), report.trace.events.len());
    println!("{looks} looks around, {events} events");
    assert!(looks < 4 * events as u64, "{looks} looks, {events} events");
}

/// Prints the speeds of docs/reliability.md. They mean something when it runs alone.
#[test]
fn speed() {
    println!(
        "| agents | host-hours | host-hours per CPU-second | with faults and all checks |\n|---|---|---|---|"
    );
    for hosts in [10, 50, 200] {
        let fleet = |seed| {
            let fleet = Sim::new(seed).hosts(hosts);
            fleet.lasting(Duration::from_secs(60))
        };
        let (hours, quiet) = speed_of(|seed| fleet(seed).checks(Vec::new()));
        let (_, whole) = speed_of(|seed| fleet(seed).faults(Faults::swarm()));
        println!("| {hosts} | {hours:.1} | {quiet:.1} | {whole:.1} |");
    }
}

/// The host-hours of runs that take a second of one processor together, and how many of them such a second simulates.
fn speed_of(make: impl Fn(u64) -> Sim) -> (f64, f64) {
    let (began, mut hours) = (cpu_seconds(), 0.0);
    for seed in 1.. {
        let report = make(seed).run();
        assert!(!report.trace.events.is_empty());
        hours += report.host_hours;
        let took = cpu_seconds() - began;
        if took >= 1.0 {
            return (hours, hours / took);
        }
    }
    unreachable!("there is always another seed")
}

/// How long this process has had a processor: other processes do not count.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, after_name) = stat.rsplit_once(')').expect("a name");
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks
        .map(|ticks| ticks.parse::<u32>().expect("ticks"))
        .sum();
    f64::from(ticks) / 100.0
}

/// Runs the seed HELIOS_SIM_SEED and prints all of it; with HELIOS_SIM_ONLY only what that keeps, as the reducer
/// prints it; with HELIOS_SIM_ROLLING with rolling updates, with HELIOS_SIM_RESETS with fleet resets, with HELIOS_SIM_LARGE of
/// the large fleets; with HELIOS_SIM_SCENARIO the small scenario of that number, and with HELIOS_SIM_FAULTS the faults that it names.
#[test]
fn replay() {
    let Ok(seed) = std::env::var("HELIOS_SIM_SEED") else {
        return;
    };
    let seed = seed.parse().expect("HELIOS_SIM_SEED is a number");
    let kept = std::env::var("HELIOS_SIM_ONLY").unwrap_or_default();
    let asked = |name: &str| std::env::var(name).is_ok();
    let which = (asked("HELIOS_SIM_ROLLING"), asked("HELIOS_SIM_RESETS"));
    let sim = match (which, asked("HELIOS_SIM_SCENARIO")) {
        ((true, _), false) => rolling::swarm(seed),
        ((true, _), true) => rolling::scenario(seed),
        ((_, true), false) => resets::swarm(seed),
        ((_, true), true) => resets::scenario(seed),
        (_, false) if asked("HELIOS_SIM_LARGE") => large(seed),
        (_, false) => swarm(seed),
        (_, true) => scenario(seed),
    };
    let sim = match std::env::var("HELIOS_SIM_FAULTS").as_deref() {
        Err(_) => sim,
        Ok("clocks") => sim.faults(Faults::clocks()),
        Ok("ports") => sim.faults(Faults::ports()),
        Ok("watches") => sim.faults(Faults::watches()),
        Ok(plan) => {
            let points = plan.split(',').filter(|point| !point.is_empty());
            sim.faults(Faults::plan(
                points.map(|point| point.parse().expect("a fault, as agent0#17:late")),
            ))
        }
    };
    let report: Report = sim.keep(kept.parse().expect("what is kept")).run();
    for event in &report.trace.events {
        println!("{event}");
    }
    println!("{report}");
}
