//! The disk of a machine: what was not synced when its agent died may be lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::agent::Remembered;
use helios_core::state_dir::{StateDir, StateDirError};

use super::dice::Dice;
use super::trace::{Actor, What};
use super::world::{Life, Pace, State, World};

/// The documents of a machine.
#[derive(Debug, Default)]
pub(super) struct Disk {
    synced: BTreeMap<String, Vec<u8>>,
    unsynced: BTreeMap<String, Vec<u8>>,
    pub(super) full_until: Duration,
}

impl Disk {
    /// What was on its way to the disk is there or is not, as it happens. Yields what is.
    pub(super) fn crash(&mut self, dice: &mut Dice) -> Vec<What> {
        let mut saved = Vec::new();
        for (name, document) in std::mem::take(&mut self.unsynced) {
            if dice.chance(500) {
                saved.push(self.sync(name, document));
            }
        }
        saved
    }

    /// Keeps a document for good.
    fn sync(&mut self, name: String, document: Vec<u8>) -> What {
        let remembered = serde_json::from_slice::<Remembered>(&document).ok();
        let leases = remembered.map(|remembered| {
            let leases = remembered.leases.iter();
            leases
                .map(|(job, ports)| (job.clone(), (**ports).clone()))
                .collect()
        });
        self.synced.insert(name.clone(), document);
        What::Saved { name, leases }
    }
}

/// An agent's handle on the disk of its machine, for one of its lives.
pub(super) struct SimDisk {
    world: World,
    life: Arc<Life>,
    machine: u16,
}

const PACE: Pace = Pace {
    travel: Duration::from_millis(1),
    work: Duration::from_millis(3),
    patience: Duration::from_millis(800),
    late: Duration::from_millis(1),
};

impl SimDisk {
    pub(super) fn new(world: &World, life: &Arc<Life>, machine: u16) -> Self {
        Self {
            world: world.clone(),
            life: Arc::clone(life),
            machine,
        }
    }
}

#[async_trait]
impl StateDir for SimDisk {
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        let read = |state: &mut State| {
            let disk = state.disks.entry(self.machine).or_default();
            Ok(disk.synced.get(name).cloned())
        };
        // Reading a local file does not fail for a while: what the agent could not survive is not tried.
        let failed = |_| Err(StateDirError::new("the disk does not answer"));
        let read = self.world.look(&self.life, PACE, read, failed);
        match read.await {
            Ok(document) => Ok(document),
            Err(_) => Ok(self.world.with(|state| {
                state
                    .disks
                    .entry(self.machine)
                    .or_default()
                    .synced
                    .get(name)
                    .cloned()
            })),
        }
    }

    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError> {
        let (name, document, machine) = (name.to_owned(), document.to_vec(), self.machine);
        let life = Arc::clone(&self.life);
        self.world.still_alive(&life).await;
        self.world.with(|state| {
            let disk = state.disks.entry(machine).or_default();
            disk.unsynced.insert(name.clone(), document.clone());
        });
        let apply = move |state: &mut State| {
            let now = state.now;
            let disk = state.disks.entry(machine).or_default();
            if life.is_over() {
                return Ok(()); // Whether it came through was decided when the agent died.
            }
            disk.unsynced.remove(&name);
            if disk.full_until > now {
                return Err(StateDirError::new(format!(
                    "{name} was not saved: no space left"
                )));
            }
            let saved = disk.sync(name, document);
            state.record(Actor::Agent(machine), saved);
            Ok(())
        };
        let failed = |_| Err(StateDirError::new("the disk did not say whether it saved"));
        self.world.call(&self.life, PACE, apply, failed).await
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        self.world.still_alive(&self.life).await;
        let aside = format!("{name}.aside");
        self.world.with(|state| {
            let disk = state.disks.entry(self.machine).or_default();
            if let Some(document) = disk.synced.remove(name) {
                disk.synced.insert(aside.clone(), document);
            }
        });
        Ok(aside)
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDisk({}/{})", self.life.actor, self.life.number)
    }
}
