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
    for (name, up, running) in [("new", true, false), ("left", false, true)] {
        let name = name.parse().unwrap();
        assert_eq!(fleet.is_up(&name), up, "{name}");
        assert_eq!(fleet.is_running(&name, &job().id), running, "{name}");
        assert_eq!(fleet.task(&name, &job().id).is_some(), running, "{name}");
    }
}

#[test]
fn walking_all_hosts_shows_what_asking_for_each_does() {
    let mut tracker = FleetTracker::default();
    let hosts = ["b", "c", "e"].map(|name| (name, host(name, true)));
    let hosts: Vec<_> = hosts.iter().map(|(name, host)| (*name, host)).collect();
    tracker.advance(Part::Hosts, snapshot(&hosts));
    // Others are in between, and some are missing.
    let reports = ["a", "b", "d", "e"].map(|name| (name, report(name)));
    let reports: Vec<_> = reports.iter().map(|(name, said)| (*name, said)).collect();
    tracker.advance(Part::Reports, snapshot(&reports));
    let walked = tracker.view.each();
    let walked: Vec<_> = walked
        .map(|host| (host.name.as_str(), host.report.is_some()))
        .collect();
    assert_eq!(walked, [("b", true), ("c", false), ("e", true)]);
    for (name, has_report) in walked {
        let asked = tracker.view.host(&name.parse().unwrap()).unwrap();
        assert_eq!(asked.report.is_some(), has_report, "{name}");
    }
}

#[test]
fn a_host_changes_with_any_of_its_entries() {
    let hosts = ["a", "b", "c", "d"].map(|name| (name, host(name, false)));
    let hosts: Vec<_> = hosts.iter().map(|(name, host)| (*name, host)).collect();
    let mut tracker = FleetTracker::default();
    tracker.advance(Part::Hosts, snapshot(&hosts));
    let before = tracker.view.clone();
    tracker.advance(Part::Hosts, snapshot(&hosts[1..]));
    let up = Presence {
        id: "b".to_owned(),
        incarnation: "i".to_owned(),
    };
    tracker.advance(Part::Up, snapshot(&[("b", &up)]));
    tracker.advance(Part::Reports, snapshot(&[("c", &report("c"))]));
    let changed = tracker.view.hosts_changed_since(&before);
    assert!(
        changed.iter().map(|name| name.as_str()).eq(["a", "b", "c"]),
        "{changed:?}"
    );
}

#[test]
fn a_host_says_what_of_it_cannot_be_read() {
    let mut tracker = FleetTracker::default();
    let hosts = ["a", "b"].map(|name| (name, host(name, false)));
    let hosts: Vec<_> = hosts.iter().map(|(name, host)| (*name, host)).collect();
    tracker.advance(Part::Hosts, snapshot(&hosts));
    tracker.advance(Part::Up, snapshot(&[("a", &"no presence")]));
    tracker.advance(Part::Reports, snapshot(&[("a", &"no report")]));
    for (name, unread) in [("a", ["up/a", "status/a"].as_slice()), ("b", &[])] {
        let host = tracker.view.host(&name.parse().unwrap()).unwrap();
        let keys = host
            .unread
            .iter()
            .flatten()
            .map(|entry| entry.key.to_string());
        assert!(keys.eq(unread.iter().copied()), "{host:?}");
    }
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

    tracker.advance(Part::Jobs, Snapshot::new());
    assert_eq!(tracker.known.0.len(), 1, "the hosts have it still");
    tracker.advance(Part::Hosts, Snapshot::new());
    tracker.advance(Part::Jobs, Snapshot::new());
    assert!(tracker.known.0.is_empty());
}

#[test]
fn a_job_of_the_same_id_and_another_content_is_not_shared() {
    let mut other = host("b", true);
    let goal = other.goals.get_mut(&job().id).unwrap();
    goal.job = Arc::new(Job {
        image: Some("apache".to_owned()),
        ..(*job()).clone()
    });
    let mut tracker = FleetTracker::default();
    tracker.advance(
        Part::Hosts,
        snapshot(&[("a", &host("a", true)), ("b", &other)]),
    );
    let image = |name: &str| {
        let host = tracker.view.hosts.get(&name.parse().unwrap()).unwrap();
        host.goals[&job().id].job.image.clone().unwrap()
    };
    assert_eq!(
        (image("a"), image("b")),
        ("nginx".to_owned(), "apache".to_owned())
    );
}
