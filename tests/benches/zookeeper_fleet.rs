//! The figures of a fleet on one server: deployments through `Cluster` beside bare multi-operations, and
//! what 5,000 agents cost.
//!
//! `cargo bench -p helios-tests --bench zookeeper_fleet`; `HELIOS_AGENTS` is how many agents.

#![expect(clippy::print_stdout, reason = "figures are what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "its inputs are its own, and a figure of a failed run would be none"
)]

#[path = "../src/zookeeper/ensemble.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod ensemble;
#[path = "../src/zookeeper/proxy.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod proxy;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use helios_core::ops::{CreateJob, Deploy, RegisterHost};
use helios_core::schema::{Keys, Presence, encode};
use helios_core::store::{Scope, Store, Txn};
use helios_core::{Cluster, Goal, HostName, Job, JobId};
use helios_store::zookeeper::ZooKeeperStore;
use zookeeper_client::{Acls, Client, CreateMode};

use ensemble::Ensemble;

const ROUNDS: usize = 5;
const HOSTS: usize = 1000;
const IN_FLIGHT: usize = 64;
/// What one deployment writes: the host's entry with its job, and the audit record.
const WRITTEN: [usize; 2] = [520, 180];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let ensemble = Ensemble::start(1).await;
    let store = ensemble.store("helios").await;
    let cluster = Cluster::on(Arc::new(store)).unwrap();
    cluster.init().await.unwrap();
    deployments(&ensemble, &cluster).await;
    let agents = std::env::var("HELIOS_AGENTS").ok();
    let agents = agents.map_or(5000, |agents| agents.parse().unwrap());
    fleet(&ensemble, &cluster, agents).await;
}

fn host(number: usize) -> HostName {
    format!("host{number:05}").parse().unwrap()
}

/// One job to a thousand hosts, 64 at a time, in turns with the same multi-operations by the bare client.
async fn deployments(ensemble: &Ensemble, cluster: &Cluster) {
    let bare = Client::connect(&ensemble.server(0)).await.unwrap();
    let open = CreateMode::Persistent.with_acls(Acls::anyone_all());
    for dir in ["/bare", "/bare/jobs", "/bare/hosts", "/bare/audit"] {
        bare.create(dir, b"", &open).await.unwrap();
    }
    bare.create("/bare/jobs/a", b"", &open).await.unwrap();
    for number in 0..HOSTS {
        let request = RegisterHost {
            host: host(number),
            agent_id: format!("agent{number}"),
        };
        cluster.register_host(&request).await.unwrap();
        let path = format!("/bare/hosts/{number}");
        bare.create(&path, b"", &open).await.unwrap();
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let job = Job::new(format!("job{round}:1").as_str(), "nginx").unwrap();
        let job = cluster.create_job(&CreateJob::new(job)).await.unwrap();
        ours.push(deploy(cluster, &job).await);
        theirs.push(multis(&bare, round).await);
    }
    ours.sort_unstable();
    theirs.sort_unstable();
    let (ours, theirs) = (ours[ROUNDS / 2], theirs[ROUNDS / 2]);
    println!(
        "one job to {HOSTS} hosts, {IN_FLIGHT} in flight: cluster {ours:.0?} ({:.0} deploys/s), bare \
         {theirs:.0?}: {:.2} x the time, {:.2} x the speed",
        HOSTS as f64 / ours.as_secs_f64(),
        ours.as_secs_f64() / theirs.as_secs_f64(),
        theirs.as_secs_f64() / ours.as_secs_f64(),
    );
}

async fn deploy(cluster: &Cluster, job: &JobId) -> Duration {
    let start = Instant::now();
    stream::iter(0..HOSTS)
        .for_each_concurrent(IN_FLIGHT, |number| async move {
            let deploy = Deploy::new(host(number), job.clone(), Goal::Start);
            cluster.deploy(&deploy).await.unwrap();
        })
        .await;
    start.elapsed()
}

/// The same by hand, without reading anything first.
async fn multis(bare: &Client, round: usize) -> Duration {
    let start = Instant::now();
    stream::iter(0..HOSTS)
        .for_each_concurrent(IN_FLIGHT, |number| async move {
            let open = CreateMode::Persistent.with_acls(Acls::anyone_all());
            let version = i32::try_from(round).unwrap();
            let [host, audit] = WRITTEN.map(|bytes| vec![b'x'; bytes]);
            let mut multi = bare.new_multi_writer();
            multi.add_check_version("/bare/jobs/a", 0).unwrap();
            let path = format!("/bare/hosts/{number}");
            multi.add_set_data(&path, &host, Some(version)).unwrap();
            let mark = format!("/bare/audit/{round}-{number}");
            multi.add_create(&mark, &audit, &open).unwrap();
            multi.commit().await.unwrap();
        })
        .await;
    start.elapsed()
}

/// Presence, report and a watch of its goals for each agent, all with sessions of their own.
async fn fleet(ensemble: &Ensemble, cluster: &Cluster, agents: usize) {
    let before = (resident(ensemble), own());
    let start = Instant::now();
    let handles: Vec<ZooKeeperStore> = stream::iter(0..agents)
        .map(|number| agent(ensemble, number))
        .buffer_unordered(IN_FLIGHT)
        .collect()
        .await;
    let joined = start.elapsed();
    let mut watches = Vec::new();
    for (number, handle) in handles.iter().enumerate() {
        let mut watch = handle.watch(Scope::Entry(Keys::host(&host(number))));
        watch.next().await.unwrap().unwrap();
        watches.push(watch);
    }
    let start = Instant::now();
    let view = cluster.fleet().await.unwrap();
    let read = start.elapsed();
    let cpu = (ticks(ensemble.pid(0).unwrap()), ticks("self"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    // A hundredth of a second each.
    let idle = |before, after| (after - before) as f64 / 10.0;
    println!(
        "{agents} agents: joined in {joined:.1?}; whole fleet ({} hosts) read in {read:.0?}; server {} MB \
         (empty {} MB, heap limit 256 MB), idle {:.1} % of a core; all agents' handles in this process \
         {} MB, idle {:.1} %",
        view.hosts.len(),
        resident(ensemble),
        before.0,
        idle(cpu.0, ticks(ensemble.pid(0).unwrap())),
        own() - before.1,
        idle(cpu.1, ticks("self")),
    );
}

async fn agent(ensemble: &Ensemble, number: usize) -> ZooKeeperStore {
    let options = ensemble.options("helios");
    let options = options.session_timeout(Duration::from_secs(12));
    let store = ZooKeeperStore::connect(options).await.unwrap();
    let host = host(number);
    let presence = Presence {
        id: format!("agent{number}"),
        incarnation: "1".to_owned(),
    };
    let txn = Txn::new()
        .create_ephemeral(Keys::up(&host), encode(&presence))
        .create(Keys::report(&host), vec![b'r'; 700]);
    store.commit(txn).await.unwrap();
    if number >= HOSTS {
        let txn = Txn::new().create(Keys::host(&host), vec![b'h'; 500]);
        store.commit(txn).await.unwrap();
    }
    store
}

fn resident(ensemble: &Ensemble) -> u64 {
    megabytes(ensemble.pid(0).unwrap())
}

fn own() -> u64 {
    megabytes("self")
}

fn megabytes(pid: &str) -> u64 {
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
