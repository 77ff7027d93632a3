//! What holds for any host, however it came to be as it is: also for what no history would lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{HealthCheck, Job, PortMapping};
use crate::runtime::{
    Container, ContainerId, ContainerState, Containers, Exit, Protocol, RuntimeError,
    RuntimeErrorKind, SpecDigest,
};

/// How many jobs there are; the last one is never wanted.
const JOBS: usize = 5;

/// One of the jobs: with a port of any number, with a fixed one, with the same one, with a health check, plain.
fn job(number: usize) -> Job {
    let job = Job::new(&format!("j{number}:1"), "busybox").unwrap();
    let job = match number {
        0 => job.port("p", PortMapping::tcp(80)),
        1 | 2 => job.port("p", PortMapping::tcp(80).external(20_001)),
        3 => job.health_check(HealthCheck::exec(["true"])),
        _ => job,
    };
    job.with_computed_id()
}

fn goal() -> impl Strategy<Value = Goal> {
    prop_oneof![Just(Goal::Start), Just(Goal::Stop), Just(Goal::Undeploy)]
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::Pull),
        Just(Verb::AbandonPull),
        Just(Verb::Create),
        Just(Verb::Start),
        Just(Verb::Stop),
        Just(Verb::Keep),
        Just(Verb::Remove)
    ]
}

fn outcome() -> impl Strategy<Value = Option<RuntimeErrorKind>> {
    prop::option::of(prop_oneof![
        Just(RuntimeErrorKind::ImageUnknown),
        Just(RuntimeErrorKind::PortInUse),
        Just(RuntimeErrorKind::NotFound),
        Just(RuntimeErrorKind::TimedOut),
        Just(RuntimeErrorKind::Failed),
    ])
}

fn state() -> impl Strategy<Value = ContainerState> {
    prop_oneof![
        prop::option::of("no port").prop_map(|error| ContainerState::Created { error }),
        Just(ContainerState::Running),
        any::<i64>().prop_map(|code| ContainerState::Exited(Exit {
            code,
            ..Exit::default()
        })),
        Just(ContainerState::Removing),
    ]
}

/// A container of a job: its state, whether it was made from today's orders, whether its labels say whose it is.
fn container() -> impl Strategy<Value = Option<(ContainerState, bool, bool)>> {
    prop::option::weighted(0.7, (state(), any::<bool>(), prop::bool::weighted(0.9)))
}

/// What became of a task before: how its actions ended, and one that is under way.
#[derive(Clone, Debug)]
struct Past {
    ended: Vec<(Verb, Option<RuntimeErrorKind>)>,
    under_way: Option<Verb>,
    well: Option<bool>,
}

fn past() -> impl Strategy<Value = Past> {
    (
        prop::collection::vec((verb(), outcome()), 0..4),
        prop::option::weighted(0.3, verb()),
        any::<Option<bool>>(),
    )
        .prop_map(|(ended, under_way, well)| Past {
            ended,
            under_way,
            well,
        })
}

fn built(
    number: usize,
    (state, is_current, has_labels): (ContainerState, bool, bool),
    policy: &Policy,
) -> Container {
    let job = job(number);
    let spec = container_spec(&job, &BTreeMap::new(), policy);
    Container {
        id: ContainerId::new(format!("c{number}")),
        name: container_name(&policy.namespace, &job.id),
        digest: Some(if is_current {
            spec.digest()
        } else {
            SpecDigest::from_text("old")
        }),
        labels: if has_labels {
            spec.labels
        } else {
            BTreeMap::new()
        },
        state,
        ip: None,
    }
}

/// A dead container of a job that is only kept.
fn kept_before(number: usize, policy: &Policy) -> Container {
    let ended = ContainerState::Exited(Exit::default());
    let dead = Container {
        id: ContainerId::new(format!("kept{number}")),
        ..built(number, (ended, true, true), policy)
    };
    Container {
        name: super::dead::kept_name(&dead),
        ..dead
    }
}

