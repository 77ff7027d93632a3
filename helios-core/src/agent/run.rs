//! The loop: learn, decide, store, act, report.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::future::AbortHandle;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::sleep;
use tracing::warn;

use crate::cluster::{Cluster, ClusterError};
use crate::model::{Job, JobId};
use crate::reconcile::Action;
use crate::runtime::{Containers, RuntimeError};
use crate::schema::{
    ClusterRecord, HostRecord, HostReport, Keys, OperationIds, Presence, Versioned,
};
use crate::store::{Entry, Key, Scope, Snapshot, StoreError, StoreErrorKind};
use crate::time::Moment;

use super::act::{Done, Executor, Looked};
use super::custody::{Custody, Round};
use super::dead::{DeadRemoved, KeptDead};
use super::history::{Backlog, Written};
use super::images::{self, Shelf};
use super::live::Live;
use super::membership::Seen;
use super::registry::{Published, Registry};
use super::remembered::Remembered;
use super::reset::Begun;
use super::status::Counts;
use super::{Agent, AgentError, report};

/// The document that [`Remembered`] is kept in.
pub(super) const DOCUMENT: &str = "agent.json";

/// How long to wait before something that failed in the store is tried again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How many events are taken in before the next decision.
const BURST_MAX: usize = 256;

/// How a step of membership ended: with what then is wanted of the host, if that was read, and how often it
/// had been looked at when the step began.
pub(super) type Joined = Result<Option<(u64, Snapshot)>, ClusterError>;

type Look<T, E> = BoxStream<'static, Result<T, E>>;

/// Something that was learned.
enum Event {
    Done(Option<Done>),
    Containers(Result<Containers, RuntimeError>),
    Cluster(Result<Snapshot, StoreError>),
    Host(Result<Snapshot, StoreError>),
    Up(Result<Snapshot, StoreError>),
    Membership(Joined),
    Report(Result<Arc<HostReport>, StoreError>),
    History(Written),
    Published(Published),
    Looked(Looked),
    Orphans(Round),
    Images(images::Round),
    DeadRemoved(DeadRemoved),
    Reset(Result<(), String>),
    Wake,
}

/// The agent while it runs.
pub(super) struct Running {
    pub(super) agent: Agent,
    pub(super) me: Presence,
    pub(super) cluster: Cluster,
    pub(super) live: Live,
    pub(super) seen: Seen,
    /// Whether something was read of the goals since they were last accepted.
    pub(super) goals_are_news: bool,
    pub(super) executor: Arc<Executor>,
    pub(super) actions: FuturesUnordered<BoxFuture<'static, Option<Done>>>,
    pub(super) looks: FuturesUnordered<BoxFuture<'static, Looked>>,
    pub(super) pulls: BTreeMap<JobId, AbortHandle>,
    pub(super) membership: Option<BoxFuture<'static, Joined>>,
    pub(super) membership_not_before: Option<Moment>,
    pub(super) report: Option<BoxFuture<'static, Result<Arc<HostReport>, StoreError>>>,
    pub(super) reported: Option<(Arc<HostReport>, Moment)>,
    pub(super) report_not_before: Option<Moment>,
    pub(super) tasks: Arc<report::TaskReports>,
    pub(super) custody: Custody,
    pub(super) shelf: Shelf,
    pub(super) dead: KeptDead,
    pub(super) jobs: BTreeMap<JobId, Arc<Job>>,
    pub(super) registry: Registry,
    pub(super) publishing: Option<BoxFuture<'static, Published>>,
    pub(super) backlog: Backlog,
    pub(super) history: Option<BoxFuture<'static, Written>>,
    pub(super) history_not_before: Option<Moment>,
    pub(super) begun: Begun,
    pub(super) counts: Counts,
    /// What is wrong, by what it is wrong with.
    pub(super) problems: BTreeMap<&'static str, String>,
    pub(super) wake: Option<Moment>,
    watches: Watches,
}

struct Watches {
    containers: Look<Containers, RuntimeError>,
    cluster: Look<Snapshot, StoreError>,
    host: Look<Snapshot, StoreError>,
    up: Look<Snapshot, StoreError>,
}

pub(super) async fn run(
    agent: Agent,
    incarnation: String,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), AgentError> {
    let mut running = Running::start(agent, incarnation).await?;
    let mut shutdown = pin!(shutdown);
    loop {
        let event = tokio::select! {
            biased;
            () = &mut shutdown => break,
            event = running.next() => event,
        };
        running.learn(event);
        for _ in 0..BURST_MAX {
            match running.next().now_or_never() {
                Some(event) => running.learn(event),
                None => break,
            }
        }
        running.step().await;
    }
    running.leave().await;
    Ok(())
}

