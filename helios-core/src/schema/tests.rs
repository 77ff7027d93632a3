use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::model::{Goal, HostName, Job, JobId, PortMapping, TaskState, ThrottleState};
use crate::time::Timestamp;

fn job() -> Job {
    Job::new("web:7", "nginx:1.27")
        .unwrap()
        .command(["serve", "--quiet"])
        .env("MODE", "live")
        .port("http", PortMapping::tcp(80).external(8080))
        .with_computed_id()
}

fn host() -> HostName {
    "web1.example.net".parse().unwrap()
}

fn goal() -> GoalRecord {
    GoalRecord {
        job: Arc::new(job()),
        goal: Goal::Start,
        user: Some("ann".to_owned()),
        master: None,
        group: None,
    }
}

fn mark() -> GroupMark {
    GroupMark {
        group: "m1-7".to_owned(),
        rollout: "m1-9".to_owned(),
        step: 2,
    }
}

fn stamp() -> Stamp {
    Stamp {
        operation: OperationIds::new("m1").unwrap().next(),
        at: Timestamp::from_millis(1_700_000_000_123),
        principal: "ann".to_owned(),
    }
}

/// The record is stored as the golden file says, and read back from it, also with members that a
/// later writer adds.
fn check<T>(record: &T, golden: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let golden = golden.trim_end();
    let stored = encode(record);
    assert_eq!(std::str::from_utf8(&stored).unwrap(), golden);
    let key = Keys::cluster();
    assert_eq!(decode::<T>(&key, golden.as_bytes()).unwrap(), *record);
    let later = golden.replacen('{', r#"{"addedLater":[1],"#, 1);
    assert_eq!(decode::<T>(&key, later.as_bytes()).unwrap(), *record);
}

#[test]
fn values_are_stored_as_the_golden_files_say() {
    let id = "c1".to_owned();
    check(&ClusterRecord { id }, include_str!("golden/cluster.json"));
    let record = JobRecord {
        job: Arc::new(job()),
        removing: None,
    };
    check(&record, include_str!("golden/job.json"));
    let record = NameRecord { id: job().id };
    check(&record, include_str!("golden/name.json"));
    let record = RemovalRecord {
        job: job().id,
        at: stamp().at,
    };
    check(&record, include_str!("golden/removed.json"));
    let record = HostRecord {
        agent_id: "a1".to_owned(),
        epoch: "m1-0".to_owned(),
        revision: 3,
        goals: [(job().id, goal())].into_iter().collect(),
        drain: None,
        groups: [("front".to_owned(), mark())].into(),
    };
    check(&record, include_str!("golden/host.json"));
    let drained = HostRecord {
        drain: Some(Drain {
            by: "spring".to_owned(),
            id: "spring.1700000000123.1".to_owned(),
            since: Timestamp::from_millis(1_700_000_000_123),
            reset: Some("b1".to_owned()),
        }),
        goals: Goals::default(),
        groups: BTreeMap::new(),
        ..record
    };
    check(&drained, include_str!("golden/host_drained.json"));
    let presence = Presence {
        id: "a1".to_owned(),
        incarnation: "i1".to_owned(),
    };
    check(&presence, include_str!("golden/presence.json"));
    let record = AuditRecord::new(&stamp(), "deploy")
        .job(&job().id)
        .host(&host())
        .detail("START");
    check(&record, include_str!("golden/audit.json"));
}

#[test]
fn a_report_is_stored_as_the_golden_file_says() {
    let task = TaskReport {
        goal: Goal::Start,
        state: TaskState::Running,
        container_id: Some("5a31d4fd48b5".to_owned()),
        throttled: ThrottleState::No,
        ports: job().ports,
        error: "it ended with code 1".to_owned(),
        restarts: 2,
        last_exit: Some(LastExit {
            code: 1,
            out_of_memory: false,
        }),
        since: Timestamp::from_millis(1_700_000_000_123),
    };
    let report = HostReport {
        agent_id: "a1".to_owned(),
        tasks: [(job().id, task)].into(),
        host_info: None,
        agent_info: None,
        labels: [("role".to_owned(), "web".to_owned())].into(),
        environment: [("ZONE".to_owned(), "a".to_owned())].into(),
        problems: vec!["the disk is full".to_owned()],
        http: Some("http://127.0.0.1:5803".to_owned()),
    };
    check(&report, include_str!("golden/report.json"));
    let at = Timestamp::from_millis(1_700_000_000_456);
    let events = report.tasks.into_values();
    let history = HistoryRecord {
        events: events.map(|task| HistoryEvent { at, task }).collect(),
    };
    check(&history, include_str!("golden/history.json"));
}

#[test]
fn keys_are_spelled_as_the_golden_file_says() {
    let (id, host, stamp) = (job().id, host(), stamp());
    let keys = [
        Keys::cluster(),
        Keys::jobs(),
        Keys::job(&id).unwrap(),
        Keys::job_name(&id).unwrap(),
        Keys::removals(),
        Keys::removal(&stamp.operation),
        Keys::hosts(),
        Keys::host(&host),
        Keys::ups(),
        Keys::up(&host),
        Keys::masters(),
        Keys::master("m1.example.net").unwrap(),
        Keys::reports(),
        Keys::report(&host),
        Keys::histories(&id).unwrap(),
        Keys::history(&id, &host).unwrap(),
        Keys::groups(),
        Keys::group("web").unwrap(),
        Keys::variables(),
        Keys::variable("docker.version").unwrap(),
        Keys::rollout("docker.version").unwrap(),
        Keys::rollout_page("docker.version", "m1-7", 12).unwrap(),
        Keys::followers(),
        Keys::follower(&host),
        Keys::resets(),
        Keys::reset("november").unwrap(),
        Keys::robustness("november").unwrap(),
        Keys::trail_page("november", 12).unwrap(),
        Keys::tokens(),
        Keys::token("ci").unwrap(),
        Keys::absences(),
        Keys::absence(&host),
        Keys::audit_of(stamp.at),
        Keys::audit(stamp.at, &stamp.operation),
    ];
    let keys = keys.map(|key| format!("{key}\n")).concat();
    assert_eq!(keys, include_str!("golden/keys.txt"));
}

#[test]
fn the_longest_names_fit_a_key() {
    let label = "a".repeat(63);
    let longest = [label.as_str(), &label, &label, &"b".repeat(61)].join(".");
    let host: HostName = longest.parse().unwrap();
    assert_eq!(Keys::host(&host).name(), longest);
    let operation = OperationIds::new("x".repeat(128)).unwrap().next();
    let end = Timestamp::from_millis(i64::MAX);
    assert_eq!(Keys::audit(end, &operation).name(), operation.as_str());
    assert_eq!(
        Keys::audit_of(Timestamp::from_millis(i64::MIN)).name(),
        "0000000000"
    );
}

#[test]
fn what_could_leave_its_place_is_no_key() {
    for text in ["a/b:1", "..:1:x/..", "a b:1", "é:1"] {
        let id: JobId = text.parse().unwrap();
        assert!(Keys::job(&id).is_err(), "{text}");
    }
    assert!(Keys::master("../jobs").is_err());
    for incarnation in ["", "a/b", "..", &"x".repeat(129)] {
        assert!(OperationIds::new(incarnation).is_err(), "{incarnation}");
    }
}

#[test]
fn operation_ids_are_never_given_twice() {
    let ids = OperationIds::new("m1").unwrap();
    assert_eq!([ids.next().as_str(), ids.next().as_str()], ["m1-0", "m1-1"]);
    let (one, other) = (
        OperationIds::random().unwrap(),
        OperationIds::random().unwrap(),
    );
    assert_ne!(one.next(), other.next());
}

#[test]
fn what_cannot_be_read_names_its_key() {
    let key = Keys::host(&host());
    let error = decode::<HostRecord>(&key, b"{}").unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(error.key(), Some(&key));
    assert!(
        error.to_string().contains("hosts/web1.example.net"),
        "{error}"
    );
}