prop_compose! {
    /// Any host: what is wanted of it, what is there, what is remembered, and how late it is.
    fn host()(
        goals in prop::collection::vec(prop::option::of(goal()), JOBS - 1),
        complete in any::<bool>(),
        engine_is_there in prop::bool::weighted(0.9),
        there in prop::collection::vec(container(), JOBS),
        pasts in prop::collection::vec(past(), JOBS),
        leased in prop::collection::vec(prop::option::of(20_000_u16..20_004), JOBS),
        frozen in any::<bool>(),
        in_use in prop::collection::btree_set(20_000_u16..20_004, 0..3),
        keep in 0_usize..2,
        kept in prop::collection::btree_set(0..JOBS, 0..3),
        late in 0_u64..400_000,
    ) -> (Desired, Observed, Moment) {
        let mut policy = Policy::for_host("web1");
        policy.keep_dead.of_each_job = keep;
        let mut desired = Desired::new(policy);
        for (number, goal) in goals.into_iter().enumerate() {
            if let Some(goal) = goal {
                desired = desired.with(job(number), goal);
            }
        }
        desired.complete = complete;
        let policy = Arc::clone(&desired.policy);
        let mut containers = Containers::new();
        for (number, container) in there.into_iter().enumerate() {
            if let Some(container) = container {
                containers.insert(built(number, container, &policy));
            }
        }
        for number in kept {
            containers.insert(kept_before(number, &policy));
        }
        let mut observed = Observed {
            leases_frozen: frozen,
            ports_in_use: in_use.into_iter().map(|port| (Protocol::Tcp, port)).collect(),
            ..Observed::default()
        };
        let mut taken = BTreeSet::new();
        let leases = leased.into_iter().enumerate().filter_map(|(number, port)| {
            let port = port.filter(|port| taken.insert(*port))?;
            let ports = BTreeMap::from([("p".to_owned(), port)]);
            (number < 3).then(|| (job(number).id, Arc::new(ports)))
        });
        observed.leases = Arc::new(leases.collect());
        let mut now = Moment::default();
        for (number, past) in pasts.into_iter().enumerate() {
            let id = job(number).id;
            let name = container_name(&policy.namespace, &id);
            let memory = observed.memories.entry(id.clone()).or_default();
            for (verb, error) in past.ended {
                let error = error.map(|kind| RuntimeError::new(kind, "it failed"));
                memory.done(&id, verb, error.as_ref().map_or(Ok(()), Err), &policy, now);
                let container = ContainerId::new(format!("c{number}"));
                match (verb, error) {
                    (Verb::Create, None) => memory.created(&container),
                    (Verb::Start, Some(_)) => memory.doubted(&container),
                    _ => {}
                }
                now = now.plus(Duration::from_millis(700));
            }
            memory.see(&id, containers.get(&name), &policy, now);
            if let Some(well) = past.well {
                let container = ContainerId::new(format!("c{number}"));
                memory.looked(&container, well.then_some(()).ok_or("unwell"), &policy, now);
            }
            memory.under_way = past.under_way;
        }
        observed.containers = engine_is_there.then_some(containers);
        (desired, observed, now.plus(Duration::from_millis(late)))
    }
}

fn by_id<'a>(observed: &'a Observed, id: &ContainerId) -> &'a Container {
    let mut all = observed.containers.iter().flat_map(Containers::iter);
    all.find(|container| container.id == *id)
        .expect("what is acted on is there")
}

