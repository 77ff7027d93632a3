use std::collections::BTreeMap;

use crate::model::{Job, PortMapping};
use crate::reconcile::Health;
use crate::runtime::{ContainerSpec, Exit};

use super::*;

const NOW: Moment = Moment::from_millis(0);

fn job(id: &str) -> Job {
    Job::new(id, "nginx").unwrap()
}

/// The container of a job, just made.
fn made(job: &JobId) -> Container {
    let policy = Policy::for_host("n1");
    Container {
        id: ContainerId::new(format!("of {job}")),
        name: container_name(&policy.namespace, job),
        digest: None,
        labels: [(JOB_LABEL.to_owned(), job.to_string())].into(),
        state: ContainerState::Created { error: None },
        ip: None,
    }
}

fn remembered<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Remembered {
    let goal = |job: &Job| {
        let goal = GoalRecord {
            job: Arc::new(job.clone()),
            goal: Goal::Start,
            user: None,
            master: None,
            group: None,
        };
        (job.id.clone(), goal)
    };
    Remembered {
        goals: jobs.into_iter().map(goal).collect(),
        ..Remembered::default()
    }
}

fn live(remembered: Remembered) -> Live {
    Live::new(remembered, Policy::for_host("n1"))
}

fn done(job: &JobId, action: Action, outcome: Result<Option<ContainerId>, RuntimeError>) -> Done {
    Done {
        job: job.clone(),
        action,
        outcome,
    }
}

fn wanted(live: &Live) -> Vec<&str> {
    live.desired.tasks.keys().map(JobId::name).collect()
}

/// An engine that shows nothing of a container which it is starting made the agent create it again. The answer then
/// hid the address that a look had told meanwhile, and health checks waited for it for ever.
#[test]
fn a_create_that_finds_what_runs_hides_nothing_of_it() {
    let job = job("web:1").id;
    let found = Container {
        state: ContainerState::Running,
        ip: Some([172, 17, 0, 2].into()),
        ..made(&job)
    };
    let mut live = live(Remembered::default());
    live.see(Ok([found.clone()].into_iter().collect()), NOW);
    let spec = ContainerSpec::default();
    let create = Action::Create(spec.into());
    live.done(&done(&job, create, Ok(Some(found.id.clone()))), NOW);
    live.done(&done(&job, Action::Start(found.id.clone()), Ok(None)), NOW);
    assert_eq!(live.observed.container(&found.name), Some(&found));
}

/// A look during a start made the agent create again what it had just started.
#[test]
fn a_look_that_lacks_what_is_being_started_forgets_nothing() {
    let job = job("web:1").id;
    let made = made(&job);
    let mut live = live(Remembered::default());
    live.see(Ok([made.clone()].into_iter().collect()), NOW);
    live.begin(&job, Verb::Start);
    live.see(Ok(Containers::default()), NOW);
    assert_eq!(live.observed.container(&made.name), Some(&made));
    live.done(&done(&job, Action::Start(made.id.clone()), Ok(None)), NOW);
    let known = live.observed.container(&made.name).unwrap();
    assert_eq!(known.state, ContainerState::Running);
    live.see(Ok(Containers::default()), NOW);
    assert_eq!(live.observed.container(&made.name), None);
}

/// It was kept when it was dead, and ran beside the fresh container when a start of it took effect at last.
#[test]
fn a_create_that_finds_what_may_still_be_started_leaves_it_in_doubt() {
    let job = job("web:1").id;
    let id = made(&job).id;
    let mut live = live(Remembered::default());
    let create = || Action::Create(ContainerSpec::default().into());
    let settled = |live: &Live| live.observed.memories.get(&job).unwrap().settled;
    live.done(&done(&job, create(), Ok(Some(id.clone()))), NOW);
    assert!(settled(&live));
    let failed = RuntimeError::new(RuntimeErrorKind::TimedOut, "it hangs");
    live.done(&done(&job, Action::Start(id.clone()), Err(failed)), NOW);
    live.done(&done(&job, create(), Ok(Some(id.clone()))), NOW);
    live.done(&done(&job, Action::Start(id), Ok(None)), NOW);
    assert!(!settled(&live));
    let other = ContainerId::new("other");
    live.done(&done(&job, create(), Ok(Some(other))), NOW);
    assert!(settled(&live));
}

#[test]
fn what_an_action_changed_is_known_before_anybody_looks() {
    let job = job("web:1").id;
    let made = made(&job);
    let mut live = live(Remembered::default());
    live.see(Ok(Containers::default()), NOW);
    let mut state_after = |action, outcome| {
        live.done(&done(&job, action, outcome), NOW);
        let known = live.observed.container(&made.name);
        known.map(|known| known.state.clone())
    };
    let id = || made.id.clone();
    let create = Action::Create(ContainerSpec::default().into());
    let created = Some(ContainerState::Created { error: None });
    assert_eq!(state_after(create, Ok(Some(id()))), created);
    let running = Some(ContainerState::Running);
    assert_eq!(state_after(Action::Start(id()), Ok(None)), running);
    let stop = Action::Stop(id(), std::time::Duration::ZERO);
    let exited = Some(ContainerState::Exited(Exit::default()));
    assert_eq!(state_after(stop, Ok(None)), exited);
    // Of another container than the one that has the name nothing is known to be renamed.
    let other = Action::Keep(ContainerId::new("other"), "kept".to_owned());
    assert_eq!(state_after(other, Ok(None)), exited);
    let keep = Action::Keep(id(), "kept".to_owned());
    assert_eq!(state_after(keep, Ok(None)), None);
    let kept = live.observed.container("kept").map(|kept| &kept.id);
    assert_eq!(kept, Some(&made.id));
    live.see(Ok([made.clone()].into_iter().collect()), NOW);
    live.done(&done(&job, Action::Remove(id()), Ok(None)), NOW);
    assert_eq!(live.observed.container(&made.name), None);
}

