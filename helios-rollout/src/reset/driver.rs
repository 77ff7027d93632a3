//! The loop that moves resets.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use helios_core::cluster::{Cluster, FleetView, Records};
use helios_core::model::HostName;
use helios_core::ops::{Refused, audited, drain_host};
use helios_core::schema::{AuditRecord, Drain, HostRecord, Keys, Stamp};
use helios_core::store::{Scope, Snapshot, StoreError, Txn, Version};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::record::sights_for;
use super::resets::{keys, put};
use super::watchman::{Seen, Watchman};
use super::{
    Ask, Line, Lookout, Order, ResetAction, ResetError, ResetPlan, ResetRecord, Resets, Robustness,
    Sights, To, TrailLine, advance, trail,
};
use crate::drive::{EvidenceSource, NobodyToAsk};

/// How long changes are gathered before they are looked at: in a large fleet there is always one.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(200);
/// After how many times that is looked though nothing changed: for what depends on the time alone.
const LOOK_AT_LEAST_EVERY: u32 = 5;
/// How many steps are made of one look.
const STEPS_MAX: usize = 8;
/// How many orders are carried out at a time.
const ORDERS_AT_ONCE: usize = 16;
/// How many hosts the audit record of a step names.
const NAMED_MAX: usize = 20;

/// Moves the resets of a cluster. Every master runs one; there is no leader.
///
/// Each step is one transaction on the version of the reset that was read, so of several masters one makes it. What is done about hosts rests on that
/// version too. A master may die at any point: the next look of another one goes on from what is stored.
#[derive(Debug)]
pub struct ResetDriver {
    cluster: Cluster,
    me: String,
    action: Arc<dyn ResetAction>,
    source: Arc<dyn EvidenceSource>,
}

/// A reset as it was read, what was known of the services, and what is seen.
struct Look {
    version: Version,
    record: Arc<ResetRecord>,
    robustness: Robustness,
    sights: Sights,
}

/// What is there beside the reset that is looked at.
struct Scene<'a> {
    records: &'a Records<String, ResetRecord>,
    view: &'a FleetView,
    sights: Sights,
}

/// The fleet, while a reset goes on: its watch, and the last view.
type Watched = (
    BoxStream<'static, Result<FleetView, StoreError>>,
    Option<FleetView>,
);

/// A call that is being made, and what came of it: the reset, the host, which time a host was chosen, and the outcome.
type Asking = BoxFuture<'static, (String, HostName, String, Result<(), String>)>;

type Asks = FuturesUnordered<Asking>;

impl ResetDriver {
    /// A driver of that cluster's resets. `me` must differ for every start of every master; `action` resets machines for resets that
    /// leave it to the masters.
    #[must_use]
    pub fn new(cluster: &Cluster, me: impl Into<String>, action: Arc<dyn ResetAction>) -> Self {
        Self {
            cluster: cluster.on_behalf_of("reset driver"),
            me: me.into(),
            action,
            source: Arc::new(NobodyToAsk),
        }
    }

