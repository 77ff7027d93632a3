//! Keeping the service registry in step with the tasks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::model::{Goal, JobId};
use crate::reconcile::{Leaving, Plan, services};
use crate::registrar::{Registrar, RegistrarError, Services};
use crate::time::Moment;

use super::run::{RETRY_AFTER, Running};

/// When a registry counts as hung.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a task that is to be stopped waits at most until the registry knows.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// How often the registry is told all again, in case it forgot something.
const PUBLISH_EVERY: Duration = Duration::from_secs(60);

/// What the registry was told last, and when it may be told next.
#[derive(Debug, Default)]
pub(super) struct Registry {
    told: Option<(Services, Moment)>,
    not_before: Option<Moment>,
}

/// How a telling ended.
pub(super) type Published = Result<Services, RegistrarError>;

impl Running {
    /// Notes which tasks began to leave the registry by this plan, and which stay after all.
    pub(super) fn begin_leaving(&mut self, plan: &Plan, now: Moment) {
        for line in &plan.tasks {
            let memories = &mut self.live.observed.memories;
            if line.leaving {
                let memory = memories.entry(line.job.clone()).or_default();
                memory.leaving.get_or_insert(Leaving {
                    since: now,
                    left: None,
                });
            } else if line.report.goal == Goal::Start
                && let Some(memory) = memories.get_mut(&line.job)
            {
                memory.leaving = None;
            }
        }
    }

    /// Begins to tell the registry what ought to be in it, if that is news or due.
    pub(super) fn tell_registry(&mut self, plan: &Plan, now: Moment) {
        let Some(registrar) = self.agent.registrar.clone() else {
            self.all_left(now, |_| true);
            return;
        };
        self.give_up_leaving(now);
        if self.publishing.is_some() {
            return;
        }
        if let Some(later) = self.registry.not_before.filter(|later| now < *later) {
            self.wake_at(Some(later));
            return;
        }
        let Some(services) = services(&self.live.desired, &self.live.observed, plan) else {
            return;
        };
        if let Some((told, at)) = &self.registry.told {
            let due = at.plus(PUBLISH_EVERY);
            if *told == services && now < due {
                self.wake_at(Some(due));
                self.leave_unless_told(now);
                return;
            }
        }
        self.publishing = Some(publish(registrar, services).boxed());
    }

    /// Learns how a telling ended.
    pub(super) fn published(&mut self, outcome: Published, now: Moment) {
        match outcome {
            Ok(services) => {
                self.note("service registry", None);
                self.registry.not_before = None;
                self.registry.told = Some((services, now));
                self.leave_unless_told(now);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                self.note("service registry", Some(format!("{error}{cause}")));
                self.registry.not_before = Some(now.plus(RETRY_AFTER));
            }
        }
    }

    /// Tasks that the registry does not have any more have left it.
    fn leave_unless_told(&mut self, now: Moment) {
        let Some((told, at)) = self.registry.told.take() else {
            return;
        };
        self.all_left(now, |job| {
            !told.endpoints.contains_key(job) && !told.undecided.contains(job)
        });
        self.registry.told = Some((told, at));
    }

    fn all_left(&mut self, now: Moment, is_out: impl Fn(&JobId) -> bool) {
        let mut wake = None;
        for (job, memory) in &mut self.live.observed.memories {
            if let Some(leaving) = &mut memory.leaving
                && leaving.left.is_none()
                && is_out(job)
            {
                leaving.left = Some(now);
                wake = Some(now);
            }
        }
        self.wake_at(wake);
    }

    /// A registry that does not answer keeps nobody from being stopped.
    fn give_up_leaving(&mut self, now: Moment) {
        let mut wake = None;
        for memory in self.live.observed.memories.values_mut() {
            let Some(leaving) = &mut memory.leaving else {
                continue;
            };
            let patience_ends = leaving.since.plus(LEAVE_WITHIN);
            if leaving.left.is_none() && patience_ends <= now {
                leaving.left = Some(now);
                wake = Some(now);
            } else if leaving.left.is_none() {
                wake = [wake, Some(patience_ends)].into_iter().flatten().min();
            }
        }
        self.wake_at(wake);
    }
}

async fn publish(registrar: Arc<dyn Registrar>, services: Services) -> Published {
    match timeout(PUBLISH_TIMEOUT, registrar.publish(&services)).await {
        Ok(outcome) => outcome.map(|()| services),
        Err(_) => {
            let message = format!("the service registry did not answer within {PUBLISH_TIMEOUT:?}");
            Err(RegistrarError::new(message))
        }
    }
}
