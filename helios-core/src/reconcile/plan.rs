//! What is to be done, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Goal, JobId, TaskState, ThrottleState};
use crate::runtime::{ContainerId, ContainerSpec};
use crate::time::Moment;

use super::{Leases, Look};

/// Everything that follows from one look.
///
/// The leases are to be stored before any action is begun: a port belongs to a task before the first
/// container that uses it exists.
#[derive(Clone, Debug, Default)]
#[must_use = "a plan does nothing until it is executed"]
pub struct Plan {
    /// The leases from now on.
    pub leases: Arc<Leases>,
    /// A line for every task that is wanted or still here, the wanted ones first, in the order of job ids.
    pub tasks: Vec<TaskPlan>,
    /// When to look again though nothing happens; `None` for not before something does.
    pub wake: Option<Moment>,
}

/// What is done about one task.
#[derive(Clone, Debug)]
pub struct TaskPlan {
    /// The task.
    pub job: JobId,
    /// What to do now; at most one thing.
    pub action: Option<Action>,
    /// The look at its health that is due now.
    pub look: Option<Look>,
    /// Whether it leaves the service registry, to be stopped afterwards.
    pub leaving: bool,
    /// Why that is done, or why nothing is.
    pub because: Because,
    /// What the task waits for, if it is not where it should be and nothing is done now.
    pub waiting: Option<Waiting>,
    /// What to report of it.
    pub report: Line,
}

/// What is reported of a task, as far as the plan decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is wanted.
    pub goal: Goal,
    /// What it is doing.
    pub state: TaskState,
    /// Its container.
    pub container: Option<ContainerId>,
    /// Whether and why it is held back.
    pub throttled: ThrottleState,
    /// Its host ports by name.
    pub ports: Arc<BTreeMap<String, u16>>,
    /// What is wrong; empty if nothing is.
    pub error: String,
}

/// One call of the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring the image here.
    Pull(String),
    /// Drop the pull that is under way.
    AbandonPull,
    /// Make the container.
    Create(Box<ContainerSpec>),
    /// Start the container.
    Start(ContainerId),
    /// Stop the container, which has this long to end by itself.
    Stop(ContainerId, Duration),
    /// Give the container, which ended, that name: it is only kept.
    Keep(ContainerId, String),
    /// Remove the container.
    Remove(ContainerId),
}

/// The kind of an [`Action`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Of [`Action::Pull`].
    Pull,
    /// Of [`Action::AbandonPull`].
    AbandonPull,
    /// Of [`Action::Create`].
    Create,
    /// Of [`Action::Start`].
    Start,
    /// Of [`Action::Stop`].
    Stop,
    /// Of [`Action::Keep`].
    Keep,
    /// Of [`Action::Remove`].
    Remove,
}

/// Why something is done, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// It is as it should be.
    Settled,
    /// It is deployed and has no container.
    Deployed,
    /// Its container was made and not started yet.
    NotStarted,
    /// The image is not here.
    ImageNotHere,
    /// Its container ended, with that code.
    Exited(i64),
    /// Its container was made from other orders than today's.
    Outdated,
    /// Its health check failed too often.
    Unwell,
    /// Its health check has not passed.
    NotWellYet,
    /// A port it was given is taken by something else.
    PortTaken(u16),
    /// Its goal is to be stopped.
    StopWanted,
    /// It is to be stopped, and leaves the service registry before that.
    Leaving,
    /// It is not deployed here any more.
    Undeployed,
    /// Its container is not known to any goal, and the goals are not all known.
    GoalsUnknown,
    /// No port could be leased for it.
    NoPort,
    /// The engine cannot be read.
    EngineAway,
    /// An action is under way.
    UnderWay(Verb),
    /// The engine is removing the container.
    Vanishing,
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// The end of an action.
    ForAction(Verb),
    /// A time, after failures or exits.
    Until(Moment),
    /// The engine.
    ForEngine,
    /// A free port.
    ForPort,
    /// A successful read of the goals.
    ForGoals,
    /// Its health check.
    ForHealth,
    /// The service registry, to forget it.
    ForRegistry,
}

impl Action {
    /// Which kind it is.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Pull(_) => Verb::Pull,
            Self::AbandonPull => Verb::AbandonPull,
            Self::Create(_) => Verb::Create,
            Self::Start(_) => Verb::Start,
            Self::Stop(..) => Verb::Stop,
            Self::Keep(..) => Verb::Keep,
            Self::Remove(_) => Verb::Remove,
        }
    }
}

impl Plan {
    pub(super) fn add(&mut self, line: TaskPlan, now: Moment) {
        if let Some(Waiting::Until(at)) = line.waiting {
            self.wake_at(Some(at.max(now)));
        }
        self.tasks.push(line);
    }

    pub(super) fn wake_at(&mut self, at: Option<Moment>) {
        self.wake = [self.wake, at].into_iter().flatten().min();
    }

    /// The line of that task.
    #[must_use]
    pub fn task(&self, job: &JobId) -> Option<&TaskPlan> {
        self.tasks.iter().find(|line| line.job == *job)
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled => f.write_str("it is as it should be"),
            Self::Deployed => f.write_str("it is deployed and has no container"),
            Self::NotStarted => f.write_str("its container is not started yet"),
            Self::ImageNotHere => f.write_str("the image is not here"),
            Self::Exited(code) => write!(f, "its container ended with code {code}"),
            Self::Outdated => f.write_str("its container was made from other orders"),
            Self::Unwell => f.write_str("its health check failed too often"),
            Self::NotWellYet => f.write_str("its health check has not passed"),
            Self::PortTaken(port) => write!(f, "port {port} is taken by something else"),
            Self::StopWanted => f.write_str("it should be stopped"),
            Self::Leaving => f.write_str("it leaves the service registry before it is stopped"),
            Self::Undeployed => f.write_str("it is not deployed here any more"),
            Self::GoalsUnknown => f.write_str("the goals of this host are not known"),
            Self::NoPort => f.write_str("there is no port for it"),
            Self::EngineAway => f.write_str("the container engine cannot be read"),
            Self::UnderWay(verb) => write!(f, "{verb:?} is under way"),
            Self::Vanishing => f.write_str("its old container is being removed"),
        }
    }
}
