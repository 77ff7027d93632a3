//! Chapter "history" of the wire contract.

use helios_core::Timestamp;
use helios_core::model::{HostName, JobId, TaskState};
use helios_core::schema::{HistoryEvent, HistoryRecord, Keys, TaskReport, encode};
use helios_core::store::Txn;
use serde_json::json;

use super::harness::{Master, running, web};
use crate::wire::TaskStatusEvents;

async fn write(master: &Master, host: &HostName, job: &JobId, events: &[(i64, TaskState)]) {
    let event = |&(at, state): &(i64, TaskState)| HistoryEvent {
        at: Timestamp::from_millis(at),
        task: TaskReport { state, ..running() },
    };
    let record = HistoryRecord {
        events: events.iter().map(event).collect(),
    };
    let txn = Txn::new().create(Keys::history(job, host).unwrap(), encode(&record));
    master.cluster.store().commit(txn).await.unwrap();
}

#[tokio::test]
async fn tells_what_happened_on_all_hosts_oldest_first() {
    let master = Master::new().await;
    let id = master.job(web()).await;
    let [n1, n2] = [master.host("n1").await, master.host("n2").await];
    let target = format!("GET /history/jobs/{id}");
    let nothing = json!({"events": [], "status": "OK"});
    master.expect(&target, 200, nothing).await;
    let of_n1 = [(10, TaskState::Creating), (30, TaskState::Running)];
    write(&master, &n1, &id, &of_n1).await;
    write(&master, &n2, &id, &[(20, TaskState::Failed)]).await;
    let answer = master.ask(&target, "").await;
    let read: TaskStatusEvents = serde_json::from_slice(&answer.body).unwrap();
    let told: Vec<_> = read
        .events
        .iter()
        .map(|event| {
            (
                &*event.host,
                event.timestamp.as_millis(),
                event.status.state,
            )
        })
        .collect();
    let expected = [
        ("n1", 10, TaskState::Creating),
        ("n2", 20, TaskState::Failed),
        ("n1", 30, TaskState::Running),
    ];
    assert_eq!(told, expected);
    let task = &answer.json()["events"][0]["status"];
    assert_eq!(
        (&task["job"]["id"], &task["containerId"]),
        (&json!(id), &json!("cid"))
    );
}

#[tokio::test]
async fn a_job_that_is_not_there_has_no_history() {
    let master = Master::new().await;
    let unknown = format!("web:7:{}", "1".repeat(40));
    let absent = json!({"events": [], "status": "JOB_ID_NOT_FOUND"});
    let target = format!("GET /history/jobs/{unknown}");
    master.expect(&target, 200, absent).await;
    let reply = master.ask("GET /history/jobs/web:7", "").await;
    assert_eq!(reply.status, 400);
}