proptest! {
    /// The same arguments give the same plan, in which each task has one line and at most one action, and none
    /// while another one is under way, but for a pull that is not wanted any more.
    #[test]
    fn a_plan_is_a_function_with_one_action_for_a_task((desired, observed, now) in host()) {
        let plan = reconcile(&desired, &observed, now);
        let again = reconcile(&desired, &observed, now);
        prop_assert_eq!(format!("{plan:?}"), format!("{again:?}"));
        let lines: BTreeSet<_> = plan.tasks.iter().map(|line| &line.job).collect();
        prop_assert_eq!(lines.len(), plan.tasks.len());
        for line in &plan.tasks {
            let under_way = observed.memories.get(&line.job).and_then(|memory| memory.under_way);
            match (&line.action, under_way) {
                (Some(Action::AbandonPull), under_way) => prop_assert_eq!(under_way, Some(Verb::Pull)),
                (Some(_), under_way) => prop_assert_eq!(under_way, None),
                (None, _) => {}
            }
        }
        let wanted = desired.tasks.iter().filter(|(_, task)| task.goal != Goal::Undeploy);
        for (id, _) in wanted {
            prop_assert!(plan.task(id).is_some(), "{} has a line", id);
        }
    }

    /// What exists is not made, what runs is not started, and only what is wanted is either.
    #[test]
    fn nothing_is_made_or_started_twice_or_unwanted((desired, observed, now) in host()) {
        for line in reconcile(&desired, &observed, now).tasks {
            let goal = desired.tasks.get(&line.job).map(|task| task.goal);
            match &line.action {
                Some(Action::Pull(_)) => prop_assert_eq!(goal, Some(Goal::Start)),
                Some(Action::Create(spec)) => {
                    prop_assert_eq!(goal, Some(Goal::Start));
                    prop_assert!(observed.containers.is_some(), "the engine can be read");
                    prop_assert!(observed.container(&spec.name).is_none());
                }
                Some(Action::Start(id)) => {
                    prop_assert_eq!(goal, Some(Goal::Start));
                    let is_made = matches!(by_id(&observed, id).state, ContainerState::Created { .. });
                    prop_assert!(is_made);
                }
                _ => {}
            }
        }
    }

    /// What runs is stopped only by goals that are all known and do not want it; what is removed does not run.
    #[test]
    fn nothing_is_stopped_that_was_not_told_to((desired, observed, now) in host()) {
        for line in reconcile(&desired, &observed, now).tasks {
            let goal = desired.tasks.get(&line.job).map(|task| task.goal);
            match &line.action {
                Some(Action::Stop(id, _)) => {
                    prop_assert!(desired.complete);
                    prop_assert_ne!(goal, Some(Goal::Start));
                    prop_assert_eq!(&by_id(&observed, id).state, &ContainerState::Running);
                }
                Some(Action::Remove(id)) => {
                    prop_assert!(desired.complete || goal == Some(Goal::Start));
                    prop_assert_ne!(goal, Some(Goal::Stop));
                    prop_assert_ne!(&by_id(&observed, id).state, &ContainerState::Running);
                }
                Some(Action::Keep(id, _)) => {
                    prop_assert_eq!(goal, Some(Goal::Start));
                    let ended = matches!(by_id(&observed, id).state, ContainerState::Exited(_));
                    prop_assert!(ended);
                }
                _ => {}
            }
        }
    }

    /// What does not say whose it is, and does not have the name of a task, is nobody's business.
    #[test]
    fn what_is_not_known_is_not_touched((desired, observed, now) in host()) {
        for line in reconcile(&desired, &observed, now).tasks {
            let Some(
                Action::Start(id) | Action::Stop(id, _) | Action::Keep(id, _) | Action::Remove(id),
            ) = &line.action
            else {
                continue;
            };
            let container = by_id(&observed, id);
            prop_assert!(!is_kept(container));
            let is_labelled = container.labels.contains_key(JOB_LABEL);
            let is_a_task = desired.tasks.values().any(|task| task.container == container.name);
            prop_assert!(is_labelled || is_a_task);
        }
    }

    /// A port has one task, and what cannot be stored is not leased.
    #[test]
    fn a_port_is_leased_once_and_never_while_leases_cannot_be_stored((desired, observed, now) in host()) {
        let plan = reconcile(&desired, &observed, now);
        let ports: Vec<_> = plan.leases.values().flat_map(|ports| ports.values()).collect();
        prop_assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
        if observed.leases_frozen {
            prop_assert_eq!(&plan.leases, &observed.leases);
        }
        for line in &plan.tasks {
            if let Some(Action::Create(spec)) = &line.action {
                let leased = plan.leases.get(&line.job);
                for port in &spec.ports {
                    let is_leased = leased.is_some_and(|ports| ports.values().any(|p| *p == port.host_port));
                    prop_assert!(is_leased, "{} is leased before {} is made", port.host_port, line.job);
                }
            }
        }
    }
}
