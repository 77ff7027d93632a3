//! What resets machines.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::HostName;
use helios_core::agent::HostReset;
use helios_rollout::reset::{Ask, ResetAction};
use tokio::time::sleep;

use super::trace::{Actor, What};
use super::world::{Control, Life, World};

/// Restarts machines: the one of an agent that is told to, or any, for a master. It fails now and then, while things fail.
pub(super) struct Power {
    world: World,
    life: Arc<Life>,
    machine: Option<u16>,
}

impl Power {
    /// That of an agent's own machine.
    pub(super) fn of_agent(world: &World, life: &Arc<Life>, machine: u16) -> Self {
        Self {
            machine: Some(machine),
            ..Self::of_master(world, life)
        }
    }

    /// That of all machines.
    pub(super) fn of_master(world: &World, life: &Arc<Life>) -> Self {
        Self {
            world: world.clone(),
            life: Arc::clone(life),
            machine: None,
        }
    }

    /// Pulls the plug in a while, once for every order.
    async fn pull(&self, machine: u16, order: &str) -> Result<(), String> {
        self.world.still_alive(&self.life).await;
        let actor = Actor::Agent(machine);
        let (after, fails) = self.world.with(|state| {
            let mut dice = state.dice(&format!("pull {actor} {order}"), 0);
            let after = dice.between(Duration::ZERO, Duration::from_secs(3));
            (after, state.faults_on && dice.chance(30))
        });
        if fails {
            return Err("the plug is stuck".to_owned());
        }
        sleep(after).await;
        self.world.still_alive(&self.life).await;
        self.world.with(|state| {
            if !state.resets.insert(order.to_owned()) {
                return;
            }
            let order = order.to_owned();
            state.record(actor, What::Reset { order });
            // If nobody listens the run is over.
            let _ = state.control.send(Control::Reset(machine));
        });
        Ok(())
    }
}

#[async_trait]
impl HostReset for Power {
    async fn reset(&self, id: &str) -> Result<(), String> {
        let Some(machine) = self.machine else {
            return Err("it has no machine".to_owned());
        };
        self.pull(machine, id).await?;
        pending().await
    }
}

#[async_trait]
impl ResetAction for Power {
    async fn ask(&self, ask: &Ask) -> Result<(), Box<dyn Error + Send + Sync>> {
        let machine = number(&ask.host).ok_or("there is no such machine")?;
        Ok(self.pull(machine, &ask.id).await?)
    }
}

/// The first machine that has that name.
fn number(host: &HostName) -> Option<u16> {
    host.as_str().strip_prefix("host")?.parse().ok()
}

impl fmt::Debug for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Power")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
