//! Agents and masters while they run.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::future::BoxFuture;
use helios_core::agent::{Agent, AgentId, HostReset, Machine};
use helios_core::reconcile::KeepDead;
use helios_core::runtime::{Owner, Probe};
use helios_core::{Clock, HostName, Runtime, StateDir, Store};
use tokio::time::Instant;

use super::engine::SimRuntime;
use super::trace::{Actor, What};
use super::world::{Control, Life, World};

/// How long an agent waits before it looks again at what is not well.
const UNWELL_RETRY: Duration = Duration::from_secs(5);

/// The ports that the agents of Helios choose from: so few that something else can have all of them.
pub(super) const PORTS: Range<u16> = 20_000..20_040;

/// So short that nothing is kept any more when everything has to be at rest.
const KEEP_DEAD: KeepDead = KeepDead {
    of_each_job: 1,
    keep_for: Duration::from_secs(60),
};

/// How often an actor may be polled while no time passes.
const POLLS_AT_ONCE_MAX: u64 = 100_000;

/// What an agent is given at each of its starts. All of it stops working when the agent is killed.
#[derive(Debug)]
#[non_exhaustive]
pub struct HostCtx {
    /// The host it acts for.
    pub host: HostName,
    /// Its identity, the same at every start.
    pub id: AgentId,
    /// A name for this very start.
    pub incarnation: String,
    /// The labels of its machine.
    pub labels: BTreeMap<String, String>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The engine of its machine.
    pub runtime: Arc<dyn Runtime>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its disk.
    pub disk: Arc<dyn StateDir>,
    /// Its machine.
    pub machine: Arc<dyn Machine>,
    /// With what it looks whether containers are well.
    pub probe: Arc<dyn Probe>,
    /// What resets its machine.
    pub reset: Arc<dyn HostReset>,
    pub(super) engine: SimRuntime,
}

impl HostCtx {
    /// The engine of its machine, as another owner than this agent uses it.
    #[must_use]
    pub fn runtime_of(&self, owner: Owner) -> Arc<dyn Runtime> {
        Arc::new(self.engine.clone().owned_by(owner))
    }

    /// The agent of Helios for this host, which takes names over after a minute instead of ten, looks less often
    /// at what is unwell, and chooses from a few ports.
    #[must_use]
    pub fn helios_agent(self) -> Agent {
        Agent::new(self.host, self.id, self.store, self.runtime, self.disk)
            .clock(self.clock)
            .machine(self.machine)
            .labels(self.labels)
            .probe(self.probe)
            .on_reset(self.reset)
            .keep_dead(Arc::new(self.engine), KEEP_DEAD)
            .incarnation(self.incarnation)
            .policy(|policy| {
                policy.health.retry = UNWELL_RETRY;
                policy.port_range = PORTS;
            })
            .takeover_after(Duration::from_secs(60))
    }
}

/// Starts an agent.
pub(super) type StartAgent = Arc<dyn Fn(HostCtx) -> BoxFuture<'static, ()> + Send + Sync>;

/// By which somebody outside of the simulation sees whether it goes on.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    beats: AtomicU64,
    polling: AtomicU64,
    polled_last: AtomicU64,
    over: AtomicBool,
}

impl Pulse {
    /// Something goes on.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something went on.
    pub(super) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// All has happened: what is left is to judge it, which takes as long as it takes.
    pub(super) fn ends(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Who holds everything up if nothing has gone on for so long, and how.
    pub(super) fn stuck(&self, quiet: Duration) -> Option<(Actor, String)> {
        if self.over.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(actor) = decoded(self.polling.load(Ordering::Relaxed)) {
            let how =
                format!("{actor} blocks: its code ran for {quiet:?} without waiting for anything");
            return Some((actor, how));
        }
        let actor = decoded(self.polled_last.load(Ordering::Relaxed))?;
        let how = format!(
            "{actor} ran last, and no time has passed for {quiet:?}: a task that it spawned blocks its thread or spins, or it \
             waits for what needs real time, as spawn_blocking does"
        );
        Some((actor, how))
    }

    fn enter(&self, actor: Actor) {
        let code = match actor {
            Actor::Agent(number) => 1 << 16 | u64::from(number),
            Actor::Master(number) => 2 << 16 | u64::from(number),
            Actor::Engine(_) | Actor::Store | Actor::Test => 0,
        };
        self.beat();
        self.polling.store(code, Ordering::Relaxed);
        self.polled_last.store(code, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.polling.store(0, Ordering::Relaxed);
    }
}

fn decoded(code: u64) -> Option<Actor> {
    let number = u16::try_from(code & 0xffff).ok()?;
    match code >> 16 {
        1 => Some(Actor::Agent(number)),
        2 => Some(Actor::Master(number)),
        _ => None,
    }
}

/// Runs the code of an actor, and sees to it that it can stop nobody else.
pub(super) struct Guarded {
    world: World,
    life: Arc<Life>,
    pulse: Arc<Pulse>,
    work: Option<BoxFuture<'static, ()>>,
    instant: Option<Instant>,
    polls: u64,
}

impl Guarded {
    pub(super) fn new(
        world: &World,
        life: &Arc<Life>,
        pulse: &Arc<Pulse>,
        work: BoxFuture<'static, ()>,
    ) -> Self {
        Self {
            world: world.clone(),
            life: Arc::clone(life),
            pulse: Arc::clone(pulse),
            work: Some(work),
            instant: None,
            polls: 0,
        }
    }

    fn misbehaved(&mut self, how: String) {
        self.work = None;
        let actor = self.life.actor;
        self.world
            .with(|state| state.record(actor, What::Misbehaved(how)));
    }

    fn ended(&self) {
        let ended = Control::Ended(self.life.actor, self.life.number);
        // If nobody listens the run is over.
        self.world.with(|state| state.control.send(ended).is_ok());
    }
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.life.is_over() {
            self.work = None;
            return Poll::Ready(());
        }
        let now = Some(Instant::now());
        self.polls = if self.instant == now {
            self.polls + 1
        } else {
            0
        };
        self.instant = now;
        if self.polls > POLLS_AT_ONCE_MAX {
            let how = format!("it was polled {POLLS_AT_ONCE_MAX} times and let no time pass");
            self.misbehaved(how);
        }
        let this = &mut *self;
        let Some(work) = &mut this.work else {
            return Poll::Pending;
        };
        this.pulse.enter(this.life.actor);
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        this.pulse.leave();
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => {
                self.ended();
                Poll::Ready(())
            }
            Err(panic) => {
                let how = format!("it panicked: {}", message(&*panic));
                // It is not started again: it would only panic again.
                self.misbehaved(how);
                Poll::Ready(())
            }
        }
    }
}

/// What a panic says.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("something that is no text")
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