    /// Asks this system of measurement what guards want to know of it.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn EvidenceSource>) -> Self {
        self.source = source;
        self
    }

    /// Runs until `shutdown` is done. Trouble with the store is waited out.
    ///
    /// # Cancellation
    /// Dropping it is the death of a master: another one, or the next start, goes on.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let watchman = Watchman::new(&self.cluster, Arc::clone(&self.source));
        let (tell, told) = watch::channel(None);
        tokio::select! {
            () = shutdown => {}
            () = watchman.run(told) => {}
            () = self.drive_all(&tell) => {}
        }
    }

    async fn drive_all(&self, tell: &watch::Sender<Seen>) {
        let mut resets = self.cluster.store().watch(Scope::Children(Keys::resets()));
        let (mut seen, mut records) = (Snapshot::new(), Records::default());
        let mut fleet: Option<Watched> = None;
        let mut asks = Asks::new();
        let mut asking = BTreeSet::new();
        let mut ticks = interval(LOOK_AT_MOST_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_news, mut quiet) = (true, 0);
        let mut lookout = Lookout::default();
        loop {
            tokio::select! {
                biased;
                Some((reset, host, id, outcome)) = asks.next(), if !asks.is_empty() => {
                    self.tell(&reset, &host, &id, outcome).await;
                    asking.remove(&id);
                }
                _ = ticks.tick() => {
                    quiet += 1;
                    if !is_news && quiet < LOOK_AT_LEAST_EVERY {
                        continue;
                    }
                    (is_news, quiet) = (false, 0);
                    let view = fleet.as_ref().and_then(|(_, view)| view.clone());
                    tell.send_replace(view.map(|view| (records.clone(), view)));
                    asks.extend(self.look_at_all(&records, &mut fleet, &mut lookout, &mut asking).await);
                }
                Some(snapshot) = resets.next() => if let Ok(snapshot) = snapshot {
                    records.advance(&Keys::resets(), &seen, &snapshot);
                    (seen, is_news) = (snapshot, true);
                },
                Some(view) = next_view(&mut fleet) => if let (Ok(view), Some((_, slot))) = (view, &mut fleet) {
                    (*slot, is_news) = (Some(view), true);
                },
            }
        }
    }

    /// One look at every reset that goes on, and the steps that follow; yields the calls that are to be made.
    async fn look_at_all(
        &self,
        records: &Records<String, ResetRecord>,
        fleet: &mut Option<Watched>,
        lookout: &mut Lookout,
        asking: &mut BTreeSet<String>,
    ) -> Vec<Asking> {
        let is_over = |record: &ResetRecord| record.progress.is_over();
        let going = records.iter().filter(|(_, record)| !is_over(record));
        let going: Vec<&String> = going.map(|(name, _)| name).collect();
        if going.is_empty() {
            *fleet = None;
            return Vec::new();
        }
        let (_, view) = fleet.get_or_insert_with(|| (self.cluster.watch_fleet(), None));
        let Some(view) = view else { return Vec::new() };
        let sights = match lookout.look(view) {
            Ok(sights) => sights,
            Err(error) => {
                warn!(%error, "the fleet cannot be used for resets");
                return Vec::new();
            }
        };
        let scene = Scene {
            records,
            view,
            sights,
        };
        let mut asks = Vec::new();
        for name in going {
            match self.drive(name, &scene, asking).await {
                Ok(new) => asks.extend(new.into_iter().map(|ask| self.ask(ask))),
                Err(error) => {
                    warn!(reset = name, %error, "a step was not made; it is tried again");
                }
            }
        }
        asks
    }

    /// Steps of one reset, until there is nothing more to do now; yields whom to ask for.
    async fn drive(
        &self,
        name: &str,
        scene: &Scene<'_>,
        asking: &mut BTreeSet<String>,
    ) -> Result<Vec<Ask>, ResetError> {
        for _ in 0..STEPS_MAX {
            if self.step(name, scene).await? {
                continue;
            }
            let Some(look) = self.look(name, scene).await? else {
                return Ok(Vec::new());
            };
            let now = self.cluster.now();
            let plan = look.plan(&self.me, now);
            if look.is_changed_by(&plan) {
                continue;
            }
            let mut asks = Vec::new();
            let mut drains = Vec::new();
            for order in plan.orders {
                match order {
                    Order::Drain { host, drain } => drains.push((host, Some(drain))),
                    Order::EndDrain { host } => drains.push((host, None)),
                    Order::Ask { host, id } if asking.insert(id.clone()) => asks.push(Ask {
                        host,
                        reset: name.to_owned(),
                        id,
                    }),
                    Order::Ask { .. } => {}
                }
            }
            let done = stream::iter(drains)
                .map(|(host, drain)| self.drain(name, look.version, host, drain))
                .buffer_unordered(ORDERS_AT_ONCE);
            done.for_each(|()| async {}).await;
            return Ok(asks);
        }
        Ok(Vec::new())
    }

    /// Makes one step, if there is one to make; whether there was.
    async fn step(&self, name: &str, scene: &Scene<'_>) -> Result<bool, ResetError> {
        let (key, report) = keys(name)?;
        let (key, report) = (&key, &report);
        let made = self
            .cluster
            .transact(name, |stamp| async move {
                let Some(look) = self.look(name, scene).await? else {
                    return Ok(Txn::new());
                };
                let plan = look.plan(&self.me, stamp.at);
                if !look.is_changed_by(&plan) {
                    return Ok(Txn::new());
                }
                let Some(txn) = self.rested(&plan, scene.view).await? else {
                    return Ok(Txn::new());
                };
                let mut record = ResetRecord {
                    progress: plan.next.clone(),
                    ..ResetRecord::clone(&look.record)
                };
                let lines = trail_lines(&look, &plan, &stamp);
                let txn = trail::append(&self.cluster, txn, &mut record, lines).await?;
                let mut txn = txn.update(
                    key.clone(),
                    look.version,
                    helios_core::schema::encode(&record),
                );
                if plan.robustness != look.robustness {
                    let found = self.cluster.read::<Robustness>(report).await?;
                    txn = put(txn, report, found.as_ref(), &plan.robustness);
                }
                Ok(audited(
                    txn,
                    &stamp,
                    &step_record(name, &look, &plan, &stamp),
                ))
            })
            .await?;
        Ok(made.is_some())
    }

    /// A transaction that rests on the hosts that the plan moves being as they were seen: a master that lost its watches sees what was. `None`
    /// if they are not. A reset ends on those that failed, too: nobody would give them back their jobs after that.
    async fn rested(&self, plan: &ResetPlan, view: &FleetView) -> Result<Option<Txn>, ResetError> {
        let failed = plan.next.mishaps.keys();
        let failed = failed.filter(|_| plan.next.is_over());
        let moved = plan.lines.iter().map(|line| &line.host);
        let hosts: BTreeSet<&HostName> = moved.chain(failed).collect();
        let hosts = stream::iter(hosts.into_iter().cloned());
        let read = hosts.map(|host| async move {
            let is = self.cluster.read::<HostRecord>(&Keys::host(&host)).await?;
            Ok::<_, StoreError>((host, is.map(|is| is.version)))
        });
        let read: Vec<_> = read.buffered(ORDERS_AT_ONCE).try_collect().await?;
        let mut txn = Txn::new();
        for (host, version) in read {
            if version != view.hosts.get(&host).map(|was| was.version) {
                return Ok(None);
            }
            if let Some(version) = version {
                txn = txn.check(Keys::host(&host), version);
            }
        }
        Ok(Some(txn))
    }

    /// The reset as it is stored now, with what is seen of the fleet.
    async fn look(&self, name: &str, scene: &Scene<'_>) -> Result<Option<Look>, ResetError> {
        let (key, report) = keys(name)?;
        let Some(found) = self.cluster.read::<ResetRecord>(&key).await? else {
            return Ok(None);
        };
        let robustness = self.cluster.read::<Robustness>(&report).await?;
        let others = scene.records.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(_, record)| &*record.record);
        let sights = sights_for(&found, others, scene.sights.clone());
        Ok(Some(Look {
            version: found.version,
            robustness: robustness
                .map(|found| Robustness::clone(&found))
                .unwrap_or_default(),
            record: found.record,
            sights,
        }))
    }

    /// Drains a host or ends that, as long as the reset is as it was when that was decided.
    async fn drain(&self, name: &str, version: Version, host: HostName, drain: Option<Drain>) {
        let Ok((key, _)) = keys(name) else { return };
        let (key, name_of_host, drain) = (&key, &host, &drain);
        let outcome = self
            .cluster
            .transact::<Refused, _, _>(host.as_str(), |stamp| async move {
                let found = self.cluster.read::<ResetRecord>(key).await?;
                if found.map(|found| found.version) != Some(version) {
                    return Ok(Txn::new());
                }
                let seen = self
                    .cluster
                    .read::<HostRecord>(&Keys::host(name_of_host))
                    .await?;
                let txn = drain_host(seen.as_ref(), name_of_host, name, drain.as_ref(), &stamp)?;
                Ok(match txn.is_empty() {
                    true => txn,
                    false => txn.check(key.clone(), version),
                })
            })
            .await;
        // What is not done now is ordered again by the next look.
        if let Err(error) = outcome {
            info!(%host, %error, "a host was not told to stop or start its jobs");
        }
    }

    fn ask(&self, ask: Ask) -> Asking {
        let (action, cluster) = (Arc::clone(&self.action), self.cluster.clone());
        async move {
            let patience = match Resets::of(cluster).get(&ask.reset).await {
                Ok(record) => record.reset.patience.ask,
                Err(error) => return (ask.reset, ask.host, ask.id, Err(error.to_string())),
            };
            let outcome = match timeout(patience, action.ask(&ask)).await {
                Ok(outcome) => outcome.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", patience.as_secs())),
            };
            (ask.reset, ask.host, ask.id, outcome)
        }
        .boxed()
    }

    /// Notes what came of a call of the action. If that fails, another master asks again.
    async fn tell(&self, reset: &str, host: &HostName, id: &str, outcome: Result<(), String>) {
        let resets = Resets::of(self.cluster.clone());
        let told = resets.change(reset, ("ask for reset", Some(host)), |record, stamp| {
            record.progress.asked(host, id, &outcome, stamp.at);
            Ok(())
        });
        if let Err(error) = told.await {
            warn!(%host, %error, "what came of the call for its reset was not noted");
        }
    }
}

