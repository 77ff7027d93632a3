//! One agent's handle on the engine of its machine, for one of its lives.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream;
use helios_core::Runtime;
use helios_core::runtime::{
    ContainerId, ContainerSpec, Containers, Owner, Probe, ProbeTarget, Rename, RuntimeError,
    RuntimeErrorKind,
};
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio::time::{sleep, timeout};

use super::super::trace::{Actor, Change, Verb, What};
use super::super::world::{Life, Pace, State, Trouble, World};
use super::Engine;
use super::model::{Turn, job_of};
use super::process::Process;

/// How long a look takes at most.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// An agent's handle on its simulated engine.
#[derive(Clone)]
pub(crate) struct SimRuntime {
    world: World,
    life: Arc<Life>,
    machine: u16,
    owner: Owner,
}

impl SimRuntime {
    pub(crate) fn new(world: &World, life: &Arc<Life>, machine: u16, owner: Owner) -> Self {
        Self {
            world: world.clone(),
            life: Arc::clone(life),
            machine,
            owner,
        }
    }

    pub(crate) fn owned_by(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }

    /// Makes a call: notes it, lets it take effect when and if it does, and notes the answer.
    async fn act<T: Send + 'static>(
        &self,
        verb: Verb,
        about: About,
        work: Duration,
        apply: impl FnOnce(&mut Engine, Duration, u64) -> Result<(T, Vec<Change>), RuntimeError>
        + Send
        + 'static,
    ) -> Result<T, RuntimeError> {
        self.world.still_alive(&self.life).await;
        let machine = self.machine;
        let (call, starts, extra) = self.world.with(|state| {
            state.last_engine_call += 1;
            let call = state.last_engine_call;
            let job = about.job.clone().or_else(|| {
                let engine = state.engines.get(&machine)?;
                engine.job(about.container.as_ref()?)
            });
            let container = about.container.clone();
            let what = What::Call {
                call,
                verb,
                job,
                container,
            };
            state.record(Actor::Agent(machine), what);
            let starts = state.engines.get(&machine).map(|engine| engine.starts);
            let mut dice = state.dice("engine", call);
            let extra = dice.between(Duration::from_millis(10), Duration::from_millis(400));
            (call, starts, extra)
        });
        let pace = Pace {
            travel: Duration::from_millis(5),
            work: work + extra,
            patience: Duration::from_secs(10) + work,
            late: Duration::from_secs(15),
        };
        let turn = turn(self.world.clone(), machine, verb, about);
        let effect = move |state: &mut State| effect(state, machine, call, starts, verb, apply);
        let call_it = self
            .world
            .call_in_turn(&self.life, pace, turn, effect, failed);
        let outcome = call_it.await;
        let error = outcome.as_ref().err().map(RuntimeError::kind);
        self.world
            .with(|state| state.record(Actor::Agent(machine), What::Answer { call, error }));
        outcome
    }

    /// Looks at all containers, which has to wait for those that are being started.
    async fn look_at_all(&self) -> Result<Containers, RuntimeError> {
        let all = async {
            loop {
                let (look, starting) = self.look(&Containers::new()).await?;
                if starting.is_empty() {
                    return Ok(look);
                }
                for turn in starting {
                    drop(turn.lock_owned().await);
                }
            }
        };
        let look = timeout(LOOK_MAX, all).await;
        look.unwrap_or_else(|_| failed(Trouble::Late))
    }

    /// Looks at the containers, and says for which of them that is no look at the present.
    async fn look(&self, told: &Containers) -> Result<(Containers, Vec<Turn>), RuntimeError> {
        let pace = Pace {
            travel: Duration::from_millis(5),
            work: Duration::from_millis(5),
            patience: LOOK_MAX,
            late: Duration::ZERO,
        };
        let look = |state: &mut State| {
            let now = state.now;
            let engine = state.engines.get(&self.machine);
            let engine = engine.filter(|engine| engine.away_until <= now);
            let engine = engine.ok_or_else(away)?;
            let starting = engine.starting(self.owner.as_str());
            let look = engine.list(self.owner.as_str(), told);
            if !starting.is_empty() {
                state.sometimes("a look while a container was being started");
            }
            Ok((look, starting))
        };
        self.world.look(&self.life, pace, look, failed).await
    }
}

/// Waits for the turn with the container that a call is about; a start has it until it is over.
async fn turn(world: World, machine: u16, verb: Verb, about: About) -> Option<Held> {
    let to_start = verb == Verb::Start;
    let turn = world.with(|state| {
        let engine = state.engines.get_mut(&machine)?;
        let name = about.name.as_deref();
        let id = about.container.or_else(|| engine.named(name?))?;
        engine.turn(&id, to_start)
    })?;
    if turn.try_lock().is_err() {
        world.with(|state| state.sometimes("a call waited for a start of its container"));
    }
    let turn = turn.lock_owned().await;
    to_start.then_some(Held {
        world,
        machine,
        turn: Some(turn),
    })
}

