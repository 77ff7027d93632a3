//! The fleet simulator: whole fleets, months of faults, one seed.
//!
//! [`Sim`] runs masters, agents, a model of a ZooKeeper ensemble, container engines, clocks and disks in one
//! thread, in virtual time. Faults strike at the port traits and nowhere else, so anything that is
//! written against [`Store`](helios_core::Store), [`Runtime`](helios_core::Runtime),
//! [`Clock`](helios_core::Clock) and [`StateDir`](helios_core::StateDir) can be run in it: the agent of
//! Helios, or one of your own.
//!
//! ```
//! use helios_testkit::sim::{Faults, Sim, Workload, checks};
//!
//! let report = Sim::new(42)
//!     .masters(1)
//!     .hosts(2)
//!     .agent(|host| async move {
//!         // Your own agent goes here.
//!         let _ = host.helios_agent().run(std::future::pending()).await;
//!     })
//!     .workload(Workload::mixed())
//!     .faults(Faults::swarm())
//!     .checks(checks::all())
//!     .run();
//! assert!(report.is_clean(), "{report}");
//! ```
//!
//! A run has three phases: anything fails; everything heals, but for what is lost for good; everything is
//! as wanted and stays so. What happened is a [`Trace`], which [`checks`] judge. The same seed gives the same
//! trace, in every process and on every machine; [`Sim::run_twice`] says so, or shows where an agent leaves
//! something to chance.

mod actor;
pub mod campaign;
pub mod checks;
mod dice;
mod disk;
mod drive;
mod engine;
mod fault;
mod kept;
mod machine;
mod power;
mod record;
mod reduce;
mod report;
mod store;
mod strike;
mod trace;
mod workload;
mod world;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

pub use actor::HostCtx;
pub use checks::{Check, Verdicts, Violation};
pub use dice::Dice;
pub use fault::{FaultKind, Faults, Point};
pub use kept::Kept;
pub use record::Recorder;
pub use reduce::{Reduced, reduce};
pub use report::Report;
pub use trace::{
    Actor, Bounds, Change, Event, Fact, Fleet, HostFact, Machine, MachineState, Outcome, Phase,
    ReportFact, Running, Trace, Verb, Wanted, What, Write,
};
pub use workload::{MasterCtx, Workload};

use actor::{Pulse, StartAgent};

/// How often it is looked whether a simulation goes on. If two looks find that nothing did, it is given up.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A fleet to simulate, and how it is judged.
#[must_use = "a simulation does nothing until it is run"]
pub struct Sim {
    seed: u64,
    masters: u16,
    hosts: u16,
    rivals: u16,
    neighbours: u16,
    lasts: Duration,
    stable: Duration,
    agent: StartAgent,
    workload: Workload,
    faults: Faults,
    checks: Vec<Box<dyn Check>>,
    bounds: Bounds,
    kept: Kept,
    replay: Option<String>,
}

