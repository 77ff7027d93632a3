//! Recording a real fleet: the same trace, and so the same checks, as for a simulated one.

mod engine;
mod journal;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use helios_core::agent::Remembered;
use helios_core::runtime::{ContainerId, Probe, ProbeTarget};
use helios_core::schema::Keys;
use helios_core::state_dir::StateDirError;
use helios_core::store::Scope;
use helios_core::{Runtime, StateDir, Store};
use tokio::sync::Mutex as Turn;
use tokio::time::sleep;

use super::trace::{Actor, Bounds, Machine, Phase, Trace, What};
use engine::RecordedRuntime;
use journal::Journal;
use store::RecordedStore;

/// How often an engine is looked at for what it does by itself.
const OBSERVE_EVERY: Duration = Duration::from_millis(100);

/// Writes down what the actors of a real fleet do at their ports, as a [`Trace`] for the
/// [checks](super::checks).
///
/// Wrap every port of every agent and master in it, tell it of starts and kills, and let
/// [`observe`](Self::observe) look at the engines. Commits are let through one at a time, so that their order
/// is known; one whose answer is lost is found when somebody reads what it wrote. Cheap to clone.
///
/// ```
/// # use std::sync::Arc;
/// # use helios_core::Store;
/// use helios_testkit::sim::{Actor, Bounds, Recorder, checks};
///
/// # fn example(zookeeper: Arc<dyn Store>) {
/// let recorder = Recorder::new(Bounds::default());
/// recorder.started(Actor::Master(0));
/// let store = recorder.store(Actor::Master(0), zookeeper);
/// // ... a master works on `store` ...
/// let violations = checks::judge(&recorder.trace(), checks::all());
/// assert!(violations.is_empty(), "{violations:?}");
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder {
    journal: Arc<Mutex<Journal>>,
    /// Whose turn it is to commit.
    turn: Arc<Turn<()>>,
}

impl Recorder {
    /// A recorder that has nothing yet. What it records is judged by `bounds`.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let recorder = Self {
            journal: Arc::new(Mutex::new(Journal::new(bounds))),
            turn: Arc::default(),
        };
        recorder.phase(Phase::Faults);
        recorder
    }

    /// Which host and agent a machine stands for.
    pub fn machine(&self, number: u16, machine: Machine) {
        self.with(|journal| journal.machines.insert(number, machine));
    }

    /// An actor starts, for the first time or again.
    pub fn started(&self, actor: Actor) {
        self.with(|journal| {
            *journal.lives.entry(actor).or_default() += 1;
            journal.record(actor, What::Started);
        });
    }

    /// An actor was killed.
    pub fn killed(&self, actor: Actor) {
        self.with(|journal| journal.record(actor, What::Crashed));
    }

    /// Something was made to fail that concerns an actor.
    pub fn fault(&self, actor: Actor, what: impl Into<String>) {
        let what = What::Fault(what.into());
        self.with(|journal| journal.record(actor, what));
    }

    /// The run goes on to its next phase.
    pub fn phase(&self, phase: Phase) {
        self.with(|journal| journal.record(Actor::Test, What::Phase(phase)));
    }

    /// A store, as that actor uses it from now on.
    #[must_use]
    pub fn store(&self, actor: Actor, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(RecordedStore::new(self, actor, store))
    }

    /// The engine of a machine, as its agent uses it.
    #[must_use]
    pub fn runtime(&self, machine: u16, runtime: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
        Arc::new(RecordedRuntime::new(self, machine, runtime))
    }

    /// With what the agent of a machine looks whether containers are well.
    #[must_use]
    pub fn probe(&self, machine: u16, probe: Arc<dyn Probe>) -> Arc<dyn Probe> {
        Arc::new(Recorded {
            recorder: self.clone(),
            machine,
            port: probe,
        })
    }

    /// The disk of a machine.
    #[must_use]
    pub fn state_dir(&self, machine: u16, state: Arc<dyn StateDir>) -> Arc<dyn StateDir> {
        Arc::new(Recorded {
            recorder: self.clone(),
            machine,
            port: state,
        })
    }

    /// Looks at an engine for what it does by itself, for ever. `runtime` is a handle of the same owner that is
    /// not recorded.
    pub async fn observe(&self, machine: u16, runtime: Arc<dyn Runtime>) {
        loop {
            let began = self.with(|journal| journal.events.len());
            if let Ok(containers) = runtime.list().await {
                self.with(|journal| journal.observe(machine, &containers, began));
            }
            sleep(OBSERVE_EVERY).await;
        }
    }

    /// Looks at who is present, for ever: what a session leaves behind vanishes by itself. `store` is a handle
    /// that is not recorded.
    pub async fn observe_presence(&self, store: Arc<dyn Store>) {
        let mut looks = store.watch(Scope::Children(Keys::ups()));
        while let Some(look) = looks.next().await {
            let Ok(snapshot) = look else { continue };
            let _turn = self.turn.lock().await;
            self.with(|journal| journal.saw_all(Actor::Test, &Keys::ups(), &snapshot));
        }
    }

    /// What was recorded so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.with(|journal| journal.trace())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Journal) -> T) -> T {
        work(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A port of a machine, and who records it.
#[derive(Debug)]
struct Recorded<P: ?Sized> {
    recorder: Recorder,
    machine: u16,
    port: Arc<P>,
}

#[async_trait]
impl Probe for Recorded<dyn Probe> {
    async fn probe(
        &self,
        container: &ContainerId,
        target: &ProbeTarget,
        timeout: Duration,
    ) -> Result<(), String> {
        let outcome = self.port.probe(container, target, timeout).await;
        let what = What::Probed {
            container: container.clone(),
            well: outcome.is_ok(),
        };
        self.recorder
            .with(|journal| journal.record(Actor::Agent(self.machine), what));
        outcome
    }
}

#[async_trait]
impl StateDir for Recorded<dyn StateDir> {
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        self.port.load(name).await
    }

    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError> {
        self.port.save(name, document).await?;
        let remembered = serde_json::from_slice::<Remembered>(document).ok();
        let leases = remembered.map(|remembered| {
            let leases = remembered.leases.iter();
            leases
                .map(|(job, ports)| (job.clone(), ports.as_ref().clone()))
                .collect()
        });
        let what = What::Saved {
            name: name.to_owned(),
            leases,
        };
        self.recorder
            .with(|journal| journal.record(Actor::Agent(self.machine), what));
        Ok(())
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        self.port.set_aside(name).await
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