#[test]
fn what_cannot_be_started_because_it_is_gone_is_known_to_be_gone() {
    let job = job("web:1").id;
    let made = made(&job);
    for (kind, is_there) in [
        (RuntimeErrorKind::NotFound, false),
        (RuntimeErrorKind::PortInUse, true),
    ] {
        let mut live = live(Remembered::default());
        live.see(Ok([made.clone()].into_iter().collect()), NOW);
        let failed = Err(RuntimeError::new(kind, "no"));
        live.done(&done(&job, Action::Start(made.id.clone()), failed), NOW);
        assert_eq!(live.observed.container(&made.name).is_some(), is_there);
    }
}

#[test]
fn of_goals_that_cannot_be_stored_only_what_was_wanted_before_is_followed() {
    let (web, db, new) = (job("web:1"), job("db:1"), job("new:1"));
    let mut live = live(remembered([&web, &db]));
    assert!(!live.is_confirmed());
    live.confirm();
    assert!(live.is_confirmed());
    let before = live.follow(remembered([&web, &new]));
    assert!(live.desired.complete);
    live.doubt(before);
    assert_eq!(wanted(&live), ["web"]);
    assert!(!live.is_confirmed() && !live.desired.complete);
    live.recall();
    assert_eq!(wanted(&live), ["db", "web"]);
}

#[test]
fn what_is_remembered_is_followed_where_goals_of_an_unknown_cluster_say_the_same() {
    let (web, db) = (job("web:1"), job("db:1"));
    let mut live = live(remembered([&web, &db]));
    live.suspect(&remembered([&web]));
    assert_eq!(wanted(&live), ["web"]);
    live.suspect(&remembered([&db]));
    assert_eq!(wanted(&live), ["db"]);
    live.recall();
    assert_eq!(wanted(&live), ["db", "web"]);
}

#[test]
fn the_ports_of_a_job_are_those_of_its_lease() {
    let mut web = job("web:1");
    web.ports.insert("http".to_owned(), PortMapping::tcp(80));
    let mut remembered = remembered([&web]);
    let lease: BTreeMap<String, u16> =
        [("http".to_owned(), 20_001), ("gone".to_owned(), 20_002)].into();
    remembered.leases = Arc::new([(web.id.clone(), lease.into())].into_iter().collect());
    let live = live(remembered);
    assert_eq!(live.host_ports(&web.id), [(Protocol::Tcp, 20_001)]);
}

#[test]
fn what_is_neither_wanted_nor_here_nor_under_way_is_forgotten() {
    let (web, gone, here, busy) = (job("web:1"), job("gone:1"), job("here:1"), job("busy:1"));
    let mut live = live(remembered([&web]));
    live.see(Ok([made(&here.id)].into_iter().collect()), NOW);
    for job in [&web, &gone, &here, &busy] {
        live.observed.memories.entry(job.id.clone()).or_default();
    }
    live.begin(&busy.id, Verb::Remove);
    live.forget();
    let known: Vec<_> = live.observed.memories.keys().map(JobId::name).collect();
    assert_eq!(known, ["busy", "here", "web"]);
}

#[test]
fn a_container_is_the_jobs_whose_name_it_has_if_its_labels_do_not_say() {
    let (web, old) = (job("web:1"), job("old:1"));
    let mut live = live(remembered([&web]));
    live.observed.memories.entry(old.id.clone()).or_default();
    for job in [&web, &old] {
        assert_eq!(live.job_of(&made(&job.id).name), Some(job.id.clone()));
    }
    assert_eq!(live.job_of("another"), None);
}

#[test]
fn a_look_at_the_health_of_a_job_is_under_way_until_it_tells() {
    let job = job("web:1").id;
    let container = ContainerId::new("c1");
    let mut live = live(Remembered::default());
    let memory = live.observed.memories.entry(job.clone()).or_default();
    memory.run = Some((container.clone(), NOW));
    memory.health = Some(Health {
        container: container.clone(),
        well: false,
        failures: 0,
        next: NOW,
        looking: false,
        error: String::new(),
    });
    let health = |live: &Live| live.observed.memories[&job].health.clone().unwrap();
    live.begin_look(&job);
    assert!(health(&live).looking);
    let looked = Looked {
        job: job.clone(),
        container,
        outcome: Ok(()),
    };
    live.looked(&looked, NOW);
    assert!(health(&live).well && !health(&live).looking);
}
