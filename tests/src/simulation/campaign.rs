//! Our own agent and masters: nothing is violated, whatever fails.

use std::time::Duration;

use helios_testkit::sim::campaign::Campaign;
use helios_testkit::sim::{Faults, Report, Sim};

/// Seeds that once showed a bug of ours; what it was is in the name of the test.
mod regressions;
/// Rolling updates.
mod rolling;

/// How many seeds to run. `make test` asks for more, and the nightly for many more.
pub(crate) fn seeds(usually: u64) -> u64 {
    let seeds = std::env::var("HELIOS_SIM_SEEDS");
    seeds
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usually)
}

/// Quiet at the end for longer than anything takes that comes back by itself.
fn swarm(seed: u64) -> Sim {
    Sim::swarm(seed)
        .stable_for(Duration::from_secs(900))
        .replay_with(replayed("", seed))
}

/// The command that runs a seed again.
fn replayed(with: &str, seed: u64) -> String {
    format!(
        "{with}HELIOS_SIM_SEED={seed} cargo test --profile simulation -p helios-tests --test simulation replay -- --nocapture"
    )
}

/// What a campaign must have seen, else its faults are too tame.
const SOMETIMES: &[&str] = &[
    "a commit was made after its maker was told that nobody knows",
    "a commit was made, and its maker was not told",
    "a create found what an earlier one had made",
    "a job was deployed again within one resync",
    "a job was undeployed during a pull",
    "a read from a replica at least 10 commits behind",
    "a session expired",
    "a session expired during a transaction",
    "an agent died between create and start",
    "an agent died between stop and remove",
    "watch events were lost",
];

#[test]
fn nothing_fails_and_nothing_is_violated() {
    for seed in 0..4 {
        let report = Sim::new(seed).run();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn swarms_of_faults_violate_nothing() {
    let campaign = Campaign::of(0..seeds(20), swarm);
    assert!(campaign.failures.is_empty(), "{campaign}");
    println!("swarms: {campaign}");
    let never = if campaign.runs < 200 {
        Default::default()
    } else {
        campaign.never(SOMETIMES)
    };
    assert!(never.is_empty(), "never seen: {never:?}\n{campaign}");
}

/// Small scenarios, so that each of their calls can fail in each of the six ways.
fn scenario(number: u64) -> Sim {
    let short = Duration::from_secs(40);
    Sim::new(number)
        .hosts(1)
        .lasting(short)
        .stable_for(Duration::from_secs(600))
}

#[test]
fn single_faults_violate_nothing() {
    let mut sum = Campaign::default();
    for number in 0..3 {
        let most = usize::try_from(seeds(20)).expect("a number");
        sum.join(Campaign::of_single_faults(|| scenario(number), most));
    }
    println!("single faults: {sum}");
    assert!(sum.failures.is_empty(), "{sum}");
}

#[test]
fn pairs_of_faults_violate_nothing() {
    let mut sum = Campaign::default();
    for number in 0..3 {
        sum.join(Campaign::of_fault_pairs(|| scenario(number), seeds(20)));
    }
    println!("pairs of faults: {sum}");
    assert!(sum.failures.is_empty(), "{sum}");
}

#[test]
fn clocks_that_jump_by_years_violate_nothing() {
    let campaign = Campaign::of(0..seeds(20) / 10, |seed| {
        swarm(seed).faults(Faults::clocks())
    });
    assert!(campaign.failures.is_empty(), "{campaign}");
}

/// Prints the sizes and speeds of docs/reliability.md.
#[test]
fn speed() {
    println!(
        "| agents | host-hours | seconds of one processor | host-hours per second |\n|---|---|---|---|"
    );
    for hosts in [10, 50, 200] {
        let began = std::time::Instant::now();
        let report = Sim::new(1)
            .hosts(hosts)
            .lasting(Duration::from_secs(60))
            .checks(Vec::new())
            .run();
        let took = began.elapsed().as_secs_f64();
        let hours = report.host_hours;
        println!("| {hosts} | {hours:.1} | {took:.2} | {:.1} |", hours / took);
        assert!(report.trace.events.len() > usize::from(hosts));
    }
}

/// Runs the seed HELIOS_SIM_SEED and prints all of it; with HELIOS_SIM_ONLY only those of its faults, with
/// HELIOS_SIM_ROLLING with rolling updates.
#[test]
fn replay() {
    let Some(seed) = std::env::var("HELIOS_SIM_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
    else {
        return;
    };
    let faults = match std::env::var("HELIOS_SIM_ONLY") {
        Ok(points) => {
            let points = points
                .split(',')
                .map(|point| point.parse().expect("a fault"));
            Faults::swarm().only(points.collect::<Vec<_>>())
        }
        Err(_) => Faults::swarm(),
    };
    let sim = match std::env::var("HELIOS_SIM_ROLLING") {
        Ok(_) => rolling::swarm(seed),
        Err(_) => swarm(seed),
    };
    let report: Report = sim.faults(faults).run();
    for event in &report.trace.events {
        println!("{event}");
    }
    println!("{report}");
}
