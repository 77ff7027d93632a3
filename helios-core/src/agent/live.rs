//! What a running agent knows.

use std::sync::Arc;

use crate::model::{Goal, JobId};
use crate::reconcile::{
    Action, Desired, JOB_LABEL, Observed, Policy, Task, Verb, container_name, is_kept, protocol,
};
use crate::runtime::{
    Container, ContainerId, ContainerState, Containers, Protocol, RuntimeError, RuntimeErrorKind,
};
use crate::schema::{Drain, GoalRecord};
use crate::time::Moment;

use super::act::{Done, Looked};
use super::remembered::{Distrust, Remembered};

/// What is wanted and what is there, kept up to date from looks and outcomes.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) remembered: Remembered,
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    /// Whether the goals were read and accepted since the start. What is only remembered keeps running and is
    /// started again, but nothing is stopped by it: it may be wanted again by now.
    confirmed: bool,
    /// Whether only a part of what is remembered is followed: that which goals wanted too that were read and
    /// could not be followed.
    narrowed: bool,
    /// Why the goals in the store are not followed, if they are not.
    pub(super) distrust: Option<Distrust>,
    /// What is wrong with the engine, if anything.
    pub(super) engine_trouble: Option<String>,
}

impl Live {
    pub(super) fn new(remembered: Remembered, policy: Policy) -> Self {
        let mut live = Self {
            desired: Desired::new(policy),
            observed: Observed {
                leases: Arc::clone(&remembered.leases),
                ..Observed::default()
            },
            remembered: Remembered::default(),
            confirmed: false,
            narrowed: false,
            distrust: None,
            engine_trouble: None,
        };
        live.follow(remembered);
        live
    }

    /// Makes the goals of `remembered` what is wanted; yields what was before.
    pub(super) fn follow(&mut self, remembered: Remembered) -> Remembered {
        let policy = &self.desired.policy;
        let drain = remembered.drain.as_ref();
        let task = |(id, goal): (&JobId, &GoalRecord)| {
            let container = container_name(&policy.namespace, id);
            (
                id.clone(),
                Task {
                    job: Arc::clone(&goal.job),
                    goal: Drain::goal(drain, goal.goal),
                    container,
                },
            )
        };
        self.desired.tasks = remembered.goals.iter().map(task).collect();
        self.desired.complete = self.confirmed;
        self.narrowed = false;
        self.observed.leases = Arc::clone(&remembered.leases);
        std::mem::replace(&mut self.remembered, remembered)
    }

    /// Whether the goals were read and accepted since the start.
    pub(super) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The goals were read and accepted.
    pub(super) fn confirm(&mut self) {
        self.confirmed = true;
        self.desired.complete = true;
    }

    /// The goals that are followed could not be stored: they are not followed then, and neither are those of
    /// `before` where the new ones say otherwise. What both want goes on; nothing is stopped.
    pub(super) fn doubt(&mut self, before: Remembered) {
        let unstored = self.follow(before);
        self.confirmed = false;
        self.desired.complete = false;
        self.narrow(&unstored);
    }

    /// Goals were read, and it is not known yet of which cluster they are. Until it is, what is remembered is
    /// followed where they say the same: what they do not want was perhaps undeployed.
    pub(super) fn suspect(&mut self, read: &Remembered) {
        self.recall();
        self.narrow(read);
    }

    /// Follows all of what is remembered again.
    pub(super) fn recall(&mut self) {
        if self.narrowed {
            self.follow(self.remembered.clone());
        }
    }

    fn narrow(&mut self, others: &Remembered) {
        self.narrowed = true;
        self.desired
            .tasks
            .retain(|id, task| others.goal(id).is_some_and(|goal| goal == task.goal));
    }

    /// Learns from a look at the containers.
    pub(super) fn see(&mut self, look: Result<Containers, RuntimeError>, now: Moment) {
        match look {
            Ok(mut containers) => {
                self.keep_what_starts(&mut containers);
                let before = self
                    .observed
                    .containers
                    .replace(containers)
                    .unwrap_or_default();
                self.engine_trouble = None;
                let changed: Vec<String> = match &self.observed.containers {
                    Some(after) => after
                        .changed_names(&before)
                        .map(ToOwned::to_owned)
                        .collect(),
                    None => Vec::new(),
                };
                for name in changed {
                    self.see_container(&name, now);
                }
            }
            Err(error) => {
                self.engine_trouble = Some(error.to_string());
                if matches!(
                    error.kind(),
                    RuntimeErrorKind::Unavailable | RuntimeErrorKind::TimedOut
                ) {
                    self.observed.containers = None;
                }
            }
        }
    }

    /// Keeps what is known of containers that are being started and that a look lacks: Docker shows nothing of them
    /// meanwhile. If one is gone after all, its start says so.
    fn keep_what_starts(&self, look: &mut Containers) {
        let Some(known) = &self.observed.containers else {
            return;
        };
        let memories = self.observed.memories.iter();
        let starting = memories.filter(|(_, memory)| memory.under_way == Some(Verb::Start));
        for (job, _) in starting {
            let name = container_name(&self.desired.policy.namespace, job);
            if let (Some(known), None) = (known.get(&name), look.get(&name)) {
                look.insert(known.clone());
            }
        }
    }

