//! Bugs that real orchestrators shipped, planted into a plain agent or a plain master. Each must be found.

mod masters;
mod plain;
mod resets;
mod rolling;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use helios_testkit::sim::{Bounds, Faults, Report, Sim, Workload, checks};

/// What is wrong with the plain agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    NewNames,
    DoesNotAdopt,
    ForgetsItsOwn,
    ReapsByOldGoals,
    ReapsTheOld,
    SaysRunning,
    SamePort,
    UnreadableIsEmpty,
    TimeTravel,
    StartsAllAtBoot,
    RestoresGoals,
    LostWatch,
    AnnouncesOnce,
    ReportsAnyway,
    SkipsHealth,
    WallClock,
    RetriesAtOnce,
    GrowsForEver,
    KeepsLeases,
    NeverRemoves,
    ReportsOnce,
    UndeploysLate,
    SharesItsName,
    BelievesLooks,
    TakesAnyPort,
    LooksRarely,
    HidesTrouble,
}

/// A planted bug, and what must find it.
struct Exhibit {
    class: &'static str,
    what: &'static str,
    checks: &'static [&'static str],
    plant: fn(Sim) -> Sim,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Within how many seeds every one of them must be found.
const SEEDS_MAX: u64 = 150;

macro_rules! exhibit {
    ($class:literal, $bug:ident, $what:literal, $checks:expr) => {
        Exhibit {
            class: $class,
            what: $what,
            checks: $checks,
            plant: |sim| sim.agent(|host| plain::run(host, Some(Bug::$bug))),
        }
    };
    ($class:literal, master $work:path, $what:literal, $checks:expr) => {
        Exhibit {
            class: $class,
            what: $what,
            checks: $checks,
            plant: |sim| sim.workload(Workload::new($work)),
        }
    };
    ($class:literal, rolling $wrong:ident, $what:literal, $checks:expr) => {
        Exhibit {
            class: $class,
            what: $what,
            checks: $checks,
            plant: |sim| {
                sim.workload(Workload::new(|master| {
                    rolling::run(master, Some(rolling::Wrong::$wrong))
                }))
            },
        }
    };
    ($class:literal, reset $wrong:ident, $what:literal, $checks:expr) => {
        Exhibit {
            class: $class,
            what: $what,
            checks: $checks,
            plant: |sim| {
                sim.workload(Workload::new(|master| {
                    resets::run(master, Some(resets::Wrong::$wrong))
                }))
            },
        }
    };
}

const MUSEUM: &[Exhibit] = &[
    exhibit!(
        "B1",
        NewNames,
        "a create is tried again under another name",
        &["S1", "S11"]
    ),
    exhibit!(
        "B2",
        DoesNotAdopt,
        "after a restart what runs already is not recognised",
        &["S11"]
    ),
    exhibit!(
        "B3",
        ForgetsItsOwn,
        "only containers made in this life are ever removed",
        &["L2", "L1", "L9"]
    ),
    exhibit!(
        "B4",
        ReapsByOldGoals,
        "the reaper goes by the goals as they were at the start",
        &["S2"]
    ),
    exhibit!(
        "B5",
        SaysRunning,
        "a start that failed is reported as running",
        &["S13"]
    ),
    exhibit!("B6", SamePort, "two jobs are leased the same port", &["S3"]),
    exhibit!(
        "B6",
        TakesAnyPort,
        "a container is started with another port than its job was leased",
        &["S3"]
    ),
    // Ports alone: among all other faults there is mostly another reason not to tell.
    Exhibit {
        class: "B5",
        what: "nobody is told that a port is held by something else",
        checks: &["L3"],
        plant: |sim| {
            sim.faults(Faults::ports())
                .agent(|host| plain::run(host, Some(Bug::HidesTrouble)))
        },
    },
    exhibit!(
        "B7",
        UnreadableIsEmpty,
        "goals that cannot be read are no goals",
        &["S4", "S2"]
    ),
    exhibit!(
        "B8",
        TimeTravel,
        "goals older than those acted on are acted on",
        &["S9", "S5"]
    ),
    exhibit!(
        "B9",
        StartsAllAtBoot,
        "whatever is there is started at boot",
        &["S5", "S9"]
    ),
    exhibit!(
        "B10",
        LostWatch,
        "the first error of a watch ends it, and nothing is read again",
        &["L1", "L9"]
    ),
    exhibit!(
        "B10",
        LooksRarely,
        "all is looked at every three minutes, and no watch is kept",
        &["L8"]
    ),
    exhibit!(
        "B11",
        AnnouncesOnce,
        "presence is announced once, and lost with the session",
        &["L5"]
    ),
    exhibit!(
        "B11",
        ReportsAnyway,
        "an agent that lost its name goes on reporting under it",
        &["S12"]
    ),
    Exhibit {
        class: "B4",
        what: "agents on one engine use one owner's name, and tidy up after each other",
        checks: &["S10"],
        plant: |sim| {
            sim.neighbours(1)
                .agent(|host| plain::run(host, Some(Bug::SharesItsName)))
        },
    },
    exhibit!("B12", rolling LooksAway, "a leader that was replaced goes on without looking at the group's entry", &["S6"]),
    exhibit!("B12", rolling FinishesTheOld, "a rollout that was replaced goes on", &["S18"]),
    exhibit!("B13", rolling NoLimit, "all hosts are updated at once", &["S6"]),
    exhibit!("B13", rolling StartedIsDone, "a host counts as done when it was started", &["S6"]),
    exhibit!("B13", rolling NeverGivesUp, "however many hosts fail, the next ones are updated", &["S7"]),
    exhibit!("B13", rolling OnlyItsOwn, "a rollout dies with the master that was asked for it", &["L4"]),
    exhibit!("B14", master masters::writes_in_parts, "a job is removed in two transactions", &["S8"]),
    exhibit!(
        "B15",
        SkipsHealth,
        "what runs is reported as running, well or not",
        &["S13"]
    ),
    // Clocks alone: among all other faults the jump that keeps something waiting for ever is rare.
    Exhibit {
        class: "B16",
        what: "waits are measured by the wall clock",
        checks: &["L6"],
        plant: |sim| {
            sim.faults(Faults::clocks())
                .agent(|host| plain::run(host, Some(Bug::WallClock)))
        },
    },
    exhibit!(
        "B17",
        RetriesAtOnce,
        "what failed is tried again at once, by all",
        &["S14"]
    ),
    exhibit!(
        "B18",
        ReapsTheOld,
        "everything is restarted now and then",
        &["L7"]
    ),
    exhibit!("B19", GrowsForEver, "a record grows for ever", &["S15"]),
    exhibit!(
        "B20",
        ReapsTheOld,
        "what is old is reaped, wanted or not",
        &["S2"]
    ),
    exhibit!(
        "ports",
        KeepsLeases,
        "the ports of what is undeployed stay leased",
        &["L3"]
    ),
    exhibit!(
        "late",
        UndeploysLate,
        "what is undeployed is stopped minutes later",
        &["L9"]
    ),
    Exhibit {
        class: "graves",
        what: "dead containers are kept for a day longer than they are to be",
        checks: &["L2"],
        plant: |sim| {
            sim.agent(|host| async {
                let agent = host.helios_agent();
                let agent = agent.policy(|policy| policy.keep_dead.keep_for += DAY);
                drop(agent.run(std::future::pending()).await);
            })
        },
    },
    exhibit!(
        "silence",
        ReportsOnce,
        "a report that was not written is not written again",
        &["L11"]
    ),
    exhibit!(
        "unseen",
        BelievesLooks,
        "what a look does not show, as it is being started, is taken for gone",
        &["S1", "S11"]
    ),
    exhibit!(
        "rubbish",
        NeverRemoves,
        "what is stopped is never removed",
        &["L2"]
    ),
    exhibit!("lost write", master masters::acknowledges_too_much, "a change is acknowledged that was not made", &["S16"]),
    exhibit!("blind retry", master masters::retries_blindly, "a commit of unknown outcome is made again", &["S16"]),
    exhibit!("no audit", master masters::leaves_no_trace, "goals are changed without a record", &["S17"]),
    exhibit!("stray key", master masters::writes_anywhere, "something is stored where nothing has a place", &["S19"]),
    exhibit!("reset", reset NoLimit, "all hosts are reset at once", &["S20"]),
    exhibit!("reset", reset AskedIsDone, "a host counts as done when it was told to restart", &["S20"]),
    exhibit!("reset", reset LeavesDrained, "nobody gives a host back its jobs", &["L10"]),
    exhibit!("lock leak", reset KeepsPlaces, "the place of a host that was deregistered is kept", &["L10"]),
];