impl Running {
    pub(super) async fn start(agent: Agent, incarnation: String) -> Result<Self, AgentError> {
        let mut problems = BTreeMap::new();
        let remembered = remembered(&agent, &mut problems).await?;
        let begun = Begun::load(&*agent.state)
            .await
            .map_err(AgentError::state)?;
        let ids = OperationIds::new(incarnation.clone()).map_err(AgentError::incarnation)?;
        let cluster = Cluster::new(Arc::clone(&agent.store), Arc::clone(&agent.clock), ids)
            .on_behalf_of(&format!("agent {}", agent.id.as_str()));
        let watch = |key: Key| agent.store.watch(Scope::Entry(key));
        let watches = Watches {
            containers: agent.runtime.watch(),
            cluster: watch(Keys::cluster()),
            host: watch(Keys::host(&agent.host)),
            up: watch(Keys::up(&agent.host)),
        };
        Ok(Self {
            me: Presence {
                id: agent.id.as_str().to_owned(),
                incarnation,
            },
            cluster,
            live: Live::new(remembered, agent.policy.clone()),
            begun,
            seen: Seen::default(),
            goals_are_news: false,
            executor: Arc::new(Executor::new(
                Arc::clone(&agent.runtime),
                agent.rename.clone(),
            )),
            actions: FuturesUnordered::new(),
            looks: FuturesUnordered::new(),
            pulls: BTreeMap::new(),
            membership: None,
            membership_not_before: None,
            report: None,
            reported: None,
            report_not_before: None,
            tasks: Arc::default(),
            custody: Custody::start(&agent).await?,
            shelf: Shelf::start(&agent).await?,
            dead: KeptDead::default(),
            jobs: BTreeMap::new(),
            registry: Registry::default(),
            publishing: None,
            backlog: Backlog::default(),
            history: None,
            history_not_before: None,
            counts: Counts::default(),
            problems,
            wake: None,
            watches,
            agent,
        })
    }

