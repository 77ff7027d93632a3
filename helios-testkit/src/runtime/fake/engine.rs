//! The engine behind all handles.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use helios_core::Clock;
use helios_core::runtime::{ContainerId, Owner, RuntimeError, RuntimeErrorKind};
use tokio::sync::watch;

use super::FakeRuntime;
use super::fault::{Call, Effect, Fault, Verb};
use super::image::FakeImage;
use super::state::{Ending, State, failure};

/// How many calls are remembered; older ones are forgotten first.
const CALLS_MAX: usize = 100_000;

/// An engine in memory, shared by all its handles: what a test uses to make things happen.
#[derive(Clone, Debug)]
pub struct FakeEngine(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEngine {
    /// An engine that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        }))
    }

    /// A handle for that owner.
    #[must_use]
    pub fn runtime(&self, owner: Owner) -> FakeRuntime {
        FakeRuntime::on(self.clone(), owner)
    }

    /// Says how an image behaves from now on.
    pub fn image(&self, name: impl Into<String>, image: FakeImage) {
        self.change(|state| {
            state.images.insert(name.into(), image);
        });
    }

    /// Makes calls fail.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Makes every call of that verb take so long before it does anything.
    pub fn delay(&self, verb: Verb, takes: Duration) {
        self.lock().delays.insert(verb, takes);
    }

    /// Lets a foreign process take the port, so that no container can.
    pub fn take_port(&self, port: u16) {
        self.lock().taken_ports.insert(port);
    }

    /// Lets the foreign process give the port back.
    pub fn free_port(&self, port: u16) {
        self.lock().taken_ports.remove(&port);
    }

    /// Lets the engine tell when a container ended, by that clock; without one it does not.
    pub fn tell_time(&self, clock: Arc<dyn Clock>) {
        self.lock().clock = Some(clock);
    }

    /// Kills the main process of a container, given by name or id, as `kill -9` does.
    pub fn kill(&self, container: &str) {
        self.change(|state| state.end(container, None));
    }

    /// Lets the main process of a container, given by name or id, end with that code.
    pub fn exit(&self, container: &str, code: i64) {
        self.change(|state| state.end(container, Some(code)));
    }

    /// How often a container, given by name or id, was started.
    #[must_use]
    pub fn starts(&self, container: &str) -> u64 {
        self.lock().starts(container)
    }

    /// Lets the machine restart: all containers are still there, and none runs.
    pub fn restart_machine(&self) {
        self.change(State::end_all);
    }

    /// Takes the engine away from all handles: calls fail with `Unavailable`, containers go on.
    pub fn go_away(&self) {
        self.change(|state| state.away = true);
    }

    /// Brings the engine back.
    pub fn come_back(&self) {
        self.change(|state| state.away = false);
    }

    /// The calls that reached the engine, oldest first; the last 100,000 of them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.iter().cloned().collect()
    }

    /// Does what `verb` does: delayed, failing and with late effect as it was ordered.
    pub(super) async fn call<T, F>(
        &self,
        verb: Verb,
        owner: &Owner,
        target: &str,
        apply: F,
    ) -> Result<T, RuntimeError>
    where
        F: FnOnce(&mut State, &Owner) -> Result<T, RuntimeError> + Send + 'static,
        T: 'static,
    {
        let (delay, target) = self.record(verb, owner, target)?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let fault = {
            let mut state = self.lock();
            present(&state, verb, &target)?;
            state.take_fault(verb, &target)
        };
        let owner = owner.clone();
        let Some(fault) = fault else {
            return self.change(|state| apply(state, &owner));
        };
        match fault.effect {
            Effect::Never => {}
            Effect::AtOnce => drop(self.change(|state| apply(state, &owner))),
            Effect::Late(after) => {
                let engine = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    drop(engine.change(|state| apply(state, &owner)));
                });
            }
        }
        Err(failure(fault.kind, tried(verb), &target))
    }

    fn record(
        &self,
        verb: Verb,
        owner: &Owner,
        target: &str,
    ) -> Result<(Duration, String), RuntimeError> {
        let mut state = self.lock();
        let target = state.target(target);
        if state.calls.len() == CALLS_MAX {
            state.calls.pop_front();
        }
        state.calls.push_back(Call {
            owner: owner.clone(),
            verb,
            target: target.clone(),
        });
        present(&state, verb, &target)?;
        Ok((state.delays.get(&verb).copied().unwrap_or_default(), target))
    }

    /// Gives the main process its grace: waits until it would have ended, or the grace is over.
    pub(super) async fn ask_to_end(&self, owner: &Owner, id: &ContainerId, grace: Duration) {
        let takes = {
            let mut state = self.lock();
            if !state.runs(owner, id) || state.away {
                return;
            }
            state.ends_after(id).map_or(grace, |takes| takes.min(grace))
        };
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
    }

    pub(super) fn end_later(&self, ending: Ending) {
        let engine = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ending.after).await;
            engine.change(|state| state.end_run(&ending));
        });
    }

    pub(super) fn image_of(&self, image: &str) -> FakeImage {
        self.lock().image(image)
    }

    pub(super) fn image_of_container(&self, id: &ContainerId) -> FakeImage {
        self.lock().image_of(id).unwrap_or_default()
    }

    pub(super) fn log_of(
        &self,
        owner: &Owner,
        id: &ContainerId,
        tail_lines: usize,
    ) -> Result<Vec<Bytes>, RuntimeError> {
        self.lock().log(owner, id, tail_lines)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.0
            .changes
            .send_modify(|revision| *revision = revision.wrapping_add(1));
        outcome
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a test must not hide behind a second one.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn present(state: &State, verb: Verb, target: &str) -> Result<(), RuntimeError> {
    if state.away {
        return Err(failure(RuntimeErrorKind::Unavailable, tried(verb), target));
    }
    Ok(())
}

fn tried(verb: Verb) -> &'static str {
    match verb {
        Verb::List => "list",
        Verb::Pull => "pull",
        Verb::Create => "create",
        Verb::Start => "start",
        Verb::Stop => "stop",
        Verb::Rename => "rename",
        Verb::Remove => "remove",
        Verb::Exec => "exec in",
    }
}
