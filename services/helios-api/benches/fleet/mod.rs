//! A large fleet.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{Goal, HostInfo, HostName, Job, PortMapping, TaskState};
use helios_core::schema::{
    GoalRecord, Goals, HostRecord, HostReport, JobRecord, Keys, Presence, TaskReport, encode,
};
use helios_core::store::{Store, Txn};

pub(crate) const HOSTS: usize = 5_000;
pub(crate) const JOBS_ON_A_HOST: usize = 5;
const JOBS: usize = 100;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Puts the fleet into the store.
pub(crate) async fn fill(store: &dyn Store) -> Outcome {
    let jobs: Vec<Arc<Job>> = (0..JOBS)
        .map(|n| job(n).map(Arc::new))
        .collect::<Result<_, _>>()?;
    for job in &jobs {
        let record = JobRecord {
            job: Arc::clone(job),
            removing: None,
        };
        store
            .commit(Txn::new().create(Keys::job(&job.id)?, encode(&record)))
            .await?;
    }
    for n in 0..HOSTS {
        let host: HostName = format!("h{n}.example.net").parse()?;
        let here = jobs.iter().cycle().skip(n % JOBS).take(JOBS_ON_A_HOST);
        let goals: Goals = here.map(|job| (job.id.clone(), goal(job))).collect();
        let report = HostReport {
            agent_id: n.to_string(),
            tasks: goals.keys().map(|id| (id.clone(), running())).collect(),
            host_info: Some(HostInfo::default()),
            labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
            ..HostReport::default()
        };
        let record = HostRecord {
            goals,
            ..HostRecord::new(n.to_string(), "e")
        };
        let up = Presence {
            id: n.to_string(),
            incarnation: "i".to_owned(),
        };
        let txn = Txn::new()
            .create(Keys::host(&host), encode(&record))
            .create(Keys::report(&host), encode(&report))
            .create_ephemeral(Keys::up(&host), encode(&up));
        store.commit(txn).await?;
    }
    Ok(())
}

pub(crate) fn job(n: usize) -> Outcome<Job> {
    let job = Job::new(
        &format!("job-{n}:1"),
        "registry.example.net/team/image:1.2.3",
    )?;
    let job = job.env("MODE", "live").port("http", PortMapping::tcp(8080));
    Ok(job.with_computed_id())
}

fn goal(job: &Arc<Job>) -> GoalRecord {
    GoalRecord {
        job: Arc::clone(job),
        goal: Goal::Start,
        user: Some("ann".to_owned()),
        master: None,
        group: None,
    }
}

fn running() -> TaskReport {
    TaskReport {
        container_id: Some(
            "5a31d4fd48b5b4349980175e2f865494146704e684d89b6a95a9a766cc2f43a3".to_owned(),
        ),
        ports: BTreeMap::from([("http".to_owned(), PortMapping::tcp(8080))]),
        ..TaskReport::new(
            Goal::Start,
            TaskState::Running,
            helios_core::Timestamp::from_millis(0),
        )
    }
}
