//! What a fleet costs: sessions, presence, reports and watches of that many agents on one server.

use std::fs;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use helios_core::model::TaskState;
use helios_core::schema::{GoalRecord, HostRecord, HostReport, Keys, Presence, TaskReport, encode};
use helios_core::store::{Scope, Store, Txn};
use helios_core::{Cluster, Goal, Job, Timestamp};
use helios_store::zookeeper::ZooKeeperStore;

use crate::ensemble::Ensemble;
use crate::{HOSTS, IN_FLIGHT, host};

/// How many jobs each host runs.
const JOBS: usize = 3;

/// For how long it is looked at what idling costs.
const IDLE: Duration = Duration::from_secs(20);

/// The session timeout unless told otherwise.
const SESSION: Duration = Duration::from_secs(10);

/// Presence, report and a watch of its goals for each agent, all with sessions of their own; then a master comes
/// and follows all.
pub(crate) async fn fleet(ensemble: &Ensemble, cluster: &Cluster, agents: usize) {
    let server = ensemble.pid(0).unwrap();
    let before = (resident(server), resident("self"));
    let start = Instant::now();
    let handles: Vec<ZooKeeperStore> = stream::iter(0..agents)
        .map(|number| agent(ensemble, number))
        .buffer_unordered(IN_FLIGHT)
        .collect()
        .await;
    let mut watches = Vec::new();
    for (number, handle) in handles.iter().enumerate() {
        let mut watch = handle.watch(Scope::Entry(Keys::host(&host(number))));
        watch.next().await.unwrap().unwrap();
        watches.push(watch);
    }
    println!("\n{agents} agents, {JOBS} jobs each, session timeout {SESSION:?}");
    line(
        "came and follow their goals in",
        format!("{:.1?}", start.elapsed()),
    );
    let with = (resident(server), resident("self"));
    line(
        "server",
        format!("{} MB, {} MB before them", with.0, before.0),
    );
    let own = (with.1 - before.1) * 1024 / agents as u64;
    line("memory of one agent's handle", format!("{own} KB"));

    let start = Instant::now();
    let view = cluster.fleet().await.unwrap();
    let read = start.elapsed();
    assert_eq!(view.unreadable().count(), 0);
    line(
        "whole fleet read in",
        format!("{read:.0?}, {} hosts", view.hosts.len()),
    );
    drop(view);
    let mut master = cluster.watch_fleet();
    let before = resident("self");
    let view = master.next().await.unwrap().unwrap();
    let followed = resident("self").saturating_sub(before);
    line(
        "memory of a master that follows it",
        format!("{followed} MB"),
    );

    let before = (ticks(server), ticks("self"));
    tokio::time::sleep(IDLE).await;
    // A hundredth of a second each.
    let idle = |before, after: u64| (after - before) as f64 / IDLE.as_secs_f64();
    let (server, own) = (idle(before.0, ticks(server)), idle(before.1, ticks("self")));
    line("idle, server", format!("{server:.1} % of a core"));
    line(
        "idle, all handles together",
        format!("{own:.1} % of a core"),
    );
    drop((view, watches, handles));
}

fn line(what: &str, figure: String) {
    println!("  {what:<36} {figure}");
}

async fn agent(ensemble: &Ensemble, number: usize) -> ZooKeeperStore {
    let options = ensemble.options("helios").session_timeout(SESSION);
    let store = ZooKeeperStore::connect(options).await.unwrap();
    let (host, agent_id) = (host(number), format!("agent{number}"));
    let presence = Presence {
        id: agent_id.clone(),
        incarnation: "1".to_owned(),
    };
    let mut record = HostRecord::new(agent_id.clone(), "1");
    let mut report = HostReport {
        agent_id,
        ..HostReport::default()
    };
    for job in 0..JOBS {
        let job = Job::new(&format!("service{job}:1"), "registry.example.net/service:1");
        let job = job.unwrap().with_computed_id();
        let mut task = TaskReport::new(Goal::Start, TaskState::Running, Timestamp::from_millis(1));
        task.container_id = Some("0123456789abcdef".repeat(4));
        report.tasks.insert(job.id.clone(), task);
        let goal = GoalRecord {
            job: job.into(),
            goal: Goal::Start,
            user: None,
            master: None,
            group: None,
        };
        record.goals.insert(goal.job.id.clone(), goal);
    }
    let mut txn = Txn::new()
        .create_ephemeral(Keys::up(&host), encode(&presence))
        .create(Keys::report(&host), encode(&report));
    if number >= HOSTS {
        txn = txn.create(Keys::host(&host), encode(&record));
    }
    store.commit(txn).await.unwrap();
    store
}

/// In megabytes.
fn resident(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

/// User and system time, in hundredths of a second.
fn ticks(pid: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
