//! Looks that follow the engine.

use futures_core::stream::BoxStream;
use futures_util::stream;
use helios_core::runtime::{Containers, Owner, RuntimeError};
use tokio::sync::watch;

use super::engine::{FakeEngine, present};
use super::fault::Verb;

struct Watch {
    engine: FakeEngine,
    owner: Owner,
    changes: watch::Receiver<u64>,
    told: Option<Told>,
}

/// What the reader heard last.
#[derive(PartialEq)]
enum Told {
    Look(Containers),
    Trouble,
}

pub(super) fn watch(
    engine: FakeEngine,
    owner: Owner,
) -> BoxStream<'static, Result<Containers, RuntimeError>> {
    let changes = engine.changes();
    let watch = Watch {
        engine,
        owner,
        changes,
        told: None,
    };
    Box::pin(stream::unfold(watch, |mut watch| async move {
        let item = watch.next().await?;
        Some((item, watch))
    }))
}

impl Watch {
    /// The next look that differs from the last one told. Ends only with the engine.
    async fn next(&mut self) -> Option<Result<Containers, RuntimeError>> {
        loop {
            self.changes.mark_unchanged();
            let look = {
                let state = self.engine.lock();
                present(&state, Verb::List, self.owner.as_str()).map(|()| state.look(&self.owner))
            };
            let telling = match &look {
                Ok(look) => Told::Look(look.clone()),
                Err(_) => Told::Trouble,
            };
            if self.told.as_ref() != Some(&telling) {
                self.told = Some(telling);
                return Some(look);
            }
            self.changes.changed().await.ok()?;
        }
    }
}
