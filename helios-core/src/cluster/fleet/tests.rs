use super::*;
use crate::model::{Goal, TaskState};
use crate::schema::encode;
use crate::store::{Entry, Version};
use crate::time::Timestamp;
use serde::Serialize;

fn snapshot<T: Serialize>(records: &[(&str, &T)]) -> Snapshot {
    let entry = |record: &&T| Entry {
        value: encode(*record),
        version: Version::from_raw(1),
    };
    records
        .iter()
        .map(|(name, record)| (*name, entry(record)))
        .collect()
}

fn job() -> Arc<Job> {
    Arc::new(Job::new("web:7", "nginx").unwrap().with_computed_id())
}

fn host(agent_id: &str, deployed: bool) -> HostRecord {
    let goal = GoalRecord {
        job: job(),
        goal: Goal::Start,
        user: None,
        master: None,
        group: None,
    };
    HostRecord {
        goals: deployed
            .then(|| (job().id.clone(), goal))
            .into_iter()
            .collect(),
        ..HostRecord::new(agent_id, "e")
    }
}

fn report(agent_id: &str) -> HostReport {
    let task = TaskReport::new(Goal::Start, TaskState::Running, Timestamp::from_millis(0));
    HostReport {
        agent_id: agent_id.to_owned(),
        tasks: [(job().id.clone(), task)].into(),
        ..HostReport::default()
    }
}

fn fleet() -> FleetView {
    let stored = JobRecord {
        job: job(),
        removing: None,
    };
    let up = |id: &str| Presence {
        id: id.to_owned(),
        incarnation: "i".to_owned(),
    };
    let mut tracker = FleetTracker::default();
    tracker.advance(Part::Jobs, snapshot(&[(job().id.as_str(), &stored)]));
    let hosts = [("new", &host("a1", true)), ("left", &host("a2", false))];
    tracker.advance(Part::Hosts, snapshot(&hosts));
    tracker.advance(
        Part::Up,
        snapshot(&[("new", &up("a1")), ("left", &up("other"))]),
    );
    let reports = [("left", &report("a2")), ("new", &report("other"))];
    tracker.advance(Part::Reports, snapshot(&reports));
    assert!(tracker.view().is_none(), "the masters were not seen yet");
    let none = Snapshot::new();
    assert!(
        tracker.advance(Part::Masters, none.clone()),
        "the first look is news"
    );
    assert!(!tracker.advance(Part::Masters, none));
    tracker.view().unwrap()
}

#[test]
fn only_the_hosts_own_agent_counts() {
    let fleet = fleet();
    let new = fleet.host(&"new".parse().unwrap()).unwrap();
    assert!(new.up && new.report.is_none());
    let left = fleet.host(&"left".parse().unwrap()).unwrap();
    assert!(!left.up && left.report.is_some());
    assert!(fleet.host(&"other".parse().unwrap()).is_none());
}

#[test]
fn a_job_is_followed_from_its_deployment_to_its_last_report() {
    let fleet = fleet();
    let status = fleet.job_status(&job().id).unwrap();
    let names = |names: Vec<&&HostName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(status.deployments.keys().collect()), ["new"]);
    assert_eq!(names(status.tasks.keys().collect()), ["left"]);
    let unknown = "db:1".parse().unwrap();
    assert!(fleet.job_status(&unknown).is_none());
    assert_eq!(fleet.job_statuses([&job().id, &unknown]).len(), 1);
}

#[test]
fn a_job_is_in_memory_once_however_many_hosts_have_it() {
    let goal = || host("a", true).goals.remove(&job().id).unwrap();
    let stored = JobRecord {
        job: job(),
        removing: None,
    };
    let records: Vec<_> = ["h1", "h2"].map(|name| (name, host(name, true))).into();
    let hosts: Vec<_> = records.iter().map(|(name, host)| (*name, host)).collect();
    let mut tracker = FleetTracker::default();
    tracker.advance(Part::Hosts, snapshot(&hosts));
    tracker.advance(Part::Jobs, snapshot(&[(job().id.as_str(), &stored)]));
    let view = &tracker.view;
    let of = |name: &str| {
        let host = view.hosts.get(&name.parse().unwrap()).unwrap();
        Arc::clone(&host.goals[&job().id].job)
    };
    assert!(Arc::ptr_eq(&of("h1"), &of("h2")));
    let job = &view.jobs.get(&job().id).unwrap().job;
    assert!(Arc::ptr_eq(&of("h1"), job) && of("h1") == goal().job);

    tracker.advance(Part::Hosts, Snapshot::new());
    tracker.advance(Part::Jobs, Snapshot::new());
    assert!(tracker.known.0.is_empty());
}
