//! The whole cluster, kept at hand.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use helios_core::cluster::{Cluster, FleetView};
use helios_core::store::StoreError;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::events::{EventHub, changes, watch_named};
use super::fault::{Fault, Reason};
use super::host_texts::HostTexts;
use super::pieces::Pieces;
use super::reply::json_text;
use super::waiting::{Tag, Waiting};

/// How long an answer to a change waits until reads show it.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);
/// How long whoever follows what happens waits for the first look at the cluster.
const BEGUN_WITHIN: Duration = Duration::from_secs(5);
/// How many requests wait at a time: half of the connections, so that others are always served.
const WAITS_MAX: usize = 256;
/// How long a request that waits lets changes gather before it looks at them.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The whole cluster as the watch of its store last showed it.
///
/// Reads are served from here and cost the store nothing, however many hosts there are. While the watch
/// has trouble, they go to the store itself instead of showing what may be old.
#[derive(Clone, Debug)]
pub(super) struct FleetCache {
    cluster: Cluster,
    seen: watch::Receiver<Seen>,
    /// What happens.
    pub(super) events: Arc<EventHub>,
    /// The texts of hosts that were asked for.
    pub(super) texts: Arc<HostTexts>,
    /// Places for requests that wait.
    pub(super) waits: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Seen {
    view: Option<FleetView>,
    /// Whether the watch has had trouble since that view.
    trouble: bool,
}

impl FleetCache {
    /// Follows the cluster in a task that ends with the last clone of this.
    pub(super) fn follow(cluster: &Cluster) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let events = Arc::new(EventHub::new());
        tokio::spawn(follow(cluster.clone(), sender, Arc::clone(&events)));
        Self {
            cluster: cluster.clone(),
            seen,
            events,
            texts: Arc::default(),
            waits: Arc::new(Semaphore::new(WAITS_MAX)),
        }
    }

    /// The cluster now, as far as the store has told. The first look is waited for: it is as large as another would be.
    pub(super) async fn view(&self) -> Result<FleetView, StoreError> {
        if self.at_hand().is_none() {
            let mut seen = self.seen.clone();
            let looked = seen.wait_for(|seen| seen.view.is_some() || seen.trouble);
            drop(timeout(BEGUN_WITHIN, looked).await);
        }
        match self.at_hand() {
            Some(view) => Ok(view),
            None => self.cluster.fleet().await,
        }
    }

    /// Waits until the cluster was looked at once: what happens from then on is told. Whether it was in time.
    pub(super) async fn begun(&self) -> bool {
        let mut seen = self.seen.clone();
        let first = seen.wait_for(|seen| seen.view.is_some());
        matches!(timeout(BEGUN_WITHIN, first).await, Ok(Ok(_)))
    }

    fn at_hand(&self) -> Option<FleetView> {
        let followed = self.seen.has_changed().is_ok();
        let seen = self.seen.borrow();
        seen.view.clone().filter(|_| followed && !seen.trouble)
    }

    /// Answers with what `make` makes of the cluster; to a client that waits, once that is something new.
    pub(super) async fn answer<T: Into<Pieces>>(
        &self,
        waiting: &Waiting,
        make: impl Fn(&FleetView) -> Result<T, Fault>,
    ) -> Result<Response, Fault> {
        let mut seen = self.seen.clone();
        let end = waiting.longest.map(|longest| Instant::now() + longest);
        loop {
            seen.mark_unchanged();
            let text: Pieces = make(&self.view().await?)?.into();
            let tag = end.and_then(|end| Some((end, Tag::of(text.iter())?)));
            let Some((end, tag)) = tag else {
                return Ok(json_text(StatusCode::OK, text));
            };
            if !waiting.knows(&tag) {
                return Ok(tag.on(json_text(StatusCode::OK, text)));
            }
            let Ok(_place) = self.waits.try_acquire() else {
                let what = "too many requests wait already";
                return Err(Fault::Busy(Reason::new(what, "ask again without waiting")));
            };
            let changed = timeout_at(end, seen.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Ok(tag.unchanged());
            }
            // In a busy fleet most changes are about something else: look at many at once.
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// Waits until reads show a change that was just made, so that whoever made it sees it. Gives up after
    /// a second: somebody else may have changed it again.
    pub(super) async fn shows(&self, made: impl Fn(&FleetView) -> bool) {
        let mut seen = self.seen.clone();
        let shown = seen.wait_for(|seen| seen.trouble || seen.view.as_ref().is_none_or(&made));
        if timeout(SHOWN_WITHIN, shown).await.is_err() {
            tracing::debug!("a change is not shown yet, or was undone");
        }
    }
}

async fn follow(cluster: Cluster, sender: watch::Sender<Seen>, events: Arc<EventHub>) {
    let mut views = cluster.watch_fleet();
    let mut named = watch_named(&cluster);
    let mut older: Option<FleetView> = None;
    loop {
        let item = tokio::select! {
            () = sender.closed() => return,
            item = views.next() => item,
            Some(event) = named.next() => {
                events.publish([event]);
                continue;
            }
        };
        match item {
            Some(Ok(view)) => {
                let happened = older.replace(view.clone());
                let happened = happened.map(|older| changes(&older, &view));
                events.publish(happened.unwrap_or_default());
                let view = Some(view);
                let trouble = false;
                sender.send_replace(Seen { view, trouble });
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the watch of the cluster has trouble: reading directly");
                sender.send_modify(|seen| seen.trouble = true);
            }
            None => return,
        }
    }
}
