//! Everything there is, and the one way to call it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::dice::Dice;
use super::disk::Disk;
use super::engine::Engine;
use super::fault::{FaultKind, Point, Schedule};
use super::store::Model;
use super::trace::{Actor, Event, What};

/// A handle on everything there is. Cheap to clone.
#[derive(Clone)]
pub(super) struct World(Arc<Inner>);

struct Inner {
    start: Instant,
    state: Mutex<State>,
}

/// Everything there is.
pub(super) struct State {
    pub(super) seed: u64,
    /// The present, since the start of the run.
    pub(super) now: Duration,
    pub(super) schedule: Schedule,
    pub(super) faults_on: bool,
    pub(super) events: Vec<Event>,
    pub(super) store: Model,
    pub(super) engines: BTreeMap<u16, Engine>,
    pub(super) disks: BTreeMap<u16, Disk>,
    pub(super) clock_jumps: BTreeMap<Actor, i64>,
    /// How often each machine restarted, and since when it is up.
    pub(super) boots: BTreeMap<u16, (u32, Duration)>,
    /// The orders by which machines were reset.
    pub(super) resets: BTreeSet<String>,
    pub(super) registry_down_until: Duration,
    pub(super) lives: BTreeMap<Actor, u32>,
    pub(super) calls: BTreeMap<Actor, u64>,
    pub(super) calls_that_can_fail: BTreeMap<Actor, u64>,
    pub(super) injected: BTreeSet<Point>,
    pub(super) sometimes: BTreeMap<&'static str, u64>,
    pub(super) last_engine_call: u64,
    pub(super) control: mpsc::UnboundedSender<Control>,
}

/// What the simulator has to hear of at once.
#[derive(Debug)]
pub(super) enum Control {
    /// An actor died of a fault.
    Died(Actor),
    /// An actor came to an end by itself.
    Ended(Actor, u32),
    /// A machine is reset.
    Reset(u16),
}

/// One start of an actor. Whatever it was given stops working with its end.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) actor: Actor,
    pub(super) number: u32,
    over_since: OnceLock<Duration>,
    left_tasks: AtomicBool,
}

/// How long a call takes when nothing is wrong, and how long its maker waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The longest way there, and back.
    pub(super) travel: Duration,
    /// From its arrival to its effect.
    pub(super) work: Duration,
    /// After which its maker is told that nobody knows.
    pub(super) patience: Duration,
    /// How much later it may still take effect.
    pub(super) late: Duration,
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Refused,
    Lost,
    Late,
}

