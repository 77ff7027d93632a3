//! Trouble that comes from outside, as far as nobody has to be told.

use helios_core::runtime::Protocol;

use super::actor::PORTS;
use super::fault::Chaos;
use super::trace::{Actor, What};
use super::world::State;

/// Trouble that needs nothing but the state.
pub(super) fn quietly(state: &mut State, chaos: &Chaos, n: u64) {
    let now = state.now;
    let mut dice = state.dice("strike", n);
    match chaos {
        Chaos::ContainerDies(number) => {
            let Some(engine) = state.engines.get_mut(number) else {
                return;
            };
            let change = dice
                .pick(&engine.running())
                .and_then(|id| engine.end(id, 1, now));
            if let Some(change) = change {
                state.record(Actor::Engine(*number), What::Effect { call: 0, change });
            }
        }
        Chaos::ClockJump(actor, by) => {
            *state.clock_jumps.entry(*actor).or_default() += by;
            // An engine and its agent look at the same clock.
            if let Actor::Agent(number) = actor
                && let Some(engine) = state.engines.get_mut(number)
            {
                engine.clock_jump += by;
            }
        }
        Chaos::ReplicaLags(replica, lasts) => state.store.stick_replica(*replica, now + *lasts),
        Chaos::DiskFull(number, lasts) => {
            state.disks.entry(*number).or_default().full_until = now + *lasts;
        }
        Chaos::RegistryDown(lasts) => state.registry_down_until = now + *lasts,
        Chaos::GhostPort(number, lasts) => {
            let Some(engine) = state.engines.get_mut(number) else {
                return;
            };
            if let Some(port) = dice.pick(&engine.ports_wanted()) {
                engine.haunt(*port, now + *lasts);
            }
        }
        Chaos::AllPortsTaken(number, lasts) => {
            let Some(engine) = state.engines.get_mut(number) else {
                return;
            };
            let held = engine.taken(now);
            for place in PORTS.flat_map(|port| [Protocol::Tcp, Protocol::Udp].map(|p| (p, port))) {
                if !held.contains(&place) {
                    engine.haunt(place, now + *lasts);
                }
            }
        }
        _ => {}
    }
}
