//! What each operation makes of what is stored: one transaction, or a refusal.

mod deployments;
mod hosts;
mod jobs;

use std::sync::Arc;

use super::*;
use crate::model::{Goal, PortMapping};
use crate::schema::{ClusterRecord, Drain, GoalRecord, NameRecord, OperationIds, Presence, decode};
use crate::store::{Op, Version};
use crate::time::Timestamp;

const V: Version = Version::from_raw(7);

fn stamp() -> Stamp {
    Stamp {
        operation: OperationIds::new("m1").unwrap().next(),
        at: Timestamp::from_millis(60_000),
        principal: "ann".to_owned(),
    }
}

fn job(id: &str) -> Job {
    Job::new(id, "nginx").unwrap().with_computed_id()
}

fn stored_job(job: &Job) -> Option<Versioned<JobRecord>> {
    let record = JobRecord {
        job: Arc::new(job.clone()),
        removing: None,
    };
    Some(Versioned::new(V, record))
}

fn name() -> HostName {
    "web1".parse().unwrap()
}

fn host(jobs: &[&Job]) -> Option<Versioned<HostRecord>> {
    let goal = |job: &Job| GoalRecord {
        job: Arc::new(job.clone()),
        goal: Goal::Start,
        user: Some("bob".to_owned()),
        master: None,
        group: None,
    };
    let record = HostRecord {
        revision: 4,
        goals: jobs.iter().map(|job| (job.id.clone(), goal(job))).collect(),
        ..HostRecord::new("a1", "e")
    };
    Some(Versioned::new(V, record))
}

/// The transaction in one line per operation, without values.
fn outline(txn: &Txn) -> Vec<String> {
    let line = |op: &Op| match op {
        Op::Check { key, version } => format!("check {key} {}", version.as_raw()),
        Op::Create { key, .. } => format!("create {key}"),
        Op::Update { key, version, .. } => format!("update {key} {}", version.as_raw()),
        Op::Delete { key, version } => format!("delete {key} {}", version.as_raw()),
    };
    txn.ops().iter().map(line).collect()
}

/// What the transaction puts at `key`.
fn put<T: serde::de::DeserializeOwned>(txn: &Txn, key: &Key) -> T {
    let value = txn.ops().iter().find_map(|op| match op {
        Op::Create { key: k, value, .. } | Op::Update { key: k, value, .. } if k == key => {
            Some(value)
        }
        _ => None,
    });
    decode(key, value.unwrap()).unwrap()
}

const AUDIT: &str = "audit/0000000001/m1-0";