    /// The ports of this host that the task has a lease for.
    pub(super) fn host_ports(&self, job: &JobId) -> Vec<(Protocol, u16)> {
        let task = self.desired.tasks.get(job);
        let lease = self.observed.leases.get(job);
        task.zip(lease)
            .into_iter()
            .flat_map(|(task, lease)| {
                let mapped = |(name, port): (&String, &u16)| {
                    Some((protocol(task.job.ports.get(name)?), *port))
                };
                lease.iter().filter_map(mapped)
            })
            .collect()
    }

    /// Learns how an action ended. What it changed is known before the next look confirms it, so that the
    /// next step need not wait for that look; an older look that comes late does no harm, since every verb
    /// may be repeated.
    pub(super) fn done(&mut self, done: &Done, now: Moment) {
        let policy = Arc::clone(&self.desired.policy);
        let outcome = done.outcome.as_ref().map(|_| ());
        let memory = self.observed.memories.entry(done.job.clone()).or_default();
        memory.done(&done.job, done.action.verb(), outcome, &policy, now);
        let name = container_name(&policy.namespace, &done.job);
        match (&done.action, &done.outcome) {
            (Action::Create(_), Ok(Some(id))) => memory.created(id),
            (Action::Start(id), Err(_)) => memory.doubted(id),
            (Action::Stop(id, _), Ok(_)) => memory.stopped(id),
            _ => {}
        }
        let missing = outcome.is_err_and(|error| error.kind() == RuntimeErrorKind::NotFound);
        let Some(containers) = &mut self.observed.containers else {
            return;
        };
        match (&done.action, &done.outcome) {
            // A look may have shown it already, with more than is known here, and would not be told again.
            (Action::Create(_), Ok(Some(id)))
                if containers.get(&name).is_some_and(|known| known.id == *id) => {}
            (Action::Create(spec), Ok(Some(id))) => containers.insert(Container {
                id: id.clone(),
                name: name.clone(),
                digest: Some(spec.digest()),
                labels: spec.labels.clone(),
                state: ContainerState::Created { error: None },
                ip: None,
            }),
            (Action::Start(_), Ok(_)) => change(containers, &name, ContainerState::Running),
            (Action::Stop(..), Ok(_)) => {
                let exit = memory
                    .last_exit
                    .as_ref()
                    .map(|(_, exit)| exit.clone())
                    .unwrap_or_default();
                change(containers, &name, ContainerState::Exited(exit));
            }
            (Action::Keep(id, kept), Ok(_)) => rename(containers, id, &name, kept),
            (Action::Remove(_), Ok(_)) => containers.remove(&name),
            (Action::Start(_), Err(_)) if missing => containers.remove(&name),
            _ => {}
        }
        self.see_container(&name, now);
    }

    /// Learns what a look at a container's health saw.
    pub(super) fn looked(&mut self, looked: &Looked, now: Moment) {
        let policy = Arc::clone(&self.desired.policy);
        if let Some(memory) = self.observed.memories.get_mut(&looked.job) {
            let outcome = looked.outcome.as_ref().copied().map_err(String::as_str);
            memory.looked(&looked.container, outcome, &policy, now);
        }
    }

    /// Notes that somebody looks at the health of the job's container.
    pub(super) fn begin_look(&mut self, job: &JobId) {
        let memory = self.observed.memories.get_mut(job);
        if let Some(health) = memory.and_then(|memory| memory.health.as_mut()) {
            health.looking = true;
        }
    }

    /// Forgets tasks that are neither wanted nor here.
    pub(super) fn forget(&mut self) {
        let Self {
            desired, observed, ..
        } = self;
        let containers = observed.containers.as_ref();
        observed.memories.retain(|id, memory| {
            memory.under_way.is_some()
                || desired
                    .tasks
                    .get(id)
                    .is_some_and(|task| task.goal != Goal::Undeploy)
                || containers.is_none_or(|containers| {
                    containers
                        .get(&container_name(&desired.policy.namespace, id))
                        .is_some()
                })
        });
    }

    pub(super) fn begin(&mut self, job: &JobId, verb: Verb) {
        self.observed
            .memories
            .entry(job.clone())
            .or_default()
            .under_way = Some(verb);
    }

    fn see_container(&mut self, name: &str, now: Moment) {
        let policy = Arc::clone(&self.desired.policy);
        let container = self.observed.container(name).cloned();
        if container.as_ref().is_some_and(is_kept) {
            return;
        }
        let job = container
            .as_ref()
            .and_then(|container| container.labels.get(JOB_LABEL)?.parse().ok())
            .or_else(|| self.job_of(name));
        if let Some(job) = job {
            let memory = self.observed.memories.entry(job.clone()).or_default();
            memory.see(&job, container.as_ref(), &policy, now);
        }
    }

    fn job_of(&self, container: &str) -> Option<JobId> {
        let named = |(id, task): (&JobId, &Task)| (task.container == container).then(|| id.clone());
        let namespace = &self.desired.policy.namespace;
        self.desired.tasks.iter().find_map(named).or_else(|| {
            let known = self.observed.memories.keys();
            known
                .into_iter()
                .find(|id| container_name(namespace, id) == container)
                .cloned()
        })
    }
}

fn rename(containers: &mut Containers, id: &ContainerId, from: &str, to: &str) {
    if let Some(container) = containers
        .get(from)
        .filter(|found| found.id == *id)
        .cloned()
    {
        containers.remove(from);
        let name = to.to_owned();
        containers.insert(Container { name, ..container });
    }
}

fn change(containers: &mut Containers, name: &str, state: ContainerState) {
    if let Some(container) = containers.get(name).cloned() {
        containers.insert(Container { state, ..container });
    }
}

#[cfg(test)]
mod tests;