impl World {
    /// A world in which nothing fails, with an engine of one machine.
    #[cfg(test)]
    pub(super) fn quiet(session_timeout: Duration) -> Self {
        let (control, _) = mpsc::unbounded_channel();
        Self::new(State::new(
            0,
            Schedule::default(),
            session_timeout,
            [0],
            control,
        ))
    }

    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            state: Mutex::new(state),
        }))
    }

    /// Looks at everything, or changes it. `work` must not wait.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.0.start.elapsed();
        work(&mut state)
    }

    /// When the run began.
    pub(super) fn start(&self) -> Instant {
        self.0.start
    }

    /// Begins the next life of an actor.
    pub(super) fn begin_life(&self, actor: Actor) -> Arc<Life> {
        let number = self.with(|state| {
            let number = state.lives.entry(actor).or_default();
            *number += 1;
            let number = *number;
            state.record(actor, What::Started);
            number
        });
        Arc::new(Life {
            actor,
            number,
            over_since: OnceLock::new(),
            left_tasks: AtomicBool::new(false),
        })
    }

    /// Ends a life, as a kill would. Calls under way may still take effect.
    pub(super) fn kill(&self, life: &Life) {
        let now = self.with(|state| state.now);
        if life.over_since.set(now).is_err() {
            return;
        }
        let silent = self.with(|state| {
            state.record(life.actor, What::Crashed);
            if let Actor::Agent(machine) = life.actor {
                let mut dice = state.dice("unsynced", u64::from(life.number));
                let disk = state.disks.get_mut(&machine);
                let saved = disk.map(|disk| disk.crash(&mut dice));
                for what in saved.unwrap_or_default() {
                    state.record(life.actor, what);
                }
            }
            // If nobody listens the run is over.
            let _ = state.control.send(Control::Died(life.actor));
            let now = state.now;
            state.store.client_dies(life.actor, life.number, now)
        });
        self.expire_later(silent);
    }

    /// Ends the session after its timeout, unless it is heard of again.
    pub(super) fn expire_later(&self, session: Option<u64>) {
        let Some(session) = session else { return };
        let world = self.clone();
        tokio::spawn(async move {
            let timeout = world.with(|state| state.store.session_timeout);
            sleep(timeout).await;
            world.with(|state| {
                let now = state.now;
                if state.store.is_overdue(session, now) {
                    state.expire(session);
                }
            });
        });
    }

    /// Never comes back if the life is over; calls made then come from tasks that should have ended with
    /// it.
    pub(super) async fn still_alive(&self, life: &Life) {
        if life.is_over() {
            self.with(|state| state.note_stray(life));
            pending::<()>().await;
        }
    }

    /// Makes a call that changes something: the way there, the effect, and the way back. Once it has
    /// arrived it takes effect, whatever becomes of its maker.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        life: &Arc<Life>,
        pace: Pace,
        apply: impl FnOnce(&mut State) -> T + Send + 'static,
        failed: impl Fn(Trouble) -> T,
    ) -> T {
        self.call_in_turn(life, pace, ready(()), apply, failed)
            .await
    }

    /// Such a call that waits for its turn when it has arrived, and has it until it has taken effect.
    pub(super) async fn call_in_turn<T: Send + 'static, U: Send + 'static>(
        &self,
        life: &Arc<Life>,
        pace: Pace,
        turn: impl Future<Output = U> + Send + 'static,
        apply: impl FnOnce(&mut State) -> T + Send + 'static,
        failed: impl Fn(Trouble) -> T,
    ) -> T {
        self.still_alive(life).await;
        let (fault, mut dice) = self.with(|state| state.next_call(life));
        sleep(dice.between(Duration::ZERO, pace.travel)).await;
        self.still_alive(life).await;
        match fault {
            Some(FaultKind::CrashBefore) => {
                self.kill(life);
                return pending().await;
            }
            Some(FaultKind::Refused) => return failed(Trouble::Refused),
            _ => {}
        }
        let extra = match fault {
            Some(FaultKind::Slow) => dice.between(pace.patience / 4, pace.patience),
            Some(FaultKind::Late) => pace.patience + dice.between(Duration::ZERO, pace.late),
            _ => Duration::ZERO,
        };
        // It is long under way, or it is long worked on, which others may have to wait for.
        let under_way = Some(extra).filter(|extra| !extra.is_zero() && dice.chance(500));
        let work = pace.work + extra.saturating_sub(under_way.unwrap_or_default());
        let (sender, receiver) = oneshot::channel();
        let world = self.clone();
        tokio::spawn(async move {
            if let Some(under_way) = under_way {
                sleep(under_way).await;
            }
            let turn = turn.await;
            sleep(work).await;
            let result = world.with(apply);
            drop(turn);
            // Whether anybody still waits for it does not matter.
            let _ = sender.send(result);
        });
        let result = match timeout(pace.patience, receiver).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => return pending().await,
            Err(_) => {
                self.still_alive(life).await;
                return failed(Trouble::Late);
            }
        };
        if fault == Some(FaultKind::CrashAfter) {
            self.kill(life);
        }
        sleep(dice.between(Duration::ZERO, pace.travel)).await;
        self.still_alive(life).await;
        if fault == Some(FaultKind::Lost) {
            return failed(Trouble::Lost);
        }
        result
    }

    /// Makes a call that changes nothing.
    pub(super) async fn look<T>(
        &self,
        life: &Arc<Life>,
        pace: Pace,
        apply: impl FnOnce(&mut State) -> T,
        failed: impl Fn(Trouble) -> T,
    ) -> T {
        self.still_alive(life).await;
        let (fault, mut dice) = self.with(|state| state.next_call(life));
        let extra = match fault {
            Some(FaultKind::Slow) => dice.between(pace.patience / 4, pace.patience),
            Some(FaultKind::Late) => pace.patience,
            _ => Duration::ZERO,
        };
        sleep(dice.between(Duration::ZERO, pace.travel * 2) + pace.work + extra).await;
        self.still_alive(life).await;
        match fault {
            Some(FaultKind::CrashBefore | FaultKind::CrashAfter) => {
                self.kill(life);
                pending().await
            }
            Some(FaultKind::Refused) => failed(Trouble::Refused),
            Some(FaultKind::Lost) => failed(Trouble::Lost),
            Some(FaultKind::Late) => failed(Trouble::Late),
            Some(FaultKind::Slow) | None => self.with(apply),
        }
    }
}