/// The turn with a container, while it is being started.
struct Held {
    world: World,
    machine: u16,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.turn = None;
        self.world.with(|state| {
            if let Some(engine) = state.engines.get_mut(&self.machine) {
                engine.end_turn();
            }
        });
    }
}

/// What a call is about, as far as its maker says.
#[derive(Default)]
struct About {
    job: Option<helios_core::JobId>,
    container: Option<ContainerId>,
    name: Option<String>,
}

impl About {
    fn container(id: &ContainerId) -> Self {
        Self {
            container: Some(id.clone()),
            ..Self::default()
        }
    }
}

/// What happens when the call has arrived at the engine and was worked on.
fn effect<T>(
    state: &mut State,
    machine: u16,
    call: u64,
    starts: Option<u64>,
    verb: Verb,
    apply: impl FnOnce(&mut Engine, Duration, u64) -> Result<(T, Vec<Change>), RuntimeError>,
) -> Result<T, RuntimeError> {
    let (now, registry) = (state.now, state.registry_down_until);
    let Some(engine) = state.engines.get_mut(&machine) else {
        return Err(away());
    };
    if engine.away_until > now || starts != Some(engine.starts) {
        if verb == Verb::Create {
            state.sometimes("the engine was restarted during a create");
        }
        return Err(away());
    }
    if verb == Verb::Pull && registry > now {
        let message = "the registry does not answer";
        return Err(RuntimeError::new(
            RuntimeErrorKind::RegistryUnreachable,
            message,
        ));
    }
    let (result, changes) = apply(engine, now, call)?;
    if verb == Verb::Create && changes.is_empty() {
        state.sometimes("a create found what an earlier one had made");
    }
    for change in changes {
        state.record(Actor::Engine(machine), What::Effect { call, change });
    }
    Ok(result)
}

/// What a registry says to a pull, by the name of the image, if it does not give it.
fn refused(image: &str) -> Option<RuntimeError> {
    let (kind, why) = match image.split(':').next()? {
        "missing" => (RuntimeErrorKind::ImageUnknown, "the registry has no"),
        "denied" => (RuntimeErrorKind::RegistryDenied, "the registry denies"),
        "unreachable" => (
            RuntimeErrorKind::RegistryUnreachable,
            "no registry answers for",
        ),
        _ => return None,
    };
    Some(RuntimeError::new(kind, format!("{why} {image}")))
}

fn failed<T>(trouble: Trouble) -> Result<T, RuntimeError> {
    Err(match trouble {
        Trouble::Refused | Trouble::Lost => away(),
        Trouble::Late => RuntimeError::new(
            RuntimeErrorKind::TimedOut,
            "the engine did not answer in time",
        ),
    })
}

fn away() -> RuntimeError {
    RuntimeError::new(RuntimeErrorKind::Unavailable, "the engine does not answer")
}

#[async_trait]
impl Runtime for SimRuntime {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        self.world.still_alive(&self.life).await;
        self.world.with(|state| {
            state.last_engine_call += 1;
            let what = What::Call {
                call: state.last_engine_call,
                verb: Verb::List,
                job: None,
                container: None,
            };
            state.record(Actor::Agent(self.machine), what);
        });
        self.look_at_all().await
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        let notify = self
            .world
            .with(|state| state.engines.get_mut(&self.machine).map(Engine::watch));
        let notify = notify.unwrap_or_default();
        let begin = (self.clone(), notify, None);
        stream::unfold(begin, |(runtime, notify, told)| async move {
            let item = runtime.next(&notify, told).await;
            let told = item.as_ref().ok().cloned();
            Some((item, (runtime, notify, told)))
        })
        .boxed()
    }

    async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        let image = image.to_owned();
        let work = Duration::from_millis(1_500);
        self.act(Verb::Pull, About::default(), work, move |engine, _, _| {
            if let Some(error) = refused(&image) {
                return Err(error);
            }
            engine.keep_image(&image);
            Ok(((), Vec::new()))
        })
        .await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        let (owner, spec) = (self.owner.to_string(), spec.clone());
        let about = About {
            job: job_of(&spec.labels),
            container: None,
            name: Some(spec.name.clone()),
        };
        self.act(Verb::Create, about, Duration::ZERO, move |engine, _, _| {
            let (id, change) = engine.create(&owner, &spec)?;
            Ok((id, change.into_iter().collect()))
        })
        .await
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let (about, id) = (About::container(id), id.clone());
        let (world, machine, owner) = (self.world.clone(), self.machine, self.owner.clone());
        self.act(
            Verb::Start,
            about,
            Duration::ZERO,
            move |engine, now, call| {
                if !engine.is_of(&id, &owner) {
                    let message = format!("container {id} cannot be started: there is none");
                    return Err(RuntimeError::new(RuntimeErrorKind::NotFound, message));
                }
                let Some(started) = engine.start(&id, now)? else {
                    return Ok(((), Vec::new()));
                };
                let mut changes = vec![started];
                match engine.process(&id) {
                    Process::Flaps => die_soon(world, machine, id, call),
                    Process::Exits(code) => changes.extend(engine.end(&id, code.into(), now)),
                    _ => {}
                }
                Ok(((), changes))
            },
        )
        .await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        let (about, id) = (About::container(id), id.clone());
        let (work, code) = self.world.with(|state| {
            let mut dice = state.dice("stop", state.last_engine_call);
            let engine = state.engines.get(&self.machine);
            let ending = engine.map(|engine| engine.ending(&id, grace, &mut dice));
            ending.unwrap_or_default()
        });
        let owner = self.owner.clone();
        self.act(Verb::Stop, about, work, move |engine, now, _| {
            let own = engine.is_of(&id, &owner);
            let ended = own.then(|| engine.end(&id, code, now)).flatten();
            Ok(((), ended.into_iter().collect()))
        })
        .await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let (about, id) = (About::container(id), id.clone());
        let owner = self.owner.clone();
        self.act(
            Verb::Remove,
            about,
            Duration::ZERO,
            move |engine, now, _| {
                let own = engine.is_of(&id, &owner);
                let changes = own.then(|| engine.remove(&id, now));
                Ok(((), changes.unwrap_or_default()))
            },
        )
        .await
    }
}