impl Sim {
    /// One master, three hosts with the agent of Helios, a mixed workload, no faults, all checks.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            masters: 1,
            hosts: 3,
            rivals: 0,
            neighbours: 0,
            lasts: Duration::from_secs(180),
            stable: Duration::from_secs(300),
            agent: Arc::new(|host| {
                Box::pin(async move {
                    // An agent that could not start is started again, as by a service manager.
                    let _ = host.helios_agent().run(std::future::pending()).await;
                })
            }),
            workload: Workload::mixed(),
            faults: Faults::none(),
            checks: checks::all(),
            bounds: Bounds::default(),
            kept: Kept::default(),
            replay: None,
        }
    }

    /// A fleet and a time of faults whose size follows from the seed.
    pub fn swarm(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "size", 0);
        let hosts = [1, 1, 2, 2, 3, 3, 4, 6];
        let hosts = dice.pick(&hosts).copied().unwrap_or(1);
        let masters = if dice.chance(400) { 2 } else { 1 };
        let rivals = u16::from(dice.chance(100));
        let neighbours = u16::from(Dice::new(seed, "neighbours", 0).chance(200));
        let lasts = dice.between(Duration::from_secs(60), Duration::from_secs(420));
        Self::new(seed)
            .masters(masters)
            .hosts(hosts)
            .rivals(rivals)
            .neighbours(neighbours)
            .lasting(lasts)
            .faults(Faults::swarm())
    }

    /// With so many masters.
    pub fn masters(self, masters: u16) -> Self {
        Self { masters, ..self }
    }

    /// With so many hosts, each with an agent and an engine.
    pub fn hosts(self, hosts: u16) -> Self {
        Self { hosts, ..self }
    }

    /// With so many more machines that claim the name of one of the hosts.
    pub fn rivals(self, rivals: u16) -> Self {
        Self { rivals, ..self }
    }

    /// With so many containers on every engine that belong to somebody else.
    pub fn neighbours(self, neighbours: u16) -> Self {
        Self { neighbours, ..self }
    }

    /// With faults and changes for so long.
    pub fn lasting(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    /// With so long a time at the end in which everything must stay as it is.
    pub fn stable_for(self, stable: Duration) -> Self {
        Self { stable, ..self }
    }

    /// With another agent on every host. It is started anew whenever it ends.
    pub fn agent<F: Future<Output = ()> + Send + 'static>(
        self,
        start: impl Fn(HostCtx) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            agent: Arc::new(move |host| Box::pin(start(host))),
            ..self
        }
    }

    /// With other changes.
    pub fn workload(self, workload: Workload) -> Self {
        Self { workload, ..self }
    }

    /// With these faults.
    pub fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Judged by these checks.
    pub fn checks(self, checks: Vec<Box<dyn Check>>) -> Self {
        Self { checks, ..self }
    }

    /// Judged by other limits.
    pub fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Without what is not kept.
    pub fn keep(mut self, kept: Kept) -> Self {
        if let Some(faults) = &kept.faults {
            self.faults = self.faults.only(faults.iter().copied());
        }
        Self { kept, ..self }
    }

    /// The masters and agents of it.
    fn actors(&self) -> BTreeSet<Actor> {
        let masters = (0..self.masters).map(Actor::Master);
        let agents = (0..self.hosts + self.rivals).map(Actor::Agent);
        let all = masters.chain(agents);
        all.filter(|actor| self.kept.has(*actor)).collect()
    }

    /// How long things fail.
    fn heals_at(&self) -> Duration {
        self.kept.until.unwrap_or(self.lasts).min(self.lasts)
    }

    /// With the command that runs this seed again, for the report of a failure. `{faults}` in it becomes the list of the faults
    /// that struck, which [`Faults::plan`] takes after [`Point`]'s `parse`.
    pub fn replay_with(self, command: impl Into<String>) -> Self {
        Self {
            replay: Some(command.into()),
            ..self
        }
    }

    /// Runs it to its end. An agent that blocks its thread for ever, by itself or in a task that it spawned, is given
    /// up after ten seconds, with a verdict that names it.
    #[must_use]
    pub fn run(self) -> Report {
        let pulse = Arc::new(Pulse::default());
        let (sender, receiver) = std::sync::mpsc::channel();
        let (seed, replay) = (self.seed, self.replay.clone());
        let its_pulse = Arc::clone(&pulse);
        let spawned = thread::Builder::new()
            .name("simulation".to_owned())
            .spawn(move || {
                // If nobody waits for it any more, it was given up.
                drop(sender.send(drive::run(self, its_pulse)));
            });
        let (mut beats, mut quiet) = (0, 0);
        let (actor, verdict) = loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(report) => {
                    return match spawned.map(thread::JoinHandle::join) {
                        Ok(_) | Err(_) => report,
                    };
                }
                Err(RecvTimeoutError::Disconnected) => break (None, ended(spawned)),
                Err(RecvTimeoutError::Timeout) => {
                    let now = pulse.beats();
                    quiet = if now == beats { quiet + 1 } else { 0 };
                    beats = now;
                    if quiet >= 2
                        && let Some((actor, how)) = pulse.stuck(LOOK_EVERY * quiet)
                    {
                        break (Some(actor), how);
                    }
                }
            }
        };
        Report::of_failure(seed, replay, actor, verdict)
    }

    /// Runs the simulation that `make` makes twice, and adds a violation if the two differ: then something
    /// in it depends on chance that is not the seed's.
    #[must_use]
    pub fn run_twice(make: impl Fn() -> Self) -> Report {
        let (mut first, second) = (make().run(), make().run());
        first.compare(&second);
        first
    }
}

/// Why a simulation ended without a report: something that is no actor's panicked, as a check.
fn ended(spawned: std::io::Result<thread::JoinHandle<()>>) -> String {
    let panic = spawned.ok().and_then(|thread| thread.join().err());
    let why = panic.as_ref().map(|panic| actor::message(&**panic));
    let why = why.unwrap_or("nobody knows why");
    format!("the simulation ended without a report, perhaps because of a check: {why}")
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim")
            .field("seed", &self.seed)
            .field("masters", &self.masters)
            .field("hosts", &self.hosts)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
