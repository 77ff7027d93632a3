//! What to do about one task.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Goal, Job, JobId, TaskState, ThrottleState};
use crate::runtime::{Container, ContainerState};
use crate::time::Moment;

use super::container_spec::{
    RESTART_METADATA, SAME_CONTAINER, grace, grace_of, kill_after, kill_after_of,
};
use super::dead::kept_name;
use super::ports::lost_port;
use super::{
    Action, Because, Desired, Look, Memory, Observed, Policy, Task, Verb, Waiting, container_spec,
};

/// The decision about one task.
pub(super) struct Decision {
    pub(super) action: Option<Action>,
    pub(super) because: Because,
    pub(super) waiting: Option<Waiting>,
    pub(super) look: Option<Look>,
    pub(super) leaving: bool,
    /// When to look again, whatever else it waits for.
    pub(super) again: Option<Moment>,
    pub(super) state: TaskState,
    pub(super) throttled: ThrottleState,
    pub(super) error: String,
}

impl Decision {
    fn act(action: Action, because: Because, state: TaskState) -> Self {
        Self {
            action: Some(action),
            ..Self::rest(because, state)
        }
    }

    fn wait(waiting: Waiting, because: Because, state: TaskState) -> Self {
        Self {
            waiting: Some(waiting),
            ..Self::rest(because, state)
        }
    }

    fn rest(because: Because, state: TaskState) -> Self {
        let throttled = ThrottleState::No;
        Self {
            action: None,
            because,
            waiting: None,
            look: None,
            leaving: false,
            again: None,
            state,
            throttled,
            error: String::new(),
        }
    }
}

/// What to do about a task that is deployed here.
pub(super) fn wanted(
    task: &Task,
    container: Option<&Container>,
    observed: &Observed,
    desired: &Desired,
    (ports, refused): (Option<&BTreeMap<String, u16>>, Option<&str>),
    now: Moment,
) -> Decision {
    let fresh = Memory::default();
    let memory = observed.memories.get(&task.job.id).unwrap_or(&fresh);
    let policy = &*desired.policy;
    let mut decision = if let Some(verb) = memory.under_way {
        if verb == Verb::Pull && task.goal == Goal::Stop {
            Decision::act(Action::AbandonPull, Because::StopWanted, TaskState::Stopped)
        } else {
            under_way(verb, container)
        }
    } else if observed.containers.is_none() {
        Decision::wait(
            Waiting::ForEngine,
            Because::EngineAway,
            last_known(task, memory),
        )
    } else if task.goal == Goal::Stop && !desired.complete {
        let state = container.map_or(TaskState::Stopped, state_of);
        Decision::wait(Waiting::ForGoals, Because::GoalsUnknown, state)
    } else if task.goal == Goal::Stop {
        stop(&task.job, container, memory, policy, now)
    } else {
        let lost = lost_port(&task.job.id, task, ports, observed);
        start(task, container, memory, (ports, refused, lost), policy, now)
    };
    annotate(&mut decision, memory, refused, policy, now);
    decision
}

/// What to do about something that is here and not deployed here.
pub(super) fn unwanted(
    id: &JobId,
    container: Option<&Container>,
    observed: &Observed,
    desired: &Desired,
    now: Moment,
) -> Decision {
    if !desired.complete || desired.unread.contains(id) {
        // Whether it is well is not looked at without its goal, and RUNNING would say so.
        let state = match container.map(state_of) {
            Some(TaskState::Running) => TaskState::Unknown,
            Some(state) => state,
            None => TaskState::Stopped,
        };
        return Decision::wait(Waiting::ForGoals, Because::GoalsUnknown, state);
    }
    let memory = observed.memories.get(id);
    match memory.and_then(|memory| memory.under_way) {
        Some(Verb::Pull) => {
            return Decision::act(
                Action::AbandonPull,
                Because::Undeployed,
                TaskState::Stopping,
            );
        }
        Some(verb) => {
            let waiting = Waiting::ForAction(verb);
            return Decision::wait(waiting, Because::UnderWay(verb), TaskState::Stopping);
        }
        None => {}
    }
    let Some(container) = container else {
        return Decision::rest(Because::Undeployed, TaskState::Stopped);
    };
    match &container.state {
        ContainerState::Running => {
            let kill_after = kill_after_of(container, &desired.policy);
            let action = Action::Stop(container.id.clone(), kill_after);
            leave_first(grace_of(container), memory, now)
                .unwrap_or_else(|| Decision::act(action, Because::Undeployed, TaskState::Stopping))
        }
        ContainerState::Created { .. } | ContainerState::Exited(_) => {
            let action = Action::Remove(container.id.clone());
            Decision::act(action, Because::Undeployed, TaskState::Stopped)
        }
        ContainerState::Removing => {
            Decision::wait(Waiting::ForEngine, Because::Vanishing, TaskState::Stopped)
        }
    }
}

