//! Doing what a plan says: one action is one call of the runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::model::JobId;
use crate::reconcile::{Action, Look};
use crate::runtime::{ContainerId, Probe, Rename, Runtime, RuntimeError, RuntimeErrorKind};

/// Calls that make and remove containers at once: beyond this an engine gets no faster, and each call
/// only waits longer.
const ENGINE_CALLS_MAX: usize = 8;

/// Pulls at once.
const PULLS_MAX: usize = 4;

/// When a call counts as hung. Runtimes have shorter limits of their own; this one is for those that
/// forgot.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);

/// How much longer than its own limit a probe may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// When a pull counts as hung.
const PULL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Executes actions, a bounded number at once.
#[derive(Debug)]
pub(super) struct Executor {
    runtime: Arc<dyn Runtime>,
    rename: Option<Arc<dyn Rename>>,
    engine: Semaphore,
    pulls: Semaphore,
}

/// What an action led to.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) job: JobId,
    pub(super) action: Action,
    /// The container that was made, if one was.
    pub(super) outcome: Result<Option<ContainerId>, RuntimeError>,
}

/// What a look at a container's health saw.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) job: JobId,
    pub(super) container: ContainerId,
    pub(super) outcome: Result<(), String>,
}

/// Makes one look. Without anything to look with, nothing counts as well.
pub(super) async fn look(probe: Option<Arc<dyn Probe>>, job: JobId, look: Look) -> Looked {
    let outcome = match probe {
        None => Err("this agent was built without a probe for health checks".to_owned()),
        Some(probe) => {
            let seen = probe.probe(&look.container, &look.target, look.timeout);
            // The probe has the same limit; this one is for those that forgot.
            let seen = timeout(look.timeout + PROBE_PATIENCE, seen).await;
            seen.unwrap_or_else(|_| Err(format!("no answer within {:?}", look.timeout)))
        }
    };
    Looked {
        job,
        container: look.container,
        outcome,
    }
}

impl Executor {
    pub(super) fn new(runtime: Arc<dyn Runtime>, rename: Option<Arc<dyn Rename>>) -> Self {
        Self {
            runtime,
            rename,
            engine: Semaphore::new(ENGINE_CALLS_MAX),
            pulls: Semaphore::new(PULLS_MAX),
        }
    }

    /// Executes one action to its end.
    pub(super) async fn execute(self: Arc<Self>, job: JobId, action: Action) -> Done {
        let outcome = self.run(&action, job.as_str()).await;
        Done {
            job,
            action,
            outcome,
        }
    }

    /// The same for what is no task's, or is called otherwise.
    pub(super) async fn run(
        &self,
        action: &Action,
        whose: &str,
    ) -> Result<Option<ContainerId>, RuntimeError> {
        match action {
            Action::Pull(image) => {
                let _place = self.pulls.acquire().await;
                let pull = timeout(PULL_TIMEOUT, self.runtime.pull(image)).await;
                pull.unwrap_or_else(|_| Err(hung("pull", image)))
                    .map(|()| None)
            }
            Action::AbandonPull => Ok(None),
            // A stop waits for the process, not for the engine, and must not keep others from starting.
            Action::Stop(id, grace) => {
                let stop = timeout(CALL_TIMEOUT + *grace, self.runtime.stop(id, *grace)).await;
                stop.unwrap_or_else(|_| Err(hung("stop", id.as_str())))
                    .map(|()| None)
            }
            Action::Create(_) | Action::Start(_) | Action::Keep(..) | Action::Remove(_) => {
                let _place = self.engine.acquire().await;
                let call = timeout(CALL_TIMEOUT, self.call(action)).await;
                call.unwrap_or_else(|_| Err(hung("change", whose)))
            }
        }
    }

    async fn call(&self, action: &Action) -> Result<Option<ContainerId>, RuntimeError> {
        match action {
            Action::Create(spec) => self.runtime.create(spec).await.map(Some),
            Action::Start(id) => self.runtime.start(id).await.map(|()| None),
            Action::Keep(id, name) => match &self.rename {
                Some(runtime) => runtime.rename(id, name).await.map(|()| None),
                None => Err(not_told(id)),
            },
            Action::Remove(id) => self.runtime.remove(id).await.map(|()| None),
            Action::Pull(_) | Action::AbandonPull | Action::Stop(..) => Ok(None),
        }
    }
}

fn not_told(id: &ContainerId) -> RuntimeError {
    let message = format!("{id} is not kept: this agent was not told how containers are renamed");
    RuntimeError::new(RuntimeErrorKind::Failed, message)
}

fn hung(verb: &str, what: &str) -> RuntimeError {
    let message = format!("the engine did not {verb} {what} in time; look at its log");
    RuntimeError::new(RuntimeErrorKind::TimedOut, message)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::super::silent::Silent;
    use super::*;
    use crate::runtime::ProbeTarget;

    const MINUTE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    fn id() -> ContainerId {
        ContainerId::new("c1")
    }

    /// What comes of the work, which takes that long, to the second.
    async fn taking<T>(long: Duration, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let early = timeout(long - SECOND, &mut work).await;
        assert!(early.is_err(), "it took less than {long:?}");
        timeout(2 * SECOND, work).await.expect("it is over by then")
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_given_up_when_its_time_is_over() {
        let executor = Executor::new(Arc::new(Silent), Some(Arc::new(Silent)));
        for (action, after) in [
            (Action::Pull("nginx".to_owned()), 60 * MINUTE),
            (Action::Start(id()), 5 * MINUTE),
            (Action::Keep(id(), "kept".to_owned()), 5 * MINUTE),
            (Action::Remove(id()), 5 * MINUTE),
            // A stop may take as long as the process has to end.
            (Action::Stop(id(), MINUTE), 6 * MINUTE),
        ] {
            let outcome = taking(after, executor.run(&action, "web:1")).await;
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), RuntimeErrorKind::TimedOut, "{action:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_forgot_its_limit_is_given_up_soon_after() {
        let wanted = Look {
            container: id(),
            target: ProbeTarget::Exec {
                command: Vec::new(),
            },
            timeout: 5 * SECOND,
        };
        let look = look(Some(Arc::new(Silent)), "web:1".parse().unwrap(), wanted);
        let looked = taking(6 * SECOND, look).await;
        assert_eq!(looked.outcome, Err("no answer within 5s".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_calls_are_made_at_once() {
        let executor = Executor::new(Arc::new(Silent), None);
        for (action, limit, at_once) in [
            (Action::Pull("nginx".to_owned()), PULL_TIMEOUT, PULLS_MAX),
            (Action::Start(id()), CALL_TIMEOUT, ENGINE_CALLS_MAX),
        ] {
            let ended = Cell::new(0);
            let call = || {
                let call = executor.run(&action, "web:1");
                call.inspect(|_| ended.set(ended.get() + 1))
            };
            let calls = join_all((0..20).map(|_| call()));
            assert!(timeout(limit + SECOND, calls).await.is_err());
            assert_eq!(ended.get(), at_once, "{action:?}");
        }
    }
}