#[async_trait]
impl Rename for SimRuntime {
    async fn rename(&self, id: &ContainerId, name: &str) -> Result<(), RuntimeError> {
        let (about, id) = (About::container(id), id.clone());
        let (owner, name) = (self.owner.clone(), name.to_owned());
        self.act(Verb::Rename, about, Duration::ZERO, move |engine, _, _| {
            if !engine.is_of(&id, &owner) {
                return Ok(((), Vec::new()));
            }
            let change = engine.rename(&id, &name)?;
            Ok(((), change.into_iter().collect()))
        })
        .await
    }
}

impl SimRuntime {
    /// The next look at the containers, after a change: an engine that says nothing is not looked at.
    async fn next(
        &self,
        notify: &Notify,
        told: Option<Containers>,
    ) -> Result<Containers, RuntimeError> {
        self.world.still_alive(&self.life).await;
        notify.notified().await;
        let look = match told {
            Some(told) => self.look(&told).await.map(|(look, _)| look),
            None => self.look_at_all().await,
        };
        if look.is_err() {
            if self.life.is_over() {
                return pending().await;
            }
            // Looks again soon, until the engine answers.
            notify.notify_one();
            sleep(Duration::from_secs(1)).await;
        }
        look
    }
}

/// Ends a container soon, as one does that is broken. It is mended with everything else.
fn die_soon(world: World, machine: u16, id: ContainerId, call: u64) {
    tokio::spawn(async move {
        sleep(Duration::from_millis(500 + call % 7 * 300)).await;
        world.with(|state| {
            let now = state.now;
            let engine = state.engines.get_mut(&machine);
            let Some(engine) = engine.filter(|_| state.faults_on) else {
                return;
            };
            if let Some(change) = engine.end(&id, 1, now) {
                state.record(Actor::Engine(machine), What::Effect { call: 0, change });
            }
        });
    });
}

#[async_trait]
impl Probe for SimRuntime {
    async fn probe(
        &self,
        container: &ContainerId,
        _target: &ProbeTarget,
        timeout: Duration,
    ) -> Result<(), String> {
        let pace = Pace {
            travel: Duration::from_millis(5),
            work: Duration::from_millis(20),
            patience: timeout,
            late: Duration::ZERO,
        };
        let probe = |state: &mut State| {
            let engine = state.engines.get(&self.machine);
            let well = engine.is_some_and(|engine| engine.is_well(container));
            let container = container.clone();
            let what = What::Probed { container, well };
            state.record(Actor::Agent(self.machine), what);
            well.then_some(())
                .ok_or_else(|| "connection refused".to_owned())
        };
        let failed = |_| Err("no answer".to_owned());
        let mut looking = Looking(Some(self));
        let answer = self.world.look(&self.life, pace, probe, failed).await;
        looking.0 = None;
        answer
    }
}

/// A look at a container that is not over.
struct Looking<'a>(Option<&'a SimRuntime>);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.filter(|runtime| runtime.life.is_over()) {
            let died = "an agent died during a health check";
            runtime.world.with(|state| state.sometimes(died));
        }
    }
}

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimRuntime({}/{})", self.life.actor, self.life.number)
    }
}
