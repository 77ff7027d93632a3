//! Looking again at hosts that changed, and at no others.

use std::sync::Arc;

use futures_util::StreamExt;
use helios_core::cluster::FleetView;
use helios_core::model::{Goal, Job, TaskState};
use helios_core::schema::{GoalRecord, HostRecord, HostReport, Keys, Presence, TaskReport, encode};
use helios_core::store::{Store, Txn};
use helios_core::{Cluster, HostName, Timestamp};
use helios_rollout::reset::{Lookout, Sights};
use helios_store::MemoryStore;

use crate::fleet::name;

/// A store with hosts, without masters or agents.
struct Hosts(MemoryStore);

impl Hosts {
    async fn put<T: serde::Serialize>(&self, key: helios_core::store::Key, value: &T) {
        let found = self.0.get(&key).await.unwrap();
        let txn = match found {
            Some(entry) => Txn::new().update(key, entry.version, encode(value)),
            None => Txn::new().create(key, encode(value)),
        };
        self.0.commit(txn).await.unwrap();
    }

    async fn delete(&self, key: helios_core::store::Key) {
        let version = self.0.get(&key).await.unwrap().unwrap().version;
        self.0
            .commit(Txn::new().delete(key, version))
            .await
            .unwrap();
    }

    /// The host has these jobs, and reports the first `well` of them as running.
    async fn host(&self, host: &HostName, role: &str, jobs: &[&str], well: usize) {
        let mut record = HostRecord::new(format!("agent-{host}"), "e");
        let mut report = HostReport {
            agent_id: record.agent_id.clone(),
            labels: [("role".to_owned(), role.to_owned())].into(),
            ..HostReport::default()
        };
        for (number, job) in jobs.iter().enumerate() {
            let job = Arc::new(Job::new(job, "i").unwrap().with_computed_id());
            let id = job.id.clone();
            let goal = GoalRecord {
                job,
                goal: Goal::Start,
                user: None,
                master: None,
                group: None,
            };
            record.goals.insert(id.clone(), goal);
            if number < well {
                let since = Timestamp::from_millis(0);
                let task = TaskReport::new(Goal::Start, TaskState::Running, since);
                report.tasks.insert(id, task);
            }
        }
        self.put(Keys::host(host), &record).await;
        self.put(Keys::report(host), &report).await;
        let presence = Presence {
            id: record.agent_id,
            incarnation: "i".to_owned(),
        };
        self.put(Keys::up(host), &presence).await;
    }
}

#[tokio::test]
async fn a_second_look_sees_what_a_first_one_would() {
    let hosts = Hosts(MemoryStore::new());
    let cluster = Cluster::on(Arc::new(hosts.0.clone())).unwrap();
    let mut views = cluster.watch_fleet();
    let mut lookout = Lookout::default();
    let [one, two, three] = ["web-1", "web-2", "web-3"].map(name);
    hosts.host(&one, "web", &["front:1", "log:1"], 2).await;
    hosts.host(&two, "web", &["front:1"], 1).await;
    for change in 0..9 {
        match change {
            0 => {}
            1 => hosts.host(&one, "web", &["front:1", "log:1"], 0).await,
            2 => hosts.host(&one, "web", &["front:2", "log:1"], 2).await,
            3 => hosts.host(&two, "web", &["front:1", "sql:1"], 2).await,
            4 => hosts.host(&two, "web", &["front:1"], 1).await,
            5 => hosts.host(&two, "db", &["front:1", "sql:1"], 1).await,
            6 => hosts.delete(Keys::up(&one)).await,
            7 => hosts.host(&three, "web", &["front:1"], 1).await,
            _ => hosts.delete(Keys::host(&one)).await,
        }
        let fresh = cluster.fleet().await.unwrap();
        let fresh = Sights::of(&fresh).unwrap();
        let mut seen = Vec::new();
        while seen.last() != Some(&fresh) {
            let view: FleetView = views.next().await.unwrap().unwrap();
            let again = lookout.look(&view).unwrap();
            assert_eq!(again, Sights::of(&view).unwrap(), "after change {change}");
            seen.push(again);
            assert!(seen.len() < 20, "change {change} is not seen");
        }
    }
}
