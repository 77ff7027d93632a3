//! Following an entry or a directory.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream;
use helios_core::store::{Scope, Snapshot, StoreError};
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};

use super::super::trace::{Actor, What};
use super::super::world::{Life, World};
use super::client::away;
use super::model::key_of;

/// A watch that is open.
struct Watch {
    world: World,
    life: Arc<Life>,
    scope: Scope,
    number: u64,
    notify: Arc<Notify>,
    said_cut: bool,
}

/// What a watch does next.
enum Next {
    Show(Snapshot),
    SayCut,
    WaitUntil(Duration),
    Wait,
}

pub(super) fn watch(
    world: World,
    life: Arc<Life>,
    scope: Scope,
) -> BoxStream<'static, Result<Snapshot, StoreError>> {
    let client = (life.actor, life.number);
    let (number, notify) = world.with(|state| {
        let now = state.now;
        let mut dice = state.dice(
            &format!("watch {} {}", client.0, scope.key()),
            client.1.into(),
        );
        let due = now + dice.between(Duration::ZERO, Duration::from_millis(20));
        state.store.watch(client, scope.clone(), due)
    });
    let watch = Watch {
        world,
        life,
        scope,
        number,
        notify,
        said_cut: false,
    };
    stream::unfold(watch, |mut watch| async move {
        let item = watch.next().await;
        Some((item, watch))
    })
    .boxed()
}

impl Watch {
    async fn next(&mut self) -> Result<Snapshot, StoreError> {
        loop {
            match self.look() {
                Next::Show(snapshot) => return Ok(snapshot),
                Next::SayCut => {
                    // A client notices a lost connection after a while, not at once.
                    sleep(Duration::from_secs(1)).await;
                    if self.life.is_over() {
                        return pending().await;
                    }
                    self.said_cut = true;
                    let key = key_of(&self.scope);
                    let actor = self.life.actor;
                    self.world
                        .with(|state| state.record(actor, What::ReadFailed { key }));
                    return Err(away(&self.scope));
                }
                Next::WaitUntil(due) => tokio::select! {
                    biased;
                    () = sleep_until(self.world.start() + due) => {}
                    () = self.notify.notified() => {}
                },
                Next::Wait => self.notify.notified().await,
            }
        }
    }

    fn look(&mut self) -> Next {
        if self.life.is_over() {
            return Next::Wait;
        }
        let client: (Actor, u32) = (self.life.actor, self.life.number);
        let (number, said_cut) = (self.number, self.said_cut);
        let next = self.world.with(|state| {
            let now = state.now;
            if state.store.is_cut(client) {
                return if said_cut { Next::Wait } else { Next::SayCut };
            }
            match state.store.due(number) {
                Some(due) if due > now => Next::WaitUntil(due),
                None => Next::Wait,
                Some(_) => {
                    state.store.looked(number, now);
                    let (snapshot, zxid) = state.store.see(client, &self.scope, now);
                    let key = key_of(&self.scope);
                    state.record(client.0, What::Read { key, zxid });
                    Next::Show(snapshot)
                }
            }
        });
        if matches!(next, Next::Show(_)) {
            self.said_cut = false;
        }
        next
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let number = self.number;
        self.world.with(|state| state.store.unwatch(number));
    }
}
