//! Prints what deciding about a reset costs: `cargo bench -p helios-rollout --bench resets`.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "its inputs are its own"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use helios_core::cluster::FleetView;
use helios_core::model::{Goal, Job, TaskState};
use helios_core::schema::{GoalRecord, HostRecord, HostReport, Keys, TaskReport, encode};
use helios_core::store::{Store, Txn};
use helios_core::{Cluster, HostName, Timestamp};
use helios_rollout::Share;
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    GroupLimit, Instance, Limits, Lookout, Progress, Reset, Robustness, Sight, Sights, Wanted,
    advance, forecast,
};
use helios_store::MemoryStore;

const HOSTS: usize = 10_000;
const ROLES: usize = 200;
const SERVICES: usize = 400;
const CHANGED: usize = 500;
const START: Timestamp = Timestamp::from_millis(1_792_396_800_000);

/// Two views of a fleet, between which some hosts have changed.
async fn views() -> [FleetView; 2] {
    let store = MemoryStore::new();
    let cluster = Cluster::on(Arc::new(store.clone())).unwrap();
    let jobs: Vec<Arc<Job>> = (0..SERVICES)
        .map(|service| {
            Arc::new(
                Job::new(&format!("service-{service}:1"), "i")
                    .unwrap()
                    .with_computed_id(),
            )
        })
        .collect();
    for number in 0..HOSTS {
        let (name, sight) = host(number);
        let mut record = HostRecord::new(sight.epoch.clone(), "e");
        for service in services(number) {
            let job = Arc::clone(jobs.get(service).unwrap());
            let goal = GoalRecord {
                job: Arc::clone(&job),
                goal: Goal::Start,
                user: None,
                master: None,
                group: None,
            };
            record.goals.insert(job.id.clone(), goal);
        }
        let txn = Txn::new()
            .create(Keys::host(&name), encode(&record))
            .create(
                Keys::report(&name),
                encode(&reported(&record, &sight, TaskState::Running)),
            );
        store.commit(txn).await.unwrap();
    }
    let mut views = cluster.watch_fleet();
    let before = views.next().await.unwrap().unwrap();
    for number in (0..HOSTS).step_by(HOSTS / CHANGED) {
        let (name, sight) = host(number);
        let record = before.hosts.get(&name).unwrap();
        let version = before.reports.get(&name).unwrap().version;
        let report = reported(record, &sight, TaskState::Stopped);
        let txn = Txn::new().update(Keys::report(&name), version, encode(&report));
        store.commit(txn).await.unwrap();
    }
    let changed = |view: &FleetView| {
        let pairs = view.reports.iter().zip(before.reports.iter());
        let changed = pairs.filter(|((_, after), (_, before))| after.version != before.version);
        changed.count() == CHANGED
    };
    loop {
        let after = views.next().await.unwrap().unwrap();
        if changed(&after) {
            return [before, after];
        }
    }
}

fn reported(record: &HostRecord, sight: &Sight, state: TaskState) -> HostReport {
    let task = || TaskReport::new(Goal::Start, state, START);
    HostReport {
        agent_id: record.agent_id.clone(),
        labels: sight.labels.clone(),
        tasks: record.goals.keys().map(|id| (id.clone(), task())).collect(),
        ..HostReport::default()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    println!("{HOSTS} hosts in {ROLES} roles, five jobs on each, best of 10");
    let reset = reset();
    let sights = Sights::new((0..HOSTS).map(host)).unwrap();
    let [mut before, mut after] = views().await;
    let mut lookout = Lookout::default();
    report(
        "sights: the first look",
        best(|| Sights::of(&before).unwrap()),
    );
    let mut again = || {
        std::mem::swap(&mut before, &mut after);
        lookout.look(&before).unwrap()
    };
    again();
    report(
        &format!("sights: {CHANGED} of them have changed"),
        best(again),
    );
    let (fresh, known) = (Progress::new(&reset, START).unwrap(), Robustness::default());
    let step = |progress: &Progress| advance(&reset, progress, &known, &sights, "m1", START);
    let first = |_| {
        let sights = Sights::new((0..HOSTS).map(host)).unwrap();
        let start = Instant::now();
        drop(black_box(advance(
            &reset, &fresh, &known, &sights, "m1", START,
        )));
        start.elapsed()
    };
    let first = (0..10).map(first).min().unwrap();
    report("step: the very first, which finds the order", first);
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

fn services(host: usize) -> impl Iterator<Item = usize> {
    (0..5).map(move |job| (host * 7 + job * 11) % SERVICES)
}

fn host(i: usize) -> (HostName, Sight) {
    let instances = services(i).map(|service| Instance {
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
