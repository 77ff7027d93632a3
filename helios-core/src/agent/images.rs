//! Removing the images that this agent pulled and that no job of its host needs any more.
//!
//! An image is the agent's own if it was not here when a create asked for it, was pulled then, and is still what
//! its reference means. That is written down after the pull and struck out before the removal, so a crash in between
//! leaves an image behind and never takes somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::runtime::Images;
use crate::schema;
use crate::state_dir::{StateDir, StateDirError};
use crate::time::Moment;

use super::run::Running;
use super::{Agent, AgentError};

/// The document that [`Pulled`] is kept in.
const DOCUMENT: &str = "images.json";

/// When a round counts as hung.
const ROUND_TIMEOUT: Duration = Duration::from_secs(600);

/// The images that this agent pulled: reference to id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pulled {
    #[serde(default)]
    images: BTreeMap<String, String>,
}

/// What the agent knows of the images it pulled.
#[derive(Default)]
pub(super) struct Shelf {
    pulled: Pulled,
    /// Pulled just now, their ids not known yet.
    fresh: BTreeSet<String>,
    /// Since when nobody needs them, or since when their removal failed.
    unneeded_since: BTreeMap<String, Moment>,
    /// How many were removed since the start.
    pub(super) removed: u64,
    pub(super) round: Option<BoxFuture<'static, Round>>,
}

/// How a round ended.
#[derive(Debug)]
pub(super) struct Round {
    /// `None` if it took too long: then nothing is known to have changed.
    pulled: Option<Pulled>,
    removed: u64,
    /// What should have been removed and was not, as because something else uses it.
    kept: Vec<String>,
}

impl Shelf {
    /// With what is remembered. What cannot be read is set aside: without it no image is surely ours.
    pub(super) async fn start(agent: &Agent) -> Result<Self, AgentError> {
        let mut shelf = Self::default();
        if agent.images.is_none() {
            return Ok(shelf);
        }
        let document = agent.state.load(DOCUMENT).await;
        if let Some(document) = document.map_err(AgentError::state)? {
            match serde_json::from_slice(&document) {
                Ok(pulled) => shelf.pulled = pulled,
                Err(error) => {
                    let aside = agent.state.set_aside(DOCUMENT).await;
                    let aside = aside.map_err(AgentError::state)?;
                    warn!(%error, aside, "the list of images that this agent pulled could not be read and begins anew");
                }
            }
        }
        Ok(shelf)
    }

    /// Learns that an image was pulled for a create that did not find it.
    pub(super) fn pulled(&mut self, reference: &str) {
        self.fresh.insert(reference.to_owned());
    }

    pub(super) fn learn(&mut self, round: Round, now: Moment) {
        self.removed += round.removed;
        if let Some(pulled) = round.pulled {
            self.pulled = pulled;
        }
        for reference in round.kept {
            self.unneeded_since.insert(reference, now);
        }
    }

    /// Which of the images nobody has needed for `keep_for`, and when the next one will be so.
    fn due(
        &mut self,
        needed: &BTreeSet<&str>,
        keep_for: Duration,
        now: Moment,
    ) -> (Vec<String>, Option<Moment>) {
        let images = &self.pulled.images;
        let unneeded =
            |reference: &str| images.contains_key(reference) && !needed.contains(reference);
        self.unneeded_since
            .retain(|reference, _| unneeded(reference));
        for reference in images.keys().filter(|reference| unneeded(reference)) {
            self.unneeded_since.entry(reference.clone()).or_insert(now);
        }
        let (mut due, mut next) = (Vec::new(), None);
        for (reference, since) in &self.unneeded_since {
            let at = since.plus(keep_for);
            if at <= now {
                due.push(reference.clone());
            } else {
                next = [next, Some(at)].into_iter().flatten().min();
            }
        }
        (due, next)
    }
}

impl Running {
    /// Begins to remove images when it is time for that.
    pub(super) fn tidy_images(&mut self, now: Moment) {
        let Some((images, keep_for)) = self.agent.images.clone() else {
            return;
        };
        let has_some = !self.shelf.pulled.images.is_empty() || !self.shelf.fresh.is_empty();
        // What is wanted has to be known before anything is called unneeded.
        if self.shelf.round.is_some() || !has_some || !self.live.desired.complete {
            return;
        }
        let goals = self.live.remembered.goals.values();
        let needed = goals.filter_map(|goal| goal.job.image.as_deref()).collect();
        let (due, next) = self.shelf.due(&needed, keep_for, now);
        self.wake_at(next);
        let fresh = std::mem::take(&mut self.shelf.fresh);
        if fresh.is_empty() && due.is_empty() {
            return;
        }
        let begun = Begun {
            images,
            state: Arc::clone(&self.agent.state),
            pulled: self.shelf.pulled.clone(),
        };
        self.shelf.round = Some(begun.run(fresh, due).boxed());
    }
}

/// A round, with all it needs: nothing else waits for it.
struct Begun {
    images: Arc<dyn Images>,
    state: Arc<dyn StateDir>,
    pulled: Pulled,
}

impl Begun {
    async fn run(self, fresh: BTreeSet<String>, due: Vec<String>) -> Round {
        let kept = due.clone();
        let round = timeout(ROUND_TIMEOUT, self.note_and_remove(fresh, due)).await;
        round.unwrap_or(Round {
            pulled: None,
            removed: 0,
            kept,
        })
    }

    async fn note_and_remove(mut self, fresh: BTreeSet<String>, due: Vec<String>) -> Round {
        let (mut removed, mut kept) = (0, Vec::new());
        for reference in fresh {
            if let Ok(Some(id)) = self.images.image_id(&reference).await {
                self.pulled.images.insert(reference, id);
            }
        }
        let stored = self.store().await;
        for reference in due {
            match self.remove(&reference).await {
                Ok(true) => {
                    info!(
                        image = reference,
                        because = "no job here needs it",
                        "removed an image"
                    );
                    removed += 1;
                }
                Ok(false) => {}
                Err(error) => {
                    warn!(image = reference, error, "an image was not removed");
                    kept.push(reference);
                }
            }
        }
        if let Err(error) = stored {
            warn!(%error, "the list of images that this agent pulled was not stored");
        }
        Round {
            pulled: Some(self.pulled),
            removed,
            kept,
        }
    }

    /// Removes the image, if it is still the one that was pulled; says whether it did.
    async fn remove(&mut self, reference: &str) -> Result<bool, String> {
        let found = self.images.image_id(reference).await;
        let found = found.map_err(|error| error.to_string())?;
        let Some(own) = self.pulled.images.remove(reference) else {
            return Ok(false);
        };
        let stored = self.store().await.map_err(|error| error.to_string());
        if found.as_ref() != Some(&own) {
            return stored.map(|()| false);
        }
        let removed = match stored {
            Ok(()) => {
                let removed = self.images.remove_image(reference).await;
                removed.map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        if removed.is_err() {
            self.pulled.images.insert(reference.to_owned(), own);
            self.store().await.map_err(|error| error.to_string())?;
        }
        removed.map(|()| true)
    }

    async fn store(&self) -> Result<(), StateDirError> {
        let document = schema::encode(&self.pulled);
        self.state.save(DOCUMENT, &document).await
    }
}

#[cfg(test)]
mod tests;