fn sim(seed: u64) -> Sim {
    Sim::swarm(seed).bounds(Bounds {
        commit_bytes_max: 40_000,
        idle_writes_per_minute: 60,
        pulls_per_minute: 1_000,
        ..Bounds::default()
    })
}

/// How many seeds it takes until one of the expected checks speaks.
fn seeds_until_found(exhibit: &Exhibit) -> Option<(u64, &'static str, Report)> {
    (0..SEEDS_MAX).find_map(|seed| {
        let report = (exhibit.plant)(sim(seed)).run();
        let found = exhibit.checks.iter().find(|check| report.violates(check))?;
        Some((seed + 1, *found, report))
    })
}

/// Prints the table of docs/reliability.md.
#[test]
fn every_planted_bug_is_found() {
    let mut table =
        String::from("| class | planted bug | found by | after seeds |\n|---|---|---|---|\n");
    let mut missed = Vec::new();
    let mut found = BTreeSet::from(["well-behaved"]); // verdicts.rs has what that one finds
    for exhibit in MUSEUM {
        let Exhibit { class, what, .. } = exhibit;
        match seeds_until_found(exhibit) {
            Some((seeds, check, _)) => {
                found.insert(check);
                writeln!(table, "| {class} | {what} | {check} | {seeds} |").expect("a text");
            }
            None => missed.push(*what),
        }
    }
    println!("{table}");
    assert!(
        missed.is_empty(),
        "within {SEEDS_MAX} seeds nothing found: {missed:?}"
    );
    // A check that finds nothing here may be one that cannot find anything.
    let all = checks::all();
    let idle: Vec<_> = all
        .iter()
        .map(|check| check.name())
        .filter(|name| !found.contains(name))
        .collect();
    assert!(idle.is_empty(), "these found no planted bug: {idle:?}");
}

/// Else the checks might find something that is wrong with the plain agent anyway.
#[test]
fn the_plain_agent_without_a_bug_is_left_alone_when_nothing_fails() {
    for seed in 0..3 {
        let plain = sim(seed)
            .agent(|host| plain::run(host, None))
            .faults(Faults::none());
        let report = plain.run();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn the_plain_master_without_a_bug_is_left_alone_when_nothing_fails() {
    for seed in 0..3 {
        let plain = sim(seed)
            .workload(Workload::new(|master| rolling::run(master, None)))
            .faults(Faults::none());
        let report = plain.run();
        assert!(report.is_clean(), "{report}");
        let plain = sim(seed)
            .workload(Workload::new(|master| resets::run(master, None)))
            .faults(Faults::none());
        let report = plain.run();
        assert!(report.is_clean(), "{report}");
    }
}

pub(crate) async fn plain(host: helios_testkit::sim::HostCtx, bug: Bug) {
    plain::run(host, Some(bug)).await;
}
