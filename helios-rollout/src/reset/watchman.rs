//! The loop that asks what the guards of resets ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use helios_core::cluster::{Cluster, FleetView, Records};
use helios_core::{Moment, Timestamp};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::arms::Window;
use super::{ResetError, ResetRecord, Resets, Sights, Stage};
use crate::drive::EvidenceSource;
use crate::drive::evidence::Arms;
use crate::drive::inquiry::{Inquiry, ask_every, quiet_for};
use crate::guard::Objective;

/// How often it is looked whether an objective is due.
const TICK: Duration = Duration::from_secs(1);

/// What the driver of the resets sees: all of them, and the fleet.
pub(super) type Seen = Option<(Records<String, ResetRecord>, FleetView)>;

/// Asks what the guards of resets ask, and notes the answers in the resets. It decides nothing: the driver's next step does.
///
/// Every master has one. A look counts from where the last one ended, so of several masters one notes it.
#[derive(Debug)]
pub(super) struct Watchman {
    resets: Resets,
    cluster: Cluster,
    inquiry: Inquiry,
    /// By reset and objective.
    windows: BTreeMap<(String, String), Begun>,
}

/// Where a window of time began.
#[derive(Debug)]
struct Begun {
    at: Timestamp,
    /// How the reset was then.
    record: Arc<ResetRecord>,
    /// When it was asked last.
    asked: Moment,
}

impl Watchman {
    pub(super) fn new(cluster: &Cluster, source: Arc<dyn EvidenceSource>) -> Self {
        Self {
            resets: Resets::of(cluster.clone()),
            cluster: cluster.clone(),
            inquiry: Inquiry::of(source),
            windows: BTreeMap::new(),
        }
    }

    /// Asks until it is dropped.
    ///
    /// # Cancellation
    /// What was asked and not noted is asked again.
    pub(super) async fn run(mut self, seen: watch::Receiver<Seen>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = seen.borrow().clone();
            if let Some((records, view)) = now {
                self.look(&records, &view).await;
            }
        }
    }

    async fn look(&mut self, records: &Records<String, ResetRecord>, view: &FleetView) {
        let is_guarded = |record: &ResetRecord| {
            let goes_on = matches!(record.progress.stage, Stage::Running | Stage::Paused);
            goes_on && record.progress.monitor.is_some()
        };
        self.windows
            .retain(|(name, _), _| records.get(name).is_some_and(|record| is_guarded(record)));
        let guarded = records.iter().filter(|(_, record)| is_guarded(record));
        let guarded: Vec<_> = guarded.collect();
        if guarded.is_empty() {
            return;
        }
        let moment = self.cluster.clock().moment();
        self.inquiry.watch(view, &Records::default(), moment);
        for (name, record) in guarded {
            if let Err(error) = self.look_at(name, &record.record, view).await {
                warn!(reset = name, %error, "what its guard saw was not noted; it looks again");
            }
        }
    }

    /// One look at every objective of a reset that is due. A look without events is noted seldom.
    async fn look_at(
        &mut self,
        name: &str,
        record: &Arc<ResetRecord>,
        view: &FleetView,
    ) -> Result<(), ResetError> {
        let Some(monitor) = &record.progress.monitor else {
            return Ok(());
        };
        let length = record.reset.deadline.since(record.progress.created);
        let quiet = quiet_for(length);
        let strata = record.reset.strata();
        for (objective, since) in monitor.looked() {
            let clock = self.cluster.clock();
            let (now, moment) = (clock.now(), clock.moment());
            if !objective.is_asked() || !self.is_due(name, record, objective, since, quiet) {
                continue;
            }
            let key = (name.to_owned(), objective.name.clone());
            let (Some(begun), Ok(sights)) = (self.windows.get(&key), Sights::of(view)) else {
                continue;
            };
            let window = Window {
                reset: &record.reset,
                strata: &strata,
                sights: &sights,
                then: &begun.record.progress,
                now: &record.progress,
            };
            let look = self
                .inquiry
                .look(&window, objective, begun.at, (now, moment))
                .await;
            let first = !window.is_known(&objective.name);
            let is_long = now.since(begun.at) >= quiet;
            let Some(look) = look
                .ok()
                .filter(|look| first || is_long || look.is_eventful())
            else {
                continue;
            };
            let services = window.by_service(&look.tally);
            self.resets.note(name, since, &look, &services).await?;
            self.windows.insert(key, Begun::now(now, record, moment));
        }
        Ok(())
    }

    /// Whether to ask now. A window begins with the first sight of the reset, and after a look of another master: that one saw what was before.
    fn is_due(
        &mut self,
        name: &str,
        record: &Arc<ResetRecord>,
        objective: &Objective,
        since: Timestamp,
        quiet: Duration,
    ) -> bool {
        let clock = self.cluster.clock();
        let (now, moment) = (clock.now(), clock.moment());
        let key = (name.to_owned(), objective.name.clone());
        match self.windows.get_mut(&key) {
            Some(begun) if begun.at >= since => {
                let is_due = moment.since(begun.asked) >= ask_every(quiet) && now > begun.at;
                if is_due {
                    begun.asked = moment;
                }
                is_due
            }
            _ => {
                self.windows.insert(key, Begun::now(now, record, moment));
                false
            }
        }
    }
}

impl Begun {
    fn now(at: Timestamp, record: &Arc<ResetRecord>, asked: Moment) -> Self {
        Self {
            at,
            record: Arc::clone(record),
            asked,
        }
    }
}
