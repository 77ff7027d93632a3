//! The clock and the ports of a machine.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use helios_core::agent::{Machine, PortHolder};
use helios_core::model::HostInfo;
use helios_core::runtime::Protocol;
use helios_core::{Clock, Moment, Timestamp};

use super::trace::Actor;
use super::world::World;

/// The wall clock at the start of every run.
pub(super) const EPOCH_MILLIS: i64 = 1_700_000_000_000;

/// What a wall clock shows that jumped so far in all.
pub(super) fn wall_clock(now: Duration, jump: i64) -> Timestamp {
    let passed = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(EPOCH_MILLIS + passed + jump)
}

/// The clocks of an actor. The wall clock jumps; the other one does not.
pub(super) struct SimClock {
    world: World,
    actor: Actor,
    born: Duration,
}

impl SimClock {
    pub(super) fn new(world: &World, actor: Actor) -> Self {
        let born = world.with(|state| state.now);
        Self {
            world: world.clone(),
            actor,
            born,
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.world.with(|state| {
            let jump = state.clock_jumps.get(&self.actor).copied().unwrap_or(0);
            wall_clock(state.now, jump)
        })
    }

    fn moment(&self) -> Moment {
        let passed = self.world.with(|state| state.now.saturating_sub(self.born));
        Moment::from_millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What an agent can learn of its machine.
#[derive(Debug)]
pub(super) struct SimMachine {
    world: World,
    machine: u16,
}

impl SimMachine {
    pub(super) fn new(world: &World, machine: u16) -> Self {
        Self {
            world: world.clone(),
            machine,
        }
    }
}

impl Machine for SimMachine {
    fn info(&self) -> HostInfo {
        let boot = self
            .world
            .with(|state| state.boots.get(&self.machine).copied());
        let (boot, since) = boot.unwrap_or_default();
        let since = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let mut info = HostInfo::default();
        info.boot_id = Some(format!("boot{boot}"));
        info.up_since = Some(Timestamp::from_millis(EPOCH_MILLIS + since));
        info
    }

    fn ports_in_use(&self) -> BTreeMap<(Protocol, u16), Option<PortHolder>> {
        self.world.with(|state| {
            let now = state.now;
            let taken = state
                .engines
                .get(&self.machine)
                .map(|engine| engine.taken(now));
            taken
                .unwrap_or_default()
                .into_iter()
                .map(|port| (port, None))
                .collect()
        })
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimClock({})", self.actor)
    }
}
