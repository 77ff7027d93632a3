use std::time::Duration;

use futures_util::future::pending;

use super::super::silent::Silent;
use super::*;
use crate::model::{Goal, TaskState};
use crate::reconcile::Plan;
use crate::runtime::{Container, ContainerId, ContainerState};
use crate::schema::{HistoryEvent, TaskReport};
use crate::store::{Txn, Version};
use crate::time::Timestamp;

const NOW: Moment = Moment::from_millis(60_000);

fn stored<T>(record: T) -> Option<Option<Versioned<T>>> {
    Some(Some(Versioned::new(Version::from_raw(1), record)))
}

/// An agent that saw a presence of that id and incarnation at its host, which is registered for that agent.
fn seeing(id: &str, incarnation: &str, registered_for: &str) -> Running {
    let mut running = Silent::running();
    let (id, incarnation) = (id.to_owned(), incarnation.to_owned());
    running.seen.cluster = stored(ClusterRecord { id: "c".to_owned() });
    running.seen.up = stored(Presence { id, incarnation });
    running.seen.host = stored(HostRecord::new(registered_for, "e"));
    running
}

fn happened(running: &mut Running) {
    let at = Timestamp::from_millis(1);
    let task = TaskReport::new(Goal::Start, TaskState::Running, at);
    let event = HistoryEvent { at, task };
    running.backlog.push(&"web:1".parse().unwrap(), event);
}

#[test]
fn an_agent_speaks_for_its_host_only_while_that_is_its_own_and_it_is_present_there() {
    for (id, incarnation, registered_for, speaks) in [
        ("a1", "i1", "a1", true),
        ("a1", "i0", "a1", false),
        ("a2", "i1", "a1", false),
        ("a1", "i1", "a2", false),
        ("a2", "i2", "a2", false),
    ] {
        let mut running = seeing(id, incarnation, registered_for);
        happened(&mut running);
        running.tell(NOW);
        running.write_history(NOW);
        let spoke = (running.report.is_some(), running.history.is_some());
        assert_eq!(
            spoke,
            (speaks, speaks),
            "{id} {incarnation} {registered_for}"
        );
    }
}

#[test]
fn what_an_agent_writes_rests_on_its_cluster_and_its_registration() {
    let running = seeing("a1", "i1", "a1");
    let first = Version::from_raw(1);
    let host = Keys::host(&running.agent.host);
    let rests = Txn::new().check(Keys::cluster(), first).check(host, first);
    assert_eq!(running.while_registered(), rests);
    assert_eq!(Silent::running().while_registered(), Txn::new());
}

#[test]
fn what_has_to_wait_begins_at_the_very_moment() {
    let later = NOW.plus(Duration::from_secs(1));
    for (not_before, begins) in [(NOW, true), (later, false)] {
        let mut running = seeing("a1", "i1", "a1");
        happened(&mut running);
        running.report_not_before = Some(not_before);
        running.tell(NOW);
        running.history_not_before = Some(not_before);
        running.write_history(NOW);
        let begun = (running.report.is_some(), running.history.is_some());
        assert_eq!(begun, (begins, begins));
        assert_eq!(running.wake, (!begins).then_some(later));

        let mut running = seeing("a1", "i0", "a1");
        running.membership_not_before = Some(not_before);
        running.join(NOW);
        assert_eq!(running.membership.is_some(), begins);
        assert_eq!(running.wake, (!begins).then_some(later));
    }
}

#[test]
fn a_report_is_written_when_it_says_something_new_and_else_once_a_minute() {
    let minute = Duration::from_secs(60);
    let ago = |millis: u64| Moment::from_millis(60_000 - millis);
    for (written, trouble, begins) in [
        (ago(60_000), None, true),
        (ago(59_999), None, false),
        (ago(0), Some("new".to_owned()), true),
    ] {
        let mut running = seeing("a1", "i1", "a1");
        let report = report::of_host(&running.agent, &running.tasks, running.problems());
        running.reported = Some((Arc::new(report), written));
        running.note("store", trouble);
        running.tell(NOW);
        assert_eq!(running.report.is_some(), begins, "{written:?}");
        assert_eq!(running.wake, (!begins).then_some(written.plus(minute)));
    }
}

#[test]
fn what_is_being_written_is_not_begun_again() {
    let mut running = seeing("a1", "i1", "a1");
    happened(&mut running);
    running.history = Some(Box::pin(pending()));
    running.write_history(NOW);
    assert!(!running.backlog.is_empty());
}

#[test]
fn jobs_are_forgotten_with_their_last_task() {
    let mut running = Silent::running();
    let job = Job::new("web:1", "nginx").unwrap();
    running.jobs.insert(job.id.clone(), Arc::new(job));
    running.collect(&Plan::default());
    assert!(running.jobs.is_empty());
}

#[test]
fn what_a_registration_reads_counts_unless_the_watch_told_something_newer() {
    for (looked, known) in [(5, true), (4, false)] {
        let mut running = Silent::running();
        running.seen.host_looks = 5;
        running.joined(Ok(Some((looked, Snapshot::new()))), NOW);
        assert_eq!(running.seen.host.is_some(), known, "after {looked} looks");
        assert_eq!(running.seen.host_looks, 5 + u64::from(known));
    }
}

#[test]
fn only_the_removed_container_is_gone() {
    let container = |id: &str| Container {
        id: ContainerId::new(id),
        name: format!("name of {id}"),
        digest: None,
        labels: BTreeMap::new(),
        state: ContainerState::Running,
        ip: None,
    };
    let mut running = Silent::running();
    running.live.observed.containers = Some(["c1", "c2"].map(container).into_iter().collect());
    let removed = DeadRemoved {
        id: ContainerId::new("c1"),
        outcome: Ok(()),
    };
    running.dead_removed(removed, NOW);
    let left = running.live.observed.containers.unwrap();
    assert!(left.iter().map(|left| left.id.as_str()).eq(["c2"]));
}

#[test]
fn trouble_is_told_until_it_is_over() {
    let mut running = Silent::running();
    for trouble in [Some("one"), Some("one"), Some("another"), None] {
        running.note("store", trouble.map(str::to_owned));
        let told = running.problems.get("store").map(String::as_str);
        assert_eq!(told, trouble);
    }
}
