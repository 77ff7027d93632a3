//! An engine, as one agent uses it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::runtime::{ContainerId, ContainerSpec, Containers, RuntimeError};
use helios_core::{JobId, Runtime};

use super::super::engine::job_of;
use super::super::trace::{Actor, Change, Verb, What};
use super::Recorder;
use super::journal::Journal;

/// An engine, as one agent uses it.
pub(super) struct RecordedRuntime {
    recorder: Recorder,
    machine: u16,
    runtime: Arc<dyn Runtime>,
}

impl RecordedRuntime {
    pub(super) fn new(recorder: &Recorder, machine: u16, runtime: Arc<dyn Runtime>) -> Self {
        Self {
            recorder: recorder.clone(),
            machine,
            runtime,
        }
    }

    /// Notes a call, makes it, and notes what it did and its answer.
    async fn act<T>(
        &self,
        verb: Verb,
        about: (Option<JobId>, Option<&ContainerId>),
        call: impl Future<Output = Result<T, RuntimeError>>,
        did: impl FnOnce(&Journal, &T) -> Vec<Change>,
    ) -> Result<T, RuntimeError> {
        let (agent, machine) = (Actor::Agent(self.machine), self.machine);
        let container = about.1.cloned();
        let number = self.recorder.with(|journal| {
            let number = journal.call(machine, container.clone());
            let job = about.0;
            let what = What::Call {
                call: number,
                verb,
                job: job.or_else(|| journal.job(machine, container.as_ref()?)),
                container,
            };
            journal.record(agent, what);
            number
        });
        // Else a call that is dropped would count as under way for ever.
        let pending = Pending {
            recorder: &self.recorder,
            number,
        };
        let outcome = call.await;
        self.recorder.with(|journal| {
            let changes = outcome.as_ref().map(|done| did(journal, done));
            journal.answered(number, changes.unwrap_or_default());
            let error = outcome.as_ref().err().map(RuntimeError::kind);
            journal.record(
                agent,
                What::Answer {
                    call: number,
                    error,
                },
            );
        });
        drop(pending);
        outcome
    }
}

/// A call that is under way.
struct Pending<'a> {
    recorder: &'a Recorder,
    number: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let number = self.number;
        self.recorder
            .with(|journal| journal.answered(number, Vec::new()));
    }
}

#[async_trait]
impl Runtime for RecordedRuntime {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        self.recorder.with(|journal| {
            let call = journal.call(self.machine, None);
            journal.answered(call, Vec::new());
            let what = What::Call {
                call,
                verb: Verb::List,
                job: None,
                container: None,
            };
            journal.record(Actor::Agent(self.machine), what);
        });
        self.runtime.list().await
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        let (recorder, machine) = (self.recorder.clone(), self.machine);
        let looks = self.runtime.watch();
        looks
            .inspect(move |look| {
                if let Ok(containers) = look {
                    recorder.with(|journal| journal.shown(machine, containers));
                }
            })
            .boxed()
    }

    async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        let call = self.runtime.pull(image);
        self.act(Verb::Pull, (None, None), call, |_, ()| Vec::new())
            .await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        let machine = self.machine;
        let call = self.runtime.create(spec);
        self.act(
            Verb::Create,
            (job_of(&spec.labels), None),
            call,
            |journal, id| {
                let ports = spec.ports.iter();
                let made = Change::Created {
                    id: id.clone(),
                    owner: journal.owner(machine),
                    job: job_of(&spec.labels),
                    ports: ports.map(|port| (port.protocol, port.host_port)).collect(),
                };
                let is_new = !journal.knows(machine, id);
                is_new.then_some(made).into_iter().collect()
            },
        )
        .await
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let machine = self.machine;
        let call = self.runtime.start(id);
        self.act(Verb::Start, (None, Some(id)), call, |journal, ()| {
            let ran = journal.runs(machine, id);
            (!ran)
                .then(|| Change::Started(id.clone()))
                .into_iter()
                .collect()
        })
        .await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        let machine = self.machine;
        let call = self.runtime.stop(id, grace);
        self.act(Verb::Stop, (None, Some(id)), call, |journal, ()| {
            let ran = journal.runs(machine, id);
            ran.then(|| Change::Stopped(id.clone()))
                .into_iter()
                .collect()
        })
        .await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let machine = self.machine;
        let call = self.runtime.remove(id);
        self.act(Verb::Remove, (None, Some(id)), call, |journal, ()| {
            let ran = journal
                .runs(machine, id)
                .then(|| Change::Stopped(id.clone()));
            let gone = journal
                .knows(machine, id)
                .then(|| Change::Removed(id.clone()));
            ran.into_iter().chain(gone).collect()
        })
        .await
    }
}

impl fmt::Debug for RecordedRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordedRuntime({})", self.machine)
    }
}
