//! One run from its beginning to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::AgentId;
use helios_core::cluster::Cluster;
use helios_core::schema::OperationIds;
use helios_core::{HostName, Store};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep_until;

use super::actor::{Guarded, HostCtx, Pulse};
use super::dice::Dice;
use super::disk::SimDisk;
use super::engine::SimRuntime;
use super::fault::{Chaos, Point};
use super::machine::{SimClock, SimMachine};
use super::power::Power;
use super::store::SimStore;
use super::strike::quietly;
use super::trace::{Actor, Machine, Phase, Trace, What};
use super::workload::{MasterCtx, labels};
use super::world::{Control, Life, State, World};
use super::{Report, Sim};

/// How long after the last fault the last changes are asked for.
const LAST_CHANGES: Duration = Duration::from_secs(15);

/// What is to be done at some time.
enum Todo {
    Start(Actor),
    Chaos(u64, Chaos),
    Mend((Actor, u32)),
    Heal,
    Stable,
    End,
}

/// A run under way.
struct Drive {
    sim: Sim,
    world: World,
    pulse: Arc<Pulse>,
    control: mpsc::UnboundedReceiver<Control>,
    machines: BTreeMap<u16, Machine>,
    hosts: BTreeSet<HostName>,
    lives: BTreeMap<Actor, (Arc<Life>, AbortHandle)>,
    agenda: BTreeMap<(Duration, u64), Todo>,
    noted: u64,
    lost: Vec<u16>,
    healed: bool,
}

/// Runs `sim` in this thread.
pub(super) fn run(sim: Sim, pulse: Arc<Pulse>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async { Drive::new(sim, pulse).run().await }),
        Err(error) => {
            let why = format!("there is no runtime to simulate in: {error}");
            Report::of_failure(sim.seed, sim.replay, None, why)
        }
    }
}

impl Drive {
    fn new(sim: Sim, pulse: Arc<Pulse>) -> Self {
        let (sender, control) = mpsc::unbounded_channel();
        let count = sim.hosts + sim.rivals;
        let mut machines: BTreeMap<_, _> = (0..count)
            .filter_map(|number| Some((number, machine(number, sim.hosts)?)))
            .collect();
        // Those that are left out are drawn all the same, so that the others stay as they are.
        let hosts = machines.values().map(|machine| machine.host.clone());
        let hosts = hosts.collect();
        machines.retain(|number, _| sim.kept.has(Actor::Agent(*number)));
        let world = World::new(State::new(
            sim.seed,
            sim.faults.schedule(sim.seed, sim.masters, count, sim.lasts),
            sim.bounds.session_timeout,
            machines.keys().copied(),
            sender,
        ));
        Self {
            sim,
            world,
            pulse,
            control,
            machines,
            hosts,
            lives: BTreeMap::new(),
            agenda: BTreeMap::new(),
            noted: 0,
            lost: Vec::new(),
            healed: false,
        }
    }

    async fn run(mut self) -> Report {
        self.world
            .with(|state| state.record(Actor::Test, What::Phase(Phase::Faults)));
        self.house_neighbours();
        self.plan();
        while let Some((at, _)) = self.agenda.keys().next().copied() {
            let due = self.world.start() + at;
            self.pulse.beat();
            tokio::select! {
                biased;
                Some(control) = self.control.recv() => self.hear(&control),
                () = sleep_until(due) => {
                    let Some((_, todo)) = self.agenda.pop_first() else { continue };
                    if matches!(todo, Todo::End) {
                        break;
                    }
                    self.act(todo);
                }
            }
        }
        self.report()
    }

    /// Puts containers on every engine that are none of its agent's business.
    fn house_neighbours(&self) {
        let (count, machines) = (self.sim.neighbours, self.machines.keys());
        self.world.with(|state| {
            for (number, neighbour) in machines.flat_map(|n| (0..count).map(move |of| (*n, of))) {
                let engine = state.engines.get_mut(&number);
                let changes = engine.map(|engine| engine.house(neighbour));
                for change in changes.into_iter().flatten() {
                    state.record(Actor::Engine(number), What::Effect { call: 0, change });
                }
            }
        });
    }