impl Look {
    fn plan(&self, me: &str, now: helios_core::Timestamp) -> ResetPlan {
        let (reset, progress) = (&self.record.reset, &self.record.progress);
        advance(reset, progress, &self.robustness, &self.sights, me, now)
    }

    fn is_changed_by(&self, plan: &ResetPlan) -> bool {
        plan.next != self.record.progress || plan.robustness != self.robustness
    }
}

/// The next view of the fleet; never, while nobody looks at it.
async fn next_view(fleet: &mut Option<Watched>) -> Option<Result<FleetView, StoreError>> {
    match fleet {
        Some((views, _)) => views.next().await,
        None => std::future::pending().await,
    }
}

/// What the trail of the reset says of a step.
fn trail_lines(look: &Look, plan: &ResetPlan, stamp: &Stamp) -> Vec<TrailLine> {
    let line = |line: &Line| TrailLine::new(stamp, line.to_string()).host(Some(&line.host));
    let mut lines: Vec<TrailLine> = plan.lines.iter().map(line).collect();
    if plan.next.stage != look.record.progress.stage {
        lines.push(TrailLine::new(stamp, format!("it is {}", plan.next.stage)));
    }
    lines
}

/// What the audit log says of a step: where hosts came, and why.
fn step_record(name: &str, look: &Look, plan: &ResetPlan, stamp: &Stamp) -> AuditRecord {
    let mut words = vec![name.to_owned()];
    words.extend(plan.lines.iter().take(NAMED_MAX).map(ToString::to_string));
    if let Some(more) = plan
        .lines
        .len()
        .checked_sub(NAMED_MAX)
        .filter(|more| *more > 0)
    {
        words.push(format!("and {more} more hosts"));
    }
    if plan.next.stage != look.record.progress.stage {
        words.push(format!("it is {}", plan.next.stage));
    }
    for line in plan
        .lines
        .iter()
        .filter(|line| matches!(line.to, To::Failed | To::Lost))
    {
        warn!(reset = name, "{line}");
    }
    AuditRecord::new(stamp, "step of reset").detail(words.join("; "))
}