fn start(
    task: &Task,
    container: Option<&Container>,
    memory: &Memory,
    (ports, refused, lost): (Option<&BTreeMap<String, u16>>, Option<&str>, Option<u16>),
    policy: &Policy,
    now: Moment,
) -> Decision {
    let held_back = memory.not_before.filter(|until| now < *until);
    match container.map(|container| (container, &container.state)) {
        Some((running, ContainerState::Running)) => {
            self::running(task, running, memory, ports, policy, now)
        }
        Some((_, ContainerState::Removing)) => {
            Decision::wait(Waiting::ForEngine, Because::Vanishing, TaskState::Creating)
        }
        Some((dead, ContainerState::Exited(exit))) => {
            let because = Because::Exited(exit.code);
            match held_back {
                Some(until) => Decision::wait(Waiting::Until(until), because, TaskState::Exited),
                None if may_run_again(task, dead, memory, (ports, lost), policy) => {
                    Decision::act(Action::Start(dead.id.clone()), because, TaskState::Starting)
                }
                None => Decision::act(make_room(dead, memory, policy), because, TaskState::Exited),
            }
        }
        Some((made, ContainerState::Created { .. })) => {
            created(task, made, (ports, lost), policy, held_back)
        }
        None => match (held_back, refused) {
            (Some(until), _) => {
                let state = if memory.failure.is_some() {
                    TaskState::Failed
                } else {
                    TaskState::Exited
                };
                Decision::wait(Waiting::Until(until), Because::Deployed, state)
            }
            (None, Some(_)) => Decision::wait(Waiting::ForPort, Because::NoPort, TaskState::Failed),
            (None, None) => create(task, memory, ports, policy),
        },
    }
}

/// Whether a container that ended is the one to start again: its job wants that, it is still what the job says, and
/// no start of it failed.
fn may_run_again(
    task: &Task,
    dead: &Container,
    memory: &Memory,
    (ports, lost): (Option<&BTreeMap<String, u16>>, Option<u16>),
    policy: &Policy,
) -> bool {
    let wish = task.job.metadata.get(RESTART_METADATA);
    if wish.is_none_or(|wish| wish != SAME_CONTAINER) || memory.failure.is_some() || lost.is_some()
    {
        return false;
    }
    let none = BTreeMap::new();
    let spec = container_spec(&task.job, ports.unwrap_or(&none), policy);
    dead.digest.as_ref() == Some(&spec.digest())
}

/// How a container that ended makes room for a fresh one. Where it could not be kept, it is removed: nothing may stand
/// in the way of the fresh one, or run beside it.
fn make_room(dead: &Container, memory: &Memory, policy: &Policy) -> Action {
    if policy.keep_dead.of_each_job > 0 && memory.failure.is_none() && memory.settled {
        Action::Keep(dead.id.clone(), kept_name(dead))
    } else {
        Action::Remove(dead.id.clone())
    }
}

/// A container that runs: it is well, or it is looked at.
fn running(
    task: &Task,
    container: &Container,
    memory: &Memory,
    ports: Option<&BTreeMap<String, u16>>,
    policy: &Policy,
    now: Moment,
) -> Decision {
    let known = memory
        .health
        .as_ref()
        .filter(|health| health.container == container.id);
    let (Some(_), Some(health)) = (&task.job.health_check, known) else {
        return Decision::rest(Because::Settled, TaskState::Running);
    };
    let since = memory.run.as_ref().map_or(now, |(_, since)| *since);
    if health.is_hopeless(since, &policy.health, now) {
        let action = Action::Stop(container.id.clone(), kill_after(&task.job, policy));
        return Decision::act(action, Because::Unwell, TaskState::Stopping);
    }
    let mut decision = if health.well {
        Decision::rest(Because::Settled, TaskState::Running)
    } else {
        Decision::wait(
            Waiting::ForHealth,
            Because::NotWellYet,
            TaskState::Healthchecking,
        )
    };
    decision.error.clone_from(&health.error);
    if !health.looking && health.next <= now {
        match health.look(&task.job, container, ports, policy) {
            Ok(look) => decision.look = Some(look),
            Err(reason) => decision.error = reason,
        }
    } else if !health.looking {
        decision.again = Some(health.next);
    }
    decision
}

/// A container that was made and does not run: it is started, unless it is not the one to start.
fn created(
    task: &Task,
    made: &Container,
    (ports, lost): (Option<&BTreeMap<String, u16>>, Option<u16>),
    policy: &Policy,
    held_back: Option<Moment>,
) -> Decision {
    if let Some(until) = held_back {
        return Decision::wait(
            Waiting::Until(until),
            Because::NotStarted,
            TaskState::Failed,
        );
    }
    let none = BTreeMap::new();
    let spec = container_spec(&task.job, ports.unwrap_or(&none), policy);
    if made.digest.as_ref() != Some(&spec.digest()) {
        Decision::act(
            Action::Remove(made.id.clone()),
            Because::Outdated,
            TaskState::Creating,
        )
    } else if let Some(port) = lost {
        Decision::act(
            Action::Remove(made.id.clone()),
            Because::PortTaken(port),
            TaskState::Creating,
        )
    } else {
        Decision::act(
            Action::Start(made.id.clone()),
            Because::NotStarted,
            TaskState::Starting,
        )
    }
}