    fn plan(&mut self) {
        for number in self.masters() {
            self.note(
                Duration::from_millis(u64::from(number) * 10),
                Todo::Start(Actor::Master(number)),
            );
        }
        let numbers: Vec<_> = self.machines.keys().copied().collect();
        for number in numbers {
            let is_rival = number >= self.sim.hosts;
            let after = if is_rival {
                20_000
            } else {
                50 + u64::from(number) * 7
            };
            self.note(
                Duration::from_millis(after),
                Todo::Start(Actor::Agent(number)),
            );
        }
        for (at, n, chaos) in self.world.with(|state| state.schedule.chaos.clone()) {
            self.note(at, Todo::Chaos(n, chaos));
        }
        let healed = self.sim.heals_at();
        let stable = healed + LAST_CHANGES + self.sim.bounds.settle;
        self.note(healed, Todo::Heal);
        self.note(stable, Todo::Stable);
        self.note(stable + self.sim.stable, Todo::End);
    }

    fn masters(&self) -> Vec<u16> {
        let all = 0..self.sim.masters;
        all.filter(|number| self.sim.kept.has(Actor::Master(*number)))
            .collect()
    }

    fn note(&mut self, at: Duration, todo: Todo) {
        self.noted += 1;
        self.agenda.insert((at, self.noted), todo);
    }

    fn now(&self) -> Duration {
        self.world.with(|state| state.now)
    }

    fn hear(&mut self, control: &Control) {
        let (actor, ended) = match control {
            Control::Died(actor) => (*actor, false),
            Control::Reset(number) => return self.reset(*number),
            Control::Ended(actor, life) => {
                let current = self
                    .lives
                    .get(actor)
                    .is_some_and(|(known, _)| known.number == *life);
                if !current {
                    return;
                }
                (*actor, true)
            }
        };
        if ended && matches!(actor, Actor::Master(_)) {
            return; // Its work is done; it stays connected, and is not started again.
        }
        let Some((life, task)) = self.lives.remove(&actor) else {
            return;
        };
        task.abort();
        if ended {
            self.world.kill(&life);
        }
        let is_lost = matches!(actor, Actor::Agent(number) if self.lost.contains(&number));
        if !is_lost {
            let mut dice = self
                .world
                .with(|state| state.dice(&format!("restart {actor}"), u64::from(life.number)));
            let longest = if self.healed { 2_000 } else { 45_000 };
            let wait = dice.between(Duration::from_millis(100), Duration::from_millis(longest));
            let quick = dice.chance(500);
            let wait = if quick { wait / 20 } else { wait };
            self.note(self.now() + wait, Todo::Start(actor));
        }
    }

    fn act(&mut self, todo: Todo) {
        match todo {
            Todo::Start(actor) => {
                if self.lives.contains_key(&actor) {
                    return;
                }
                match actor {
                    Actor::Agent(number) => self.start_agent(number),
                    Actor::Master(number) => self.start_master(number),
                    Actor::Engine(_) | Actor::Store | Actor::Test => {}
                }
            }
            Todo::Chaos(n, chaos) => self.strike(n, chaos),
            Todo::Mend(client) => self.world.with(|state| {
                let mut dice = state.dice(&format!("mend {}", client.0), state.events.len() as u64);
                let now = state.now;
                state.store.mend(client, now, &mut dice);
            }),
            Todo::Heal => self.heal(),
            Todo::Stable => self
                .world
                .with(|state| state.record(Actor::Test, What::Phase(Phase::Stable))),
            Todo::End => {}
        }
    }

