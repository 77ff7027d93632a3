//! The model keeps every guarantee of the port, by the same suite as every real store.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::store::Key;
use tokio::time::sleep;

use crate::store::{Session, StoreHarness};

use super::super::trace::Actor;
use super::super::world::World;
use super::SimStore;

/// How long a session outlives its owner here: the suite waits for that in real time.
const SESSION_TIMEOUT: Duration = Duration::from_millis(300);

/// An ensemble of its own, in a world where nothing fails.
struct Simulated {
    world: World,
    opened: AtomicU32,
}

async fn simulated() -> Simulated {
    Simulated {
        world: World::quiet(SESSION_TIMEOUT),
        opened: AtomicU32::new(0),
    }
}

#[async_trait]
impl StoreHarness for Simulated {
    async fn open(&self) -> Session {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let number = u16::try_from(number).expect("not that many sessions");
        let life = self.world.begin_life(Actor::Master(number));
        let store = SimStore::connect(&self.world, &life);
        let world = self.world.clone();
        Session::new(store, async move {
            world.kill(&life);
            sleep(SESSION_TIMEOUT * 2).await;
        })
    }

    /// What was acknowledged is in the log, which nothing here can lose.
    async fn restart(&self) {}

    async fn disturb(&self) {
        let opened = self.opened.load(Ordering::Relaxed);
        for number in 0..opened {
            let number = u16::try_from(number).expect("not that many sessions");
            let client = (Actor::Master(number), 1);
            self.world.with(|state| {
                let now = state.now;
                state.store.cut(client, now)
            });
        }
        sleep(SESSION_TIMEOUT / 3).await;
        for client in self.world.with(|state| state.store.cut_clients()) {
            self.world.with(|state| {
                let (now, mut dice) = (state.now, state.dice("mend", 0));
                state.store.mend(client, now, &mut dice);
            });
        }
    }

    fn root(&self) -> Key {
        Key::new("suite").expect("a legal key")
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

crate::store_conformance!(simulated);