fn create(
    task: &Task,
    memory: &Memory,
    ports: Option<&BTreeMap<String, u16>>,
    policy: &Policy,
) -> Decision {
    if memory.image_needed {
        let image = task.job.image.clone().unwrap_or_default();
        return Decision::act(
            Action::Pull(image),
            Because::ImageNotHere,
            TaskState::PullingImage,
        );
    }
    let none = BTreeMap::new();
    let spec = container_spec(&task.job, ports.unwrap_or(&none), policy);
    let because = match &memory.last_exit {
        Some((_, exit)) => Because::Exited(exit.code),
        None => Because::Deployed,
    };
    Decision::act(Action::Create(Box::new(spec)), because, TaskState::Creating)
}

/// What comes before the stop of a container whose services are registered, or that has a grace period: they are
/// taken out of the registry, and then whoever uses them has that long to go elsewhere.
fn leave_first(grace: Option<Duration>, memory: Option<&Memory>, now: Moment) -> Option<Decision> {
    let left = memory.and_then(|memory| memory.leaving?.left);
    let waiting = match left.map(|left| left.plus(grace.unwrap_or_default())) {
        _ if grace.is_none() => return None,
        Some(until) if until <= now => return None,
        Some(until) => Waiting::Until(until),
        None => Waiting::ForRegistry,
    };
    let decision = Decision::wait(waiting, Because::Leaving, TaskState::Stopping);
    Some(Decision {
        leaving: true,
        ..decision
    })
}

fn stop(
    job: &Job,
    container: Option<&Container>,
    memory: &Memory,
    policy: &Policy,
    now: Moment,
) -> Decision {
    match container.map(|container| (container, &container.state)) {
        Some((running, ContainerState::Running)) => {
            let action = Action::Stop(running.id.clone(), kill_after(job, policy));
            leave_first(grace(job), Some(memory), now)
                .unwrap_or_else(|| Decision::act(action, Because::StopWanted, TaskState::Stopping))
        }
        _ => Decision::rest(Because::Settled, TaskState::Stopped),
    }
}

fn under_way(verb: Verb, container: Option<&Container>) -> Decision {
    let state = match verb {
        Verb::Pull | Verb::AbandonPull => TaskState::PullingImage,
        Verb::Create => TaskState::Creating,
        Verb::Start => TaskState::Starting,
        Verb::Stop => TaskState::Stopping,
        // A start that took effect late may have it running again: it is on its way out all the same.
        Verb::Keep | Verb::Remove => match container.map_or(TaskState::Stopped, state_of) {
            TaskState::Running => TaskState::Stopping,
            state => state,
        },
    };
    Decision::wait(Waiting::ForAction(verb), Because::UnderWay(verb), state)
}

fn state_of(container: &Container) -> TaskState {
    match container.state {
        ContainerState::Created { .. } => TaskState::Creating,
        ContainerState::Running => TaskState::Running,
        ContainerState::Exited(_) => TaskState::Exited,
        ContainerState::Removing => TaskState::Stopped,
    }
}

/// What to report while the engine cannot be read. Nothing counts as running that was not found well.
fn last_known(task: &Task, memory: &Memory) -> TaskState {
    let well = memory.health.as_ref().is_some_and(|health| health.well);
    match (&memory.run, &memory.failure) {
        (Some(_), _) if well || task.job.health_check.is_none() => TaskState::Running,
        (Some(_), _) => TaskState::Healthchecking,
        (None, Some(_)) => TaskState::Failed,
        (None, None) => TaskState::Unknown,
    }
}

/// Adds what holds the task back and what is wrong with it.
fn annotate(
    decision: &mut Decision,
    memory: &Memory,
    refused: Option<&str>,
    policy: &Policy,
    now: Moment,
) {
    if let Some(failure) = &memory.failure {
        decision.throttled = failure.throttled;
        decision.error.clone_from(&failure.message);
    } else if let (Because::NoPort, Some(reason)) = (&decision.because, refused) {
        reason.clone_into(&mut decision.error);
    }
    if decision.throttled == ThrottleState::No
        && !matches!(decision.state, TaskState::Stopped)
        && let Some(left) = policy
            .flapping
            .remaining(&memory.ended, memory.current(now))
    {
        decision.throttled = ThrottleState::Flapping;
        decision.again = decision.again.into_iter().chain([now.plus(left)]).min();
    }
}