    fn start_agent(&mut self, number: u16) {
        let Some(machine) = self.machines.get(&number) else {
            return;
        };
        let Ok(id) = AgentId::new(machine.agent_id.clone()) else {
            return;
        };
        let actor = Actor::Agent(number);
        let life = self.world.begin_life(actor);
        let store = SimStore::connect(&self.world, &life);
        let runtime = SimRuntime::new(&self.world, &life, number, id.owner().clone());
        let host = HostCtx {
            host: machine.host.clone(),
            id,
            labels: labels(number.checked_rem(self.sim.hosts).unwrap_or(0)),
            incarnation: format!("{actor}-{}", life.number),
            store: Arc::new(store),
            probe: Arc::new(runtime.clone()),
            runtime: Arc::new(runtime.clone()),
            engine: runtime,
            clock: Arc::new(SimClock::new(&self.world, actor)),
            disk: Arc::new(SimDisk::new(&self.world, &life, number)),
            machine: Arc::new(SimMachine::new(&self.world, number)),
            reset: Arc::new(Power::of_agent(&self.world, &life, number)),
        };
        let start = Arc::clone(&self.sim.agent);
        self.spawn(&life, Box::pin(async move { start(host).await }));
    }

    fn start_master(&mut self, number: u16) {
        let actor = Actor::Master(number);
        let life = self.world.begin_life(actor);
        let store: Arc<dyn Store> = Arc::new(SimStore::connect(&self.world, &life));
        let clock = Arc::new(SimClock::new(&self.world, actor));
        let Ok(ids) = OperationIds::new(format!("{actor}-{}", life.number)) else {
            return;
        };
        let master = MasterCtx {
            number,
            cluster: Cluster::new(store, clock, ids),
            hosts: self.hosts.iter().cloned().collect(),
            dice: Dice::new(self.sim.seed, &actor.to_string(), u64::from(life.number)),
            until: self.sim.heals_at(),
            kept: self.sim.kept.clone(),
            world: self.world.clone(),
            life: Arc::clone(&life),
            asked: 0,
        };
        let work = (self.sim.workload.0)(master);
        self.spawn(&life, work);
    }

    fn spawn(&mut self, life: &Arc<Life>, work: futures_core::future::BoxFuture<'static, ()>) {
        let guarded = Guarded::new(&self.world, life, &self.pulse, work);
        let task = tokio::spawn(guarded).abort_handle();
        self.lives.insert(life.actor, (Arc::clone(life), task));
    }

    fn strike(&mut self, n: u64, chaos: Chaos) {
        let about = match &chaos {
            Chaos::Crash(actor)
            | Chaos::Cut(actor, _)
            | Chaos::ExpireSession(actor)
            | Chaos::LoseWatches(actor, _)
            | Chaos::ClockJump(actor, _) => *actor,
            Chaos::EngineRestart(number)
            | Chaos::Reboot(number)
            | Chaos::ContainerDies(number)
            | Chaos::DiskFull(number, _)
            | Chaos::GhostPort(number, _)
            | Chaos::AllPortsTaken(number, _) => Actor::Agent(*number),
            Chaos::ReplicaLags(..) | Chaos::RegistryDown(_) => Actor::Store,
        };
        let how = format!(" {chaos:?}");
        self.world
            .with(|state| state.inject(about, Point::Chaos(n), &how));
        let now = self.now();
        match chaos {
            Chaos::Crash(actor) => self.crash(actor),
            Chaos::Reboot(number) => {
                self.crash(Actor::Agent(number));
                self.world.with(|state| state.boot(number));
                self.restart_engine(number, n, false);
            }
            Chaos::EngineRestart(number) => self.restart_engine(number, n, false),
            Chaos::Cut(actor, lasts) => {
                if let Some((life, _)) = self.lives.get(&actor) {
                    let client = (actor, life.number);
                    let session = self.world.with(|state| state.store.cut(client, now));
                    self.world.expire_later(session);
                    self.note(now + lasts, Todo::Mend(client));
                }
            }
            Chaos::ExpireSession(actor) => {
                if let Some((life, _)) = self.lives.get(&actor) {
                    let client = (actor, life.number);
                    self.world.with(|state| {
                        if let Some(session) = state.store.session_of(client) {
                            state.expire(session);
                        }
                    });
                }
            }
            Chaos::LoseWatches(actor, lasts) => {
                if let Some((life, _)) = self.lives.get(&actor) {
                    let client = (actor, life.number);
                    self.world
                        .with(|state| state.store.lose_watches(client, now + lasts));
                }
            }
            _ => self.world.with(|state| quietly(state, &chaos, n)),
        }
    }

