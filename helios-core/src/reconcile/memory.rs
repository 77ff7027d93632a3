//! What is remembered of a task between two looks.

use std::collections::VecDeque;
use std::time::Duration;

use crate::causes::with_causes;
use crate::model::{JobId, ThrottleState};
use crate::runtime::{
    Container, ContainerId, ContainerState, Exit, RuntimeError, RuntimeErrorKind,
};
use crate::time::Moment;

use super::{Health, Policy, Verb};

/// A run at least this long clears the count of failures in a row.
const STABLE_RUN: Duration = Duration::from_secs(10);

/// No request to an engine takes effect that long after it was made.
const LATE_MAX: Duration = Duration::from_secs(300);

/// What is remembered of one task. It is lost with the process, and nothing that must never happen depends
/// on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The action that is being executed.
    pub under_way: Option<Verb>,
    /// The container that runs, and since when it was seen to.
    pub run: Option<(ContainerId, Moment)>,
    /// How long its past runs lasted, the latest last; as many as flap detection looks at.
    pub ended: VecDeque<Duration>,
    /// How often a container of it was started.
    pub starts: u64,
    /// Failures and short runs in a row.
    pub failures: u32,
    /// When the next attempt may begin.
    pub not_before: Option<Moment>,
    /// What went wrong last, until it runs.
    pub failure: Option<Failure>,
    /// That it is leaving the service registry, to be stopped afterwards.
    pub leaving: Option<Leaving>,
    /// The last container that ended, and how.
    pub last_exit: Option<(ContainerId, Exit)>,
    /// What is known of the health of the container that runs.
    pub health: Option<Health>,
    /// Whether the image has to be pulled before the next create.
    pub image_needed: bool,
    /// Whether the image was pulled for the create that comes next.
    pub image_pulled: bool,
    /// Whether no start of its container can still take effect late: this process had it created and was told how
    /// every start ended, or has seen it run for long. Only then may it be kept when it is dead, since one that is
    /// started after all would run beside the fresh one.
    pub settled: bool,
    /// The container of which a start failed last: it may still be started.
    pub doubted: Option<ContainerId>,
    /// Whether the last start failed because a port was taken.
    pub port_trouble: bool,
}

/// How far a task is out of the service registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Since when it is to leave.
    pub since: Moment,
    /// Since when it is out: from then on it has its grace period.
    pub left: Option<Moment>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether it holds the task back, and under which name.
    pub throttled: ThrottleState,
    /// For people.
    pub message: String,
}

impl Memory {
    /// Learns from a look at the task's container.
    pub fn see(
        &mut self,
        job: &JobId,
        container: Option<&Container>,
        policy: &Policy,
        now: Moment,
    ) {
        match container.map(|container| (&container.id, &container.state)) {
            Some((id, ContainerState::Running)) => {
                if self.run.as_ref().is_none_or(|(running, _)| running != id) {
                    self.run = Some((id.clone(), now));
                    self.health = Some(Health::unknown(id.clone(), now));
                }
                self.failure = None;
                self.not_before = None;
                self.port_trouble = false;
            }
            Some((id, ContainerState::Exited(exit))) => {
                // A container may be started again as it is.
                let is_news = self.last_exit.as_ref().is_none_or(|(ended, _)| ended != id)
                    || self.run.as_ref().is_some_and(|(running, _)| running == id);
                self.last_exit = Some((id.clone(), exit.clone()));
                if is_news {
                    self.end_run(job, policy, now);
                }
            }
            Some((_, ContainerState::Created { .. } | ContainerState::Removing)) | None => {
                if self.run.is_some() {
                    self.end_run(job, policy, now);
                }
            }
        }
    }

    /// Learns what a look at the health of `container` saw.
    pub fn looked(
        &mut self,
        container: &ContainerId,
        outcome: Result<(), &str>,
        policy: &Policy,
        now: Moment,
    ) {
        let health = self.health.as_mut();
        if let Some(health) = health.filter(|health| health.container == *container) {
            health.looked(outcome, &policy.health, now);
        }
    }

    /// Learns that its container was stopped as it was told to, which is no failure.
    pub fn stopped(&mut self, container: &ContainerId) {
        self.run = None;
        if self
            .last_exit
            .as_ref()
            .is_none_or(|(ended, _)| ended != container)
        {
            self.last_exit = Some((container.clone(), Exit::default()));
        }
    }

    /// Learns that a create yielded that container. It may have found one that was there, of which the engine showed
    /// nothing while it was starting it: what was asked of that one before may still come.
    pub fn created(&mut self, container: &ContainerId) {
        self.settled = self.doubted.as_ref() != Some(container);
    }

    /// Learns that a start of that container failed, as far as is known.
    pub fn doubted(&mut self, container: &ContainerId) {
        self.settled = false;
        self.doubted = Some(container.clone());
    }

