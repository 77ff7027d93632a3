//! The suite on the fake engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec, Owner, RuntimeErrorKind};

use super::{Behaviour, RuntimeHarness, SampleImage};
use crate::runtime::{FakeEngine, FakeImage, OnStop, Registry};

/// A harness for [`FakeEngine`]; also the shortest example of one.
#[derive(Debug)]
pub struct FakeHarness {
    engine: FakeEngine,
    next_port: AtomicU16,
}

impl Default for FakeHarness {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHarness {
    /// A harness for a fresh engine.
    #[must_use]
    pub fn new() -> Self {
        let engine = FakeEngine::new();
        for (image, registry) in [
            (SampleImage::Unknown, Registry::Lacks),
            (SampleImage::Unreachable, Registry::Unreachable),
            (SampleImage::Denied, Registry::Denies),
        ] {
            engine.image(format!("{image:?}"), FakeImage::new().registry(registry));
        }
        Self {
            engine,
            next_port: AtomicU16::new(20_000),
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &FakeEngine {
        &self.engine
    }
}

#[async_trait]
impl RuntimeHarness for FakeHarness {
    async fn runtime(&self, owner: &str) -> Arc<dyn Runtime> {
        match Owner::new(owner) {
            Ok(owner) => Arc::new(self.engine.runtime(owner)),
            Err(error) => panic!("{error}"),
        }
    }

    fn spec(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        let here = FakeImage::new().here();
        let image = match behaviour {
            Behaviour::Obedient => here,
            Behaviour::Slow => here.on_stop(OnStop::EndsAfter(Duration::from_millis(10))),
            Behaviour::Stubborn => here.on_stop(OnStop::Ignores),
            Behaviour::Exits(code) => here.exits_after(Duration::ZERO, i64::from(code)),
            Behaviour::NoSuchCommand => here.start_fails(RuntimeErrorKind::BadSpec),
            Behaviour::Refused => here.create_fails(RuntimeErrorKind::BadSpec),
        };
        let reference = format!("{behaviour:?}");
        self.engine.image(reference.as_str(), image);
        ContainerSpec::new(name, reference)
    }

    fn image(&self, sample: SampleImage) -> String {
        format!("{sample:?}")
    }

    fn free_port(&self) -> u16 {
        self.next_port.fetch_add(1, Ordering::Relaxed)
    }

    async fn ready(&self, _id: &ContainerId) {}

    async fn run_of(&self, id: &ContainerId) -> String {
        self.engine.starts(id.as_str()).to_string()
    }

    async fn kill(&self, id: &ContainerId) {
        self.engine.kill(id.as_str());
    }

    async fn cut(&self) {
        self.engine.go_away();
    }

    async fn heal(&self) {
        self.engine.come_back();
    }

    async fn clean_up(&self) {}
}
