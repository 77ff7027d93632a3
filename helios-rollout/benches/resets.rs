//! Prints what deciding about a reset costs: `cargo bench -p helios-rollout --bench resets`.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "its inputs are its own"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use helios_core::Timestamp;
use helios_rollout::Share;
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    GroupLimit, Instance, Limits, Progress, Reset, Robustness, Sight, Sights, Wanted, advance,
    forecast,
};

const HOSTS: usize = 10_000;
const ROLES: usize = 200;
const START: Timestamp = Timestamp::from_millis(1_792_396_800_000);

fn main() {
    println!("{HOSTS} hosts in {ROLES} roles, five jobs on each, best of 10");
    let (reset, hosts) = (reset(), hosts());
    let sights = Sights::new(hosts.clone()).unwrap();
    report(
        "sights: check, sort and index",
        best(|| Sights::new(hosts.clone()).unwrap()),
    );
    let (fresh, known) = (Progress::new(&reset, START).unwrap(), Robustness::default());
    let step = |progress: &Progress| advance(&reset, progress, &known, &sights, "m1", START);
    report("step: hosts are chosen", best(|| step(&fresh)));
    let mut half = fresh.clone();
    for (host, _) in sights.iter().step_by(2) {
        half.done.insert(host);
    }
    report("step: half of them are done", best(|| step(&half)));
    let busy = step(&half).next;
    report(
        &format!("step: {} hosts are away", busy.away.len()),
        best(|| step(&busy)),
    );
    report(
        "forecast: all rounds to the end",
        best(|| forecast(&reset, &fresh, &sights, START)),
    );
}

fn reset() -> Reset {
    let group = |label: &str, percent| GroupLimit {
        label: label.to_owned(),
        share: Share::from_percent(percent),
        floor: 1,
        ceiling: None,
        keep: 1,
    };
    Reset {
        name: "october".to_owned(),
        hosts: vec![],
        wanted: Wanted::ResetSince(START),
        deadline: START.plus(Duration::from_secs(7 * 86_400)),
        action: Default::default(),
        limits: Limits {
            at_once: 500,
            groups: vec![group("zone", 10), group("role", 20)],
            minimum_healthy: Amount::Share(Share::from_percent(50)),
            first_alone: false,
            ..Limits::default()
        },
        patience: Default::default(),
        guard: None,
    }
}

fn hosts() -> Vec<(helios_core::HostName, Sight)> {
    let host = |i: usize| {
        let services = (0..5).map(|job| (i * 7 + job * 11) % 400);
        let instances = services.map(|service| Instance {
            service: format!("service-{service}"),
            healthy: true,
        });
        let labels = [
            ("role".to_owned(), format!("role-{}", i % ROLES)),
            ("zone".to_owned(), format!("zone-{}", i % 3)),
        ];
        let sight = Sight {
            labels: labels.into(),
            epoch: format!("m1-{i}"),
            up: true,
            boot_id: Some(format!("boot-{i}")),
            up_since: Some(Timestamp::from_millis(0)),
            instances: instances.collect(),
            ..Sight::default()
        };
        (format!("host-{i}.example.net").parse().unwrap(), sight)
    };
    (0..HOSTS).map(host).collect()
}

/// The shortest of ten runs.
fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let run = |_| {
        let start = Instant::now();
        drop(black_box(work()));
        start.elapsed()
    };
    (0..10).map(run).min().expect("ten runs")
}

fn report(what: &str, time: Duration) {
    println!("{what:<50} {time:>12.2?}");
}
