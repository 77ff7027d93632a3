//! One goal in the store cannot be read: its own job waits, and everything else of its host goes on.

use std::sync::Arc;
use std::time::Duration;

use helios_core::model::TaskState;
use helios_core::ops::{CreateJob, Deploy, RemoveJob, SetGoal, Undeploy};
use helios_core::schema::Keys;
use helios_core::store::{Store, Txn};
use helios_core::{Cluster, Goal, Job, JobId};
use helios_store::zookeeper::ZooKeeperStore;
use serde_json::Value;
use tokio::time::sleep;

use crate::ensemble::Ensemble;
use crate::host::{Host, job};
use crate::load::soon;

/// A host on an ensemble, and what a master does about it.
struct Rig {
    store: ZooKeeperStore,
    cluster: Cluster,
    host: Host,
}

impl Rig {
    async fn deploy(&self, job: &Job) -> JobId {
        let id = self.cluster.create_job(&CreateJob::new(job.clone())).await;
        let id = id.unwrap();
        let asked = Deploy::new(self.host.name.clone(), id.clone(), Goal::Start);
        self.cluster.deploy(&asked).await.unwrap();
        id
    }

    async fn undeploy(&self, job: &JobId) {
        let asked = Undeploy::new(self.host.name.clone(), job.clone());
        self.cluster.undeploy(&asked).await.unwrap();
    }

    /// As a newer master writes it, or somebody's editor.
    async fn rewrite_goal(&self, job: &JobId, goal: &str) {
        let key = Keys::host(&self.host.name);
        let entry = self.store.get(&key).await.unwrap().expect("a host");
        let mut record: Value = serde_json::from_slice(&entry.value).unwrap();
        record["goals"][job.as_str()]["goal"] = goal.into();
        record["revision"] = (record["revision"].as_u64().unwrap() + 1).into();
        let txn = Txn::new().update(key, entry.version, record.to_string());
        self.store.commit(txn).await.unwrap();
    }

    /// Waits until masters see exactly so many things wrong with the host, and yields them.
    async fn until_problems(&self, expected: usize) -> Vec<String> {
        soon("the problems", async {
            loop {
                let fleet = self.cluster.fleet().await.unwrap();
                let host = fleet.host(&self.host.name).expect("the host is shown");
                let told = host.report.map(|report| report.problems.clone());
                let seen = self.cluster.host(&self.host.name).await.unwrap();
                let problems: Vec<_> = seen.expect("a host").problems(&self.host.name).collect();
                if problems.len() == expected && told.is_some_and(|told| told.len() == expected) {
                    return problems;
                }
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    async fn until_runs(&self, job: &JobId) {
        soon("the job runs", async {
            while !self
                .cluster
                .fleet()
                .await
                .unwrap()
                .is_running(&self.host.name, job)
            {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_that_cannot_be_read_hides_neither_its_host_nor_other_jobs_from_masters() {
    let ensemble = Ensemble::start(1).await;
    let store = ensemble.store("helios").await;
    let cluster = Cluster::on(Arc::new(store.clone())).unwrap();
    cluster.init().await.unwrap();
    let mut host = Host::new("web1");
    host.start_agent(ensemble.options("helios")).await;
    host.until_up(&cluster).await;
    let rig = Rig {
        store,
        cluster,
        host,
    };
    let [web, db] = [rig.deploy(&job("web")).await, rig.deploy(&job("db")).await];
    rig.host.until_running(2).await;
    rig.until_runs(&web).await;
    rig.rewrite_goal(&web, "HIBERNATE").await;

    let problems = rig.until_problems(1).await.concat();
    for expected in [web.as_str(), "HIBERNATE", "undeploy the job from web1"] {
        assert!(problems.contains(expected), "{problems}");
    }
    let fleet = rig.cluster.fleet().await.unwrap();
    let goals = &fleet.hosts.get(&rig.host.name).expect("the host").goals;
    assert!(goals.keys().eq([&db]));
    let task = fleet.task(&rig.host.name, &web).expect("it goes on");
    assert_eq!(task.state, TaskState::Running);
    assert!(task.error.contains("HIBERNATE"), "{}", task.error);

    // Other jobs come and go, the goal is still there, and nobody takes its job for unused.
    let late = rig.deploy(&job("late")).await;
    rig.until_runs(&late).await;
    rig.undeploy(&db).await;
    rig.host.until_running(2).await;
    rig.until_problems(1).await;
    let refused = rig.cluster.remove_job(&RemoveJob::new(web.clone())).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("still deployed on web1"), "{refused}");
    let stop = SetGoal::new(rig.host.name.clone(), web.clone(), Goal::Stop);
    let refused = rig.cluster.set_goal(&stop).await.unwrap_err().to_string();
    assert!(refused.contains("undeploy the job"), "{refused}");

    // What was told is what helps.
    rig.undeploy(&web).await;
    rig.host.until_running(1).await;
    assert!(rig.until_problems(0).await.is_empty());
    let again = Deploy::new(rig.host.name.clone(), web.clone(), Goal::Start);
    rig.cluster.deploy(&again).await.unwrap();
    rig.until_runs(&web).await;
}