impl Life {
    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over_since.get().is_some()
    }
}

impl State {
    /// Everything as it is at the start: an engine for each of the machines, and nothing stored.
    pub(super) fn new(
        seed: u64,
        schedule: Schedule,
        session_timeout: Duration,
        machines: impl IntoIterator<Item = u16>,
        control: mpsc::UnboundedSender<Control>,
    ) -> Self {
        let engines = machines.into_iter();
        Self {
            seed,
            now: Duration::ZERO,
            schedule,
            faults_on: true,
            events: Vec::new(),
            store: Model::new(session_timeout),
            engines: engines
                .map(|number| (number, Engine::new(number)))
                .collect(),
            disks: BTreeMap::new(),
            clock_jumps: BTreeMap::new(),
            boots: BTreeMap::new(),
            resets: BTreeSet::new(),
            registry_down_until: Duration::ZERO,
            lives: BTreeMap::new(),
            calls: BTreeMap::new(),
            calls_that_can_fail: BTreeMap::new(),
            injected: BTreeSet::new(),
            sometimes: BTreeMap::new(),
            last_engine_call: 0,
            control,
        }
    }

    pub(super) fn record(&mut self, actor: Actor, what: What) {
        let incarnation = match actor {
            Actor::Engine(machine) => self.lives.get(&Actor::Agent(machine)),
            actor => self.lives.get(&actor),
        };
        self.events.push(Event {
            seq: self.events.len(),
            at: self.now,
            actor,
            incarnation: incarnation.copied().unwrap_or(0),
            what,
        });
    }

    /// The machine restarts.
    pub(super) fn boot(&mut self, machine: u16) {
        let now = self.now;
        let boot = self.boots.entry(machine).or_default();
        *boot = (boot.0 + 1, now);
    }

    /// The dice of the `count`-th operation of that name.
    pub(super) fn dice(&self, name: &str, count: u64) -> Dice {
        Dice::new(self.seed, name, count)
    }

    /// Notes, once, that something of a life that is over makes calls. At the moment of its end that is the actor itself;
    /// later that is gone, so it is a task that it spawned and left behind.
    fn note_stray(&mut self, life: &Life) {
        let was_over = life.over_since.get().is_some_and(|over| *over < self.now);
        if was_over && !life.left_tasks.swap(true, Ordering::Relaxed) {
            let how =
                "a task that it spawned went on when it was dead: keep what you spawn in a JoinSet";
            self.record(life.actor, What::Misbehaved(how.to_owned()));
        }
    }

    /// Counts something that a campaign should have seen.
    pub(super) fn sometimes(&mut self, name: &'static str) {
        *self.sometimes.entry(name).or_default() += 1;
    }

    /// Notes a fault that is about to happen.
    pub(super) fn inject(&mut self, actor: Actor, point: Point, how: &str) {
        self.injected.insert(point);
        self.record(actor, What::Fault(format!("{point}{how}")));
    }

    /// Ends a session, and with it what was bound to it.
    pub(super) fn expire(&mut self, session: u64) {
        self.record(Actor::Store, What::Expired { session });
        let now = self.now;
        let mut dice = self.dice("expire", session);
        if let Some(commit) = self.store.expire(session, now, &mut dice) {
            self.record(Actor::Store, commit);
        }
    }

    fn next_call(&mut self, life: &Life) -> (Option<FaultKind>, Dice) {
        let count = self.calls.entry(life.actor).or_default();
        let call = *count;
        *count += 1;
        if self.faults_on {
            self.calls_that_can_fail.insert(life.actor, call + 1);
        }
        let fault = self
            .schedule
            .fault(life.actor, call)
            .filter(|_| self.faults_on);
        if let Some(kind) = fault {
            let actor = life.actor;
            self.inject(actor, Point::Call { actor, call, kind }, "");
        }
        (fault, self.dice(&life.actor.to_string(), call))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
