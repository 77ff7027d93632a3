//! Any masters, any changes, any connection: the schema's invariants hold after every commit, and every
//! answer is true in the end.

use std::sync::Arc;

use futures_util::future::join_all;
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, RegisterHost, RemoveJob, SetGoal, Undeploy};
use helios_core::schema::{AuditRecord, Keys, OperationId, OperationIds, Versioned};
use helios_core::store::StoreErrorKind;
use helios_core::{Clock, Cluster, Goal, HostName, Job, JobId, PortMapping, Store};
use helios_store::MemoryStore;
use proptest::prelude::*;

use crate::bad_connection::BadConnection;
use crate::invariants::Invariants;
use crate::stopped_clock::StoppedClock;

/// Something that a master is asked. Jobs and hosts are numbered.
#[derive(Clone, Debug)]
enum Ask {
    Create(usize),
    Remove(usize),
    Deploy(usize, usize),
    Undeploy(usize, usize),
    SetGoal(usize, usize, Goal),
    Register(usize, usize),
    TakeOver(usize, usize),
    Deregister(usize),
}

const HOSTS: usize = 3;

/// Two contents of one name and version, and two jobs with a port in common.
fn job(number: usize) -> Job {
    let job = match number {
        0 => Job::new("web:1", "nginx"),
        1 => Job::new("web:1", "apache"),
        _ => Job::new("api:1", "api"),
    };
    let port = PortMapping::tcp(80).external(8080);
    let job = job.unwrap();
    let job = if number == 0 {
        job
    } else {
        job.port("http", port)
    };
    job.with_computed_id()
}

fn id(number: usize) -> JobId {
    job(number).id
}

fn host(number: usize) -> HostName {
    format!("web{number}").parse().unwrap()
}

fn registration(host_number: usize, agent: usize) -> RegisterHost {
    RegisterHost {
        host: host(host_number),
        agent_id: format!("agent{agent}"),
    }
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let (job, host) = (0..3usize, 0..HOSTS);
    let goal = prop_oneof![Just(Goal::Start), Just(Goal::Stop)];
    let pair = (job.clone(), host);
    let ask = prop_oneof![
        3 => job.clone().prop_map(Ask::Create),
        3 => job.prop_map(Ask::Remove),
        6 => pair.clone().prop_map(|(job, host)| Ask::Deploy(job, host)),
        4 => pair.clone().prop_map(|(job, host)| Ask::Undeploy(job, host)),
        2 => (pair, goal).prop_map(|((job, host), goal)| Ask::SetGoal(job, host, goal)),
        // The last host is the one that is deregistered, and is not registered again.
        1 => (0..HOSTS - 1, 0..2usize).prop_map(|(host, agent)| Ask::Register(host, agent)),
        1 => (0..HOSTS - 1, 0..2usize).prop_map(|(host, agent)| Ask::TakeOver(host, agent)),
        1 => Just(Ask::Deregister(HOSTS - 1)),
    ];
    proptest::collection::vec(ask, 1..12)
}

async fn ask(cluster: &Cluster, ask: &Ask) -> Result<(), ClusterError> {
    match *ask {
        Ask::Create(n) => cluster.create_job(&CreateJob::new(job(n))).await.map(drop),
        Ask::Remove(n) => cluster.remove_job(&RemoveJob::new(id(n))).await,
        Ask::Deploy(n, h) => {
            cluster
                .deploy(&Deploy::new(host(h), id(n), Goal::Start))
                .await
        }
        Ask::Undeploy(n, h) => cluster.undeploy(&Undeploy::new(host(h), id(n))).await,
        Ask::SetGoal(n, h, goal) => cluster.set_goal(&SetGoal::new(host(h), id(n), goal)).await,
        Ask::Register(h, agent) => cluster.register_host(&registration(h, agent)).await,
        Ask::TakeOver(h, agent) => cluster.take_over_host(&registration(h, agent)).await,
        Ask::Deregister(h) => cluster.deregister_host(&host(h)).await,
    }
}

/// What the answer says about the record of the change: that it is there, that it is not, or nothing.
fn promise(asked: &Ask, answer: &Result<(), ClusterError>) -> Option<bool> {
    match (answer, asked) {
        // There may have been nothing to do.
        (Ok(()), Ask::SetGoal(..) | Ask::Register(..) | Ask::TakeOver(..)) => None,
        (Ok(()), _) => Some(true),
        (Err(ClusterError::Store(error)), _) => match error.kind() {
            StoreErrorKind::Indeterminate => None,
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => Some(false),
            kind => panic!("{kind:?}: {error}"),
        },
        (Err(_), _) => Some(false),
    }
}

/// Whether the change was made, by its record.
async fn was_made(tree: &MemoryStore, operation: &OperationId) -> bool {
    let key = Keys::audit(StoppedClock.now(), operation);
    let entry = tree.get(&key).await.unwrap();
    let record = entry.map(|entry| Versioned::<AuditRecord>::decode(&key, &entry).unwrap());
    record.is_some_and(|record| record.action != "nothing")
}

fn cluster(store: Arc<dyn Store>, incarnation: &str) -> Cluster {
    let ids = OperationIds::new(incarnation).unwrap();
    Cluster::new(store, Arc::new(StoppedClock), ids)
}

async fn run(masters: &[Vec<Ask>], seed: u64) {
    let tree = MemoryStore::new();
    let invariants = Arc::new(Invariants::default());
    let setup = cluster(Arc::new(tree.session()), "setup");
    for h in 0..HOSTS {
        setup.register_host(&registration(h, 0)).await.unwrap();
    }
    let runs = masters.iter().zip(0..).map(|(asks, number)| {
        let connection = Arc::new(BadConnection::new(&tree, seed + 1 + number, &invariants));
        let tree = tree.clone();
        async move {
            let name = format!("m{number}");
            let cluster = cluster(Arc::clone(&connection) as _, &name);
            let operations = OperationIds::new(name).unwrap();
            let mut promises = Vec::new();
            for asked in asks {
                let operation = operations.next();
                let answer = ask(&cluster, asked).await;
                promises.push((
                    operation,
                    promise(asked, &answer),
                    format!("{asked:?}: {answer:?}"),
                ));
            }
            connection.deliver_late().await;
            for (operation, promised, what) in promises {
                if let Some(promised) = promised {
                    assert_eq!(
                        was_made(&tree, &operation).await,
                        promised,
                        "{operation} {what}"
                    );
                }
            }
        }
    });
    join_all(runs).await;
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_true_and_invariants_hold(
        masters in proptest::collection::vec(asks(), 1..4),
        seed in 1..u64::MAX / 2,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(&masters, seed));
    }
}