    fn crash(&self, actor: Actor) {
        if let Some((life, _)) = self.lives.get(&actor) {
            self.world.kill(life);
        }
    }

    /// Restarts a machine that is to be reset. Of a hundred two never come back, while things fail.
    fn reset(&mut self, number: u16) {
        let count = self.world.with(|state| {
            state.boot(number);
            state
                .boots
                .get(&number)
                .map_or(0, |(count, _)| u64::from(*count))
        });
        let count = u64::from(number) << 32 | count;
        let mut dice = self.world.with(|state| state.dice("reset", count));
        if !self.healed && dice.chance(20) {
            self.lost.push(number);
        }
        self.crash(Actor::Agent(number));
        self.restart_engine(number, u64::MAX - count, true);
    }

    /// Restarts an engine. What runs is ended with it, unless the engine can leave it alone.
    fn restart_engine(&self, number: u16, n: u64, all: bool) {
        self.world.with(|state| {
            let mut dice = state.dice("restart engine", n);
            let away = dice.between(Duration::from_millis(500), Duration::from_secs(15));
            let now = state.now;
            let ends = dice.chance(600) || all;
            let Some(engine) = state.engines.get_mut(&number) else {
                return;
            };
            engine.restart(now + away);
            let changes = if ends {
                engine.end_all(now)
            } else {
                Vec::new()
            };
            engine.tell();
            for change in changes {
                state.record(Actor::Engine(number), What::Effect { call: 0, change });
            }
        });
    }

    fn heal(&mut self) {
        self.healed = true;
        let mut dice = self.world.with(|state| state.dice("lost", 0));
        let no_faults = self.world.with(|state| state.injected.is_empty());
        let last = self.sim.hosts.saturating_sub(1);
        if !no_faults && dice.chance(100) && last > 0 && !self.lost.contains(&last) {
            self.lost.push(last);
        }
        for number in self.lost.clone() {
            self.crash(Actor::Agent(number));
        }
        let lost = self.lost.clone();
        let cut = self.world.with(|state| {
            let now = state.now;
            state.faults_on = false;
            state.registry_down_until = Duration::ZERO;
            for engine in state.engines.values_mut() {
                engine.heal();
            }
            for disk in state.disks.values_mut() {
                disk.full_until = Duration::ZERO;
            }
            state.store.heal(now);
            state.record(Actor::Test, What::Phase(Phase::Heal { lost }));
            state.store.cut_clients()
        });
        let now = self.now();
        self.agenda
            .retain(|_, todo| !matches!(todo, Todo::Mend(_) | Todo::Start(_) | Todo::Chaos(..)));
        for client in cut {
            self.note(now, Todo::Mend(client));
        }
        let agents = self.machines.keys().map(|number| Actor::Agent(*number));
        let masters = self.masters().into_iter().map(Actor::Master);
        let dead: Vec<_> = agents
            .chain(masters)
            .filter(|actor| self.lives.get(actor).is_none_or(|(life, _)| life.is_over()))
            .filter(|actor| !matches!(actor, Actor::Agent(number) if self.lost.contains(number)))
            .collect();
        for actor in dead {
            self.note(now + Duration::from_millis(500), Todo::Start(actor));
        }
    }

    fn report(self) -> Report {
        self.pulse.ends();
        let Self {
            sim,
            world,
            machines,
            ..
        } = self;
        world.with(|state| {
            let trace = Trace {
                machines,
                bounds: sim.bounds.clone(),
                events: std::mem::take(&mut state.events),
            };
            let hours = state.now.as_secs_f64() / 3600.0 * f64::from(sim.hosts + sim.rivals);
            Report::judge(
                (sim.seed, sim.replay),
                trace,
                sim.checks,
                std::mem::take(&mut state.injected),
                std::mem::take(&mut state.sometimes),
                std::mem::take(&mut state.calls_that_can_fail),
                hours,
            )
        })
    }
}

/// The machine of that number; beyond the hosts they claim the name of one.
fn machine(number: u16, hosts: u16) -> Option<Machine> {
    let host = format!("host{}", number.checked_rem(hosts)?);
    Some(Machine {
        host: host.parse().ok()?,
        agent_id: format!("a{number}"),
    })
}
