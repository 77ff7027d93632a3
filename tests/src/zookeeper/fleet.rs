//! Two masters and three agents, while servers die: the masters are asked the same things at the same
//! time, every answer is true, and in the end each host runs what the store says, which is what the
//! answers add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, RemoveJob, Undeploy};
use helios_core::schema::{AuditRecord, HostRecord, Keys, NameRecord, Versioned};
use helios_core::store::{Snapshot, StoreErrorKind};
use helios_core::{Clock, Cluster, Goal, HostName, JobId, SystemClock, Timestamp};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::ensemble::Ensemble;
use crate::host::{Host, job};
use crate::load::{key, list, soon};

const JOBS: usize = 4;
const HOSTS: usize = 3;

/// How many asks are under way at each master.
const ASKERS: u64 = 4;

/// Each server dies once.
const KILLS: usize = 3;

/// How many changes are made with a server down, and again before the next one dies.
const CHANGES: usize = 40;

/// Something that a master is asked. Jobs and hosts are numbered.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Create(usize),
    Remove(usize),
    Deploy(usize, usize),
    Undeploy(usize, usize),
}

impl Ask {
    fn any(random: &mut Random) -> Self {
        let (job, host) = (random.below(JOBS), random.below(HOSTS));
        match random.below(10) {
            0 | 1 => Self::Create(job),
            2 => Self::Remove(job),
            3..7 => Self::Deploy(job, host),
            _ => Self::Undeploy(job, host),
        }
    }

    async fn of(self, cluster: &Cluster) -> Result<(), ClusterError> {
        match self {
            Self::Create(job) => {
                let asked = CreateJob::new(job_of(job));
                cluster.create_job(&asked).await.map(drop)
            }
            Self::Remove(job) => cluster.remove_job(&RemoveJob::new(id(job))).await,
            Self::Deploy(job, host) => {
                let asked = Deploy::new(host_of(host), id(job), Goal::Start);
                cluster.deploy(&asked).await
            }
            Self::Undeploy(job, host) => {
                let asked = Undeploy::new(host_of(host), id(job));
                cluster.undeploy(&asked).await
            }
        }
    }
}

/// The same numbers in every run; what they meet is different in each.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn job_of(number: usize) -> helios_core::Job {
    job(&format!("job{number}"))
}

fn id(number: usize) -> JobId {
    job_of(number).id
}

fn host_of(number: usize) -> HostName {
    format!("web{number}").parse().unwrap()
}

/// What the answers promise of the asks, each of which was made in a name of its own: that it is
/// recorded, that it is not, or nothing.
type Promises = BTreeMap<String, (Option<bool>, String)>;

/// Masters that are asked one thing after the other.
struct Traffic {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    askers: Vec<JoinHandle<Promises>>,
}

impl Traffic {
    fn start(masters: &[Cluster]) -> Self {
        let (stop, done) = (Arc::default(), Arc::default());
        let mut askers = Vec::new();
        for (number, master) in masters.iter().enumerate() {
            for asker in 0..ASKERS {
                let name = format!("m{number}-{asker}");
                let random = Random(number as u64 * ASKERS + asker);
                let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
                askers.push(tokio::spawn(ask(master.clone(), name, random, stop, done)));
            }
        }
        Self { stop, done, askers }
    }

