//! The model keeps every guarantee of the port, by the same suite as a real engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec, Owner};

use crate::runtime::conformance::{Behaviour, RuntimeHarness, SampleImage};

use super::super::trace::{Actor, Change, What};
use super::super::world::{Life, World};
use super::SimRuntime;

/// The image that is here.
const HERE: &str = "here:1";

/// An engine of its own, in a world where nothing fails by itself.
pub(super) struct Simulated {
    world: World,
    life: Arc<Life>,
    next_port: AtomicU16,
}

pub(super) async fn simulated() -> Simulated {
    let world = World::quiet(Duration::from_secs(10));
    world.with(|state| {
        let engine = state.engines.get_mut(&0).expect("an engine");
        engine.keep_image(HERE);
    });
    let life = world.begin_life(Actor::Agent(0));
    Simulated {
        world,
        life,
        next_port: AtomicU16::new(20_000),
    }
}

#[async_trait]
impl RuntimeHarness for Simulated {
    async fn runtime(&self, owner: &str) -> Arc<dyn Runtime> {
        let owner = Owner::new(owner).expect("an owner");
        Arc::new(SimRuntime::new(&self.world, &self.life, 0, owner))
    }

    fn spec(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        let command = match behaviour {
            Behaviour::Obedient => "obedient".to_owned(),
            Behaviour::Slow => "slow".to_owned(),
            Behaviour::Stubborn => "stubborn".to_owned(),
            Behaviour::Exits(code) => format!("exits {code}"),
            Behaviour::NoSuchCommand => "missing".to_owned(),
            Behaviour::Refused => "refused".to_owned(),
        };
        let mut spec = ContainerSpec::new(name, HERE);
        spec.command = command.split(' ').map(ToOwned::to_owned).collect();
        spec
    }

    fn image(&self, sample: SampleImage) -> String {
        let name = match sample {
            SampleImage::Pullable => "pullable:1",
            SampleImage::NeverPulled => "never-pulled:1",
            SampleImage::Unknown => "missing:1",
            SampleImage::Unreachable => "unreachable:1",
            SampleImage::Denied => "denied:1",
        };
        name.to_owned()
    }

    fn free_port(&self) -> u16 {
        self.next_port.fetch_add(1, Ordering::Relaxed)
    }

    async fn ready(&self, _id: &ContainerId) {}

    async fn run_of(&self, id: &ContainerId) -> String {
        self.world.with(|state| {
            let started = |what: &What| match what {
                What::Effect {
                    change: Change::Started(started),
                    ..
                } => started == id,
                _ => false,
            };
            let starts = state.events.iter().filter(|event| started(&event.what));
            starts.count().to_string()
        })
    }

    async fn kill(&self, id: &ContainerId) {
        self.world.with(|state| {
            let now = state.now;
            let engine = state.engines.get_mut(&0).expect("an engine");
            if let Some(change) = engine.end(id, 137, now) {
                state.record(Actor::Engine(0), What::Effect { call: 0, change });
            }
        });
    }

    async fn cut(&self) {
        self.away_until(Duration::MAX);
    }

    async fn heal(&self) {
        self.away_until(Duration::ZERO);
    }

    async fn clean_up(&self) {}
}

impl Simulated {
    fn away_until(&self, until: Duration) {
        self.world.with(|state| {
            let engine = state.engines.get_mut(&0).expect("an engine");
            engine.away_until = until;
            engine.tell();
        });
    }
}

crate::runtime_conformance!(simulated);