    /// Waits for the next event. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Event {
        let now = self.agent.clock.moment();
        let until = self.wake.map_or(self.agent.resync, |wake| {
            wake.since(now).min(self.agent.resync)
        });
        tokio::select! {
            biased;
            Some(done) = self.actions.next(), if !self.actions.is_empty() => Event::Done(done),
            outcome = finished(&mut self.membership) => Event::Membership(outcome),
            outcome = finished(&mut self.report) => Event::Report(outcome),
            written = finished(&mut self.history) => Event::History(written),
            outcome = finished(self.begun.work()) => Event::Reset(outcome),
            outcome = finished(&mut self.publishing) => Event::Published(outcome),
            Some(look) = self.watches.containers.next() => Event::Containers(look),
            Some(look) = self.watches.cluster.next() => Event::Cluster(look),
            Some(look) = self.watches.host.next() => Event::Host(look),
            Some(look) = self.watches.up.next() => Event::Up(look),
            Some(looked) = self.looks.next(), if !self.looks.is_empty() => Event::Looked(looked),
            round = finished(&mut self.custody.round) => Event::Orphans(round),
            round = finished(&mut self.shelf.round) => Event::Images(round),
            removed = finished(&mut self.dead.removal) => Event::DeadRemoved(removed),
            () = sleep(until) => Event::Wake,
        }
    }

    fn learn(&mut self, event: Event) {
        let now = self.agent.clock.moment();
        match event {
            Event::Done(Some(done)) => self.done(done, now),
            Event::Done(None) => {}
            // The next step says when to wake again. Until then the same moment must not wake it once more.
            Event::Wake => self.wake = None,
            Event::Containers(look) => self.live.see(look, now),
            Event::Cluster(look) => {
                let key = Keys::cluster();
                let decode = Versioned::<ClusterRecord>::decode;
                if let Some(record) = self.read(&key, look, "cluster", decode) {
                    self.seen.cluster = Some(record);
                    self.goals_are_news = true;
                }
            }
            Event::Host(look) => {
                let key = Keys::host(&self.agent.host);
                self.seen.host_looks += 1;
                let decode = Versioned::<HostRecord>::decode;
                if let Some(record) = self.read(&key, look, "goals", decode) {
                    if let Some(record) = &record {
                        self.custody.see_holder(&record.agent_id, &self.me.id);
                    }
                    self.seen.host = Some(record);
                    self.goals_are_news = true;
                    self.membership_not_before = None;
                    self.report_not_before = None;
                }
            }
            Event::Up(look) => {
                let key = Keys::up(&self.agent.host);
                let decode = Versioned::<Presence>::decode;
                if let Some(presence) = self.read(&key, look, "presence", decode) {
                    let is_there = presence.is_some();
                    self.seen.absent_since =
                        self.seen.absent_since.filter(|_| !is_there).or(Some(now));
                    self.seen.up = Some(presence);
                    self.membership_not_before = None;
                    self.report_not_before = None;
                }
            }
            Event::Membership(joined) => self.joined(joined, now),
            Event::Reset(outcome) => self.reset_ended(outcome),
            Event::Looked(looked) => self.live.looked(&looked, now),
            Event::Orphans(round) => {
                if let Some((_, policy)) = &self.agent.orphans {
                    self.custody.learn(round, policy, now);
                }
            }
            Event::Images(round) => self.shelf.learn(round, now),
            Event::DeadRemoved(removed) => self.dead_removed(removed, now),
            Event::History(written) => self.written(written, now),
            Event::Published(outcome) => self.published(outcome, now),
            Event::Report(Ok(report)) => self.reported = Some((report, now)),
            Event::Report(Err(error)) => {
                self.report_not_before = Some(now.plus(RETRY_AFTER));
                warn!(error = %error, "the report was not written");
            }
        }
    }

    /// Learns how an action ended.
    fn done(&mut self, done: Done, now: Moment) {
        let outcome = (done.action.verb(), done.outcome.is_ok());
        *self.counts.actions.entry(outcome).or_default() += 1;
        if let (Some(_), Action::Pull(image), Ok(_)) =
            (&self.agent.images, &done.action, &done.outcome)
        {
            self.shelf.pulled(image);
        }
        let done = self.with_port_holders(done);
        self.live.done(&done, now);
    }

    /// Learns how a step of membership ended.
    fn joined(&mut self, joined: Joined, now: Moment) {
        match joined {
            Ok(joined) => {
                self.note("registration", None);
                // What the watch has told meanwhile is newer.
                if let Some((_, host)) = joined.filter(|(looks, _)| *looks == self.seen.host_looks)
                {
                    self.learn(Event::Host(Ok(host)));
                }
            }
            Err(error) => {
                self.membership_not_before = Some(now.plus(RETRY_AFTER));
                // Somebody else was faster: the watch tells who.
                let is_race = matches!(&error, ClusterError::Store(error) if error.kind() == StoreErrorKind::Conflict);
                self.note("registration", (!is_race).then(|| error.to_string()));
            }
        }
    }

    /// What a look at one entry says: nothing new if it failed, else the entry, if it is there.
    fn read<T>(
        &mut self,
        key: &Key,
        look: Result<Snapshot, StoreError>,
        what: &'static str,
        decode: fn(&Key, &Entry) -> Result<T, StoreError>,
    ) -> Option<Option<T>> {
        let record = look.and_then(|snapshot| {
            let entry = snapshot.get(key.name());
            entry.map(|entry| decode(key, entry)).transpose()
        });
        match record {
            Ok(record) => {
                self.problems.remove(what);
                Some(record)
            }
            Err(error) => {
                self.note(what, Some(error.to_string()));
                None
            }
        }
    }

    /// Keeps what is wrong with something, or that nothing is any more.
    pub(super) fn note(&mut self, what: &'static str, trouble: Option<String>) {
        match trouble {
            Some(trouble) if self.problems.get(what) == Some(&trouble) => {}
            Some(trouble) => {
                warn!(what, %trouble, "the store is of no help");
                self.problems.insert(what, trouble);
            }
            None => {
                self.problems.remove(what);
            }
        }
    }

    pub(super) fn wake_at(&mut self, at: Option<Moment>) {
        self.wake = [self.wake, at].into_iter().flatten().min();
    }
}

/// What is kept in the state directory. What cannot be read is set aside and told of.
async fn remembered(
    agent: &Agent,
    problems: &mut BTreeMap<&'static str, String>,
) -> Result<Remembered, AgentError> {
    let document = agent.state.load(DOCUMENT).await;
    let Some(document) = document.map_err(AgentError::state)? else {
        return Ok(Remembered::default());
    };
    if let Ok(remembered) = serde_json::from_slice(&document) {
        return Ok(remembered);
    }
    let aside = agent.state.set_aside(DOCUMENT).await;
    let aside = aside.map_err(AgentError::state)?;
    let message = format!(
        "the agent's state could not be read and was set aside as {aside}; it is rebuilt from the containers and \
         the store"
    );
    problems.insert("state file", message);
    Ok(Remembered::default())
}

/// The outcome of the work in `slot`, which is then empty; never, if there is none.
async fn finished<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    let outcome = match slot {
        Some(work) => Pin::new(work).await,
        None => pending().await,
    };
    *slot = None;
    outcome
}

#[cfg(test)]
mod tests;