    /// Waits until that many more changes were acknowledged.
    async fn progress(&self, changes: usize) {
        let goal = self.done.load(Ordering::SeqCst) + changes;
        soon("the masters", async {
            while self.done.load(Ordering::SeqCst) < goal {
                assert!(
                    !self.askers.iter().any(JoinHandle::is_finished),
                    "see above"
                );
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    async fn end(self) -> Promises {
        self.stop.store(true, Ordering::SeqCst);
        let ended = soon("the last answers", join_all(self.askers)).await;
        ended.into_iter().flat_map(Result::unwrap).collect()
    }
}

async fn ask(
    master: Cluster,
    name: String,
    mut random: Random,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
) -> Promises {
    let mut promises = Promises::new();
    while !stop.load(Ordering::SeqCst) {
        let asked = Ask::any(&mut random);
        let name = format!("{name}-{}", promises.len());
        let cluster = master.on_behalf_of(&name);
        let answer = soon("an answer", asked.of(&cluster)).await;
        let promise = match &answer {
            Ok(()) => Some(true),
            Err(ClusterError::Store(error)) => match error.kind() {
                StoreErrorKind::Indeterminate => None,
                StoreErrorKind::Unavailable | StoreErrorKind::Conflict => Some(false),
                kind => panic!("{asked:?}: {kind:?}: {error}"),
            },
            Err(_) => Some(false),
        };
        done.fetch_add(usize::from(promise == Some(true)), Ordering::SeqCst);
        promises.insert(name, (promise, format!("{asked:?}: {answer:?}")));
        // Mostly refusals cost no time, and the agents should keep up on a busy machine.
        sleep(Duration::from_millis(10)).await;
    }
    promises
}

/// Looks at committed states until told to stop. Several entries cannot be read at one moment, but what a
/// host's entry demanded before and after demanded it all the time in between.
async fn sample(store: ZooKeeperStore, stop: Arc<AtomicBool>) -> usize {
    let mut goals_seen = 0;
    while !stop.load(Ordering::SeqCst) {
        let before = list(&store, "hosts").await;
        let jobs = list(&store, "jobs").await;
        let names = list(&store, "names").await;
        let after = list(&store, "hosts").await;
        for (host, entry) in before.iter() {
            if after.get(host).map(|entry| entry.version) != Some(entry.version) {
                continue;
            }
            let record = Versioned::<HostRecord>::decode(&key("hosts/sampled"), entry).unwrap();
            for id in record.goals.keys() {
                assert!(jobs.get(id.as_str()).is_some(), "{id} of {host} is gone");
                let name = id.without_hash().to_string();
                let named = names.get(&name).expect("the name of a deployed job");
                assert_eq!(name_record(named), *id);
                goals_seen += 1;
            }
        }
    }
    goals_seen
}

fn name_record(entry: &helios_core::store::Entry) -> JobId {
    let record = Versioned::<NameRecord>::decode(&key("names/sampled"), entry).unwrap();
    record.id.clone()
}

/// The records of all changes made since.
async fn records(store: &ZooKeeperStore, since: Timestamp) -> Vec<Versioned<AuditRecord>> {
    let mut records = Vec::new();
    let minutes = |at: Timestamp| at.as_millis() / 60_000;
    for minute in minutes(since)..=minutes(SystemClock::new().now()) {
        let dir = Keys::audit_of(Timestamp::from_millis(minute * 60_000));
        let snapshot: Snapshot = list(store, dir.as_str()).await;
        let decode = |(_, entry)| Versioned::<AuditRecord>::decode(&dir, entry).unwrap();
        records.extend(snapshot.iter().map(decode));
    }
    records.retain(|record| record.action != "nothing");
    records
}

/// Every acknowledged change is recorded once, and no refused one is.
fn check_promises(promises: &Promises, records: &[Versioned<AuditRecord>]) {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        *made.entry(&record.principal).or_default() += 1;
    }
    for (name, (promise, what)) in promises {
        let made = made.get(name.as_str()).copied().unwrap_or(0);
        assert!(made <= 1, "made {made} times: {name} {what}");
        if let Some(promised) = promise {
            assert_eq!(made == 1, *promised, "{name} {what}");
        }
    }
}

/// The jobs and deployments there are are those that the records add up to.
async fn check_sums(cluster: &Cluster, records: &[Versioned<AuditRecord>]) {
    let count = |action: &str, host: Option<&HostName>, id: &JobId| {
        let same = |record: &&Versioned<AuditRecord>| {
            record.action == action
                && record.job.as_ref() == Some(id)
                && record.host.as_ref() == host
        };
        records.iter().filter(same).count()
    };
    let fleet = cluster.fleet().await.unwrap();
    assert_eq!(fleet.unreadable().count(), 0);
    for id in (0..JOBS).map(id) {
        let there = usize::from(fleet.jobs.get(&id).is_some());
        let (came, went) = (
            count("create job", None, &id),
            count("remove job", None, &id),
        );
        assert_eq!(came, went + there, "{id}");
        for host in (0..HOSTS).map(host_of) {
            let goals = &fleet.hosts.get(&host).unwrap().goals;
            let there = usize::from(goals.contains_key(&id));
            let came = count("deploy", Some(&host), &id);
            let went = count("undeploy", Some(&host), &id);
            assert_eq!(came, went + there, "{id} on {host}");
        }
    }
}

/// Every job has its name, every name its job, and every goal a job.
async fn check_schema(store: &ZooKeeperStore, cluster: &Cluster) {
    let fleet = cluster.fleet().await.unwrap();
    let jobs: BTreeSet<JobId> = fleet.jobs.names().cloned().collect();
    let names = list(store, "names").await;
    let named: BTreeSet<JobId> = names.iter().map(|(_, entry)| name_record(entry)).collect();
    assert_eq!(jobs, named);
    assert_eq!(names.len(), jobs.len());
    for (host, record) in fleet.hosts.iter() {
        let lost = record.goals.keys().find(|id| !jobs.contains(*id));
        assert_eq!(lost, None, "on {host}");
    }
}

/// Waits until a host runs its goals and nothing else, and has said so.
async fn until_as_wanted(host: &Host, cluster: &Cluster) {
    let view = cluster.host(&host.name).await.unwrap().unwrap();
    let goals: BTreeSet<String> = view.record.goals.keys().map(JobId::to_string).collect();
    soon("the host", async {
        loop {
            let running: Vec<_> = host.running().await.into_iter().map(|(_, id)| id).collect();
            let view = cluster.host(&host.name).await.unwrap().unwrap();
            let reported = view.report.map(|report| {
                let ids = report.tasks.keys().map(JobId::to_string);
                ids.collect::<BTreeSet<_>>()
            });
            let as_wanted =
                running.len() == goals.len() && running.iter().all(|id| goals.contains(id));
            if as_wanted && view.up && reported.as_ref() == Some(&goals) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_masters_and_three_agents_agree_while_servers_die() {
    let mut ensemble = Ensemble::start(3).await;
    let since = SystemClock::new().now();
    let mut masters = Vec::new();
    for _ in 0..2 {
        let store = ensemble.store("helios").await;
        let master = Cluster::on(Arc::new(store)).unwrap();
        master.init().await.unwrap();
        masters.push(master);
    }
    let mut hosts = Vec::new();
    for number in 0..HOSTS {
        let mut host = Host::new(host_of(number).as_str());
        host.start_agent(ensemble.options("helios")).await;
        host.until_up(&masters[0]).await;
        hosts.push(host);
    }
    let onlooker = ensemble.store("helios").await;
    let stop = Arc::new(AtomicBool::new(false));
    let samples = tokio::spawn(sample(onlooker.clone(), Arc::clone(&stop)));
    let traffic = Traffic::start(&masters);
    for victim in 0..KILLS {
        traffic.progress(CHANGES).await;
        ensemble.kill(victim);
        traffic.progress(CHANGES).await;
        ensemble.restart(victim);
        ensemble.until_all_serve().await;
    }
    traffic.progress(CHANGES).await;
    let promises = traffic.end().await;
    stop.store(true, Ordering::SeqCst);
    let goals_seen = soon("the onlooker", samples).await.unwrap();
    assert!(goals_seen > 0, "the onlooker saw no deployment");

    let newcomer = ensemble.store("helios").await;
    let cluster = Cluster::on(Arc::new(newcomer.clone())).unwrap();
    let records = records(&newcomer, since).await;
    check_promises(&promises, &records);
    check_sums(&cluster, &records).await;
    check_schema(&newcomer, &cluster).await;
    for host in &hosts {
        until_as_wanted(host, &cluster).await;
    }
}