    /// Learns how an action ended. Of a create, a start and a stop there is more to learn:
    /// [`created`](Self::created), [`doubted`](Self::doubted), [`stopped`](Self::stopped).
    pub fn done(
        &mut self,
        job: &JobId,
        verb: Verb,
        outcome: Result<(), &RuntimeError>,
        policy: &Policy,
        now: Moment,
    ) {
        self.under_way = None;
        match (verb, outcome.map_err(RuntimeError::kind)) {
            (Verb::Pull, Ok(())) => (self.image_needed, self.image_pulled) = (false, true),
            (Verb::Create, Ok(())) => {
                (self.image_pulled, self.port_trouble) = (false, false);
            }
            (Verb::Start, Ok(())) => self.starts += 1,
            (_, Ok(())) | (Verb::AbandonPull, Err(_)) => {}
            (Verb::Create, Err(RuntimeErrorKind::ImageUnknown)) if !self.image_pulled => {
                self.image_needed = true;
            }
            (Verb::Pull | Verb::Create, Err(RuntimeErrorKind::ImageUnknown)) => {
                self.hold_back(
                    ThrottleState::ImageMissing,
                    outcome,
                    now.plus(policy.spread(job, policy.image_missing_delay)),
                );
            }
            (Verb::Pull, Err(_)) => {
                self.hold_back(
                    ThrottleState::ImagePullFailed,
                    outcome,
                    now.plus(policy.spread(job, policy.pull_failed_delay)),
                );
            }
            (_, Err(kind)) => {
                self.settled = false;
                self.port_trouble |= kind == RuntimeErrorKind::PortInUse;
                let until = now.plus(policy.delay(job, self.failures));
                self.failures = self.failures.saturating_add(1);
                self.hold_back(ThrottleState::No, outcome, until);
            }
        }
    }

    /// How long the present run has lasted.
    pub(super) fn current(&self, now: Moment) -> Option<Duration> {
        self.run.as_ref().map(|(_, since)| now.since(*since))
    }

    fn hold_back(
        &mut self,
        throttled: ThrottleState,
        outcome: Result<(), &RuntimeError>,
        until: Moment,
    ) {
        let message = outcome
            .err()
            .map(|error| with_causes(error))
            .unwrap_or_default();
        self.failure = Some(Failure { throttled, message });
        self.not_before = Some(until);
        // The next attempt begins with a create: by then the image may be here by other ways.
        (self.image_needed, self.image_pulled) = (false, false);
    }

    fn end_run(&mut self, job: &JobId, policy: &Policy, now: Moment) {
        let lasted = self.current(now).unwrap_or_default();
        self.settled |= lasted >= LATE_MAX;
        self.run = None;
        if self.under_way == Some(Verb::Stop) {
            return; // It ended because it was told to.
        }
        self.ended.push_back(lasted);
        while self.ended.len() > policy.flapping.runs {
            self.ended.pop_front();
        }
        self.failures = if lasted >= STABLE_RUN {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let delay = match policy.flapping.remaining(&self.ended, None) {
            Some(_) => policy.spread(job, policy.flapping.delay),
            None => policy.delay(job, self.failures.saturating_sub(1)),
        };
        self.not_before = Some(now.plus(delay));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_failure_is_told_with_what_the_engine_said() {
        let error = RuntimeError::new(RuntimeErrorKind::BadSpec, "could not start \"web\"")
            .caused_by("no such file: /bin/web");
        assert_eq!(
            with_causes(&error),
            "could not start \"web\": no such file: /bin/web"
        );
    }

    /// Its start timed out, the engine showed nothing of it meanwhile, and so it was created again.
    #[test]
    fn a_create_that_finds_what_may_still_be_started_settles_nothing() {
        let [first, second] = ["c1", "c2"].map(ContainerId::new);
        let mut memory = Memory::default();
        memory.created(&first);
        assert!(memory.settled);
        memory.doubted(&first);
        memory.created(&first);
        assert!(!memory.settled);
        memory.created(&second);
        assert!(memory.settled);
    }

    /// A registry that comes back after an outage, or a store, is not asked by all hosts at the same moment.
    #[test]
    fn hosts_that_failed_together_try_again_apart() {
        let job: JobId = "web:1".parse().expect("a job id");
        let waits = |verb, kind| {
            let waits = (0..100).map(|n| {
                let policy = Policy::for_host(format!("host{n}"));
                let mut memory = Memory::default();
                let error = RuntimeError::new(kind, "no");
                memory.done(&job, verb, Err(&error), &policy, Moment::default());
                let until = memory.not_before.expect("it is held back");
                until.since(Moment::default()).as_millis()
            });
            waits.collect::<BTreeSet<_>>()
        };
        for (verb, kind, usual) in [
            (Verb::Start, RuntimeErrorKind::Failed, 100),
            (Verb::Pull, RuntimeErrorKind::RegistryUnreachable, 30_000),
            (Verb::Pull, RuntimeErrorKind::ImageUnknown, 120_000),
        ] {
            let waits = waits(verb, kind);
            let (least, most) = (waits.first().unwrap_or(&0), waits.last().unwrap_or(&0));
            assert!(waits.len() > 30, "{verb:?}: {} moments", waits.len());
            assert!(
                *least >= usual * 3 / 4 && *most <= usual * 5 / 4,
                "{waits:?}"
            );
            assert!(most - least > usual * 2 / 5, "{waits:?}");
        }
    }
}
