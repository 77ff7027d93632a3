//! The loop that moves transitions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::cluster::{Cluster, FleetView};
use helios_core::model::HostName;
use helios_core::store::StoreError;
use helios_core::{Moment, Timestamp};

use super::evidence::{Arm, Arms, Look};
use super::inquiry::{Inquiry, ask_every, quiet_for};
use super::next::{Seen, length};
use super::roster::is_roster;
use super::{Book, EvidenceSource, Ledger, LogHead, NobodyToAsk, Variables, roster};
use crate::audit::State;
use crate::guard::NoEvidence;
use crate::order::{Fleet, Member, Order};

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// How often at least the hosts are compared with those of a transition.
const ROSTER_EVERY: Duration = Duration::from_secs(10);
/// How far the wall clock may move against the monotonic one between two looks before it is not trusted.
const JUMP_MAX: Duration = Duration::from_secs(60);
/// For how long it must then keep step before it is trusted again.
const STEADY_AFTER: Duration = Duration::from_secs(600);

/// Moves all transitions of a cluster on: tells hosts when their turn comes, asks the guards' questions, heeds their advice.
///
/// Any number of masters may run one. When nothing is due, nothing is written.
#[derive(Debug)]
pub struct VariableDriver {
    variables: Variables,
    inquiry: Inquiry,
    clock: WallClock,
    /// What is known to be due when, by variable.
    due: BTreeMap<String, Due>,
}

/// When a variable is to be looked at again.
#[derive(Debug, Default)]
struct Due {
    /// Which state of the variable this is about.
    changes: u64,
    wake: Option<Timestamp>,
    roster: Option<Moment>,
    /// When each objective was looked at last, quietly or not.
    looks: BTreeMap<String, Moment>,
}

/// A wall clock that is believed while it keeps step with the monotonic one.
#[derive(Debug, Default)]
struct WallClock {
    last: Option<(Timestamp, Moment)>,
    doubted: Option<Moment>,
}

impl VariableDriver {
    /// A driver of the variables of that cluster, that can ask no system of measurement.
    #[must_use]
    pub fn new(cluster: Cluster) -> Self {
        Self {
            variables: Variables::on(cluster),
            inquiry: Inquiry::of(Arc::new(NobodyToAsk)),
            clock: WallClock::default(),
            due: BTreeMap::new(),
        }
    }

    /// Asks this system of measurement.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn EvidenceSource>) -> Self {
        self.inquiry = Inquiry::of(source);
        self
    }

    /// Drives until it is dropped, or the store is closed. Trouble with the store is waited out.
    ///
    /// # Cancellation
    /// Each step is one transaction, which is made or not; another master, or this one at its next start, goes on.
    pub async fn run(mut self) {
        let cluster = self.variables.cluster().clone();
        let mut fleets: BoxStream<'static, Result<FleetView, StoreError>> = cluster.watch_fleet();
        let mut books = self.variables.watch();
        let (mut fleet, mut book) = (None, None);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                item = fleets.next() => match item {
                    Some(view) => fleet = view.ok().or(fleet),
                    None => return,
                },
                item = books.next() => match item {
                    Some(next) => book = next.ok().or(book),
                    None => return,
                },
                _ = ticks.tick() => {
                    if let (Some(fleet), Some(book)) = (&fleet, &book) {
                        self.tick(fleet, book).await;
                    }
                }
            }
        }
    }

    /// One look at everything, and the steps that are due. For loops of one's own; [`run`](Self::run) does it every second.
    ///
    /// # Cancellation
    /// As [`run`](Self::run).
    pub async fn tick(&mut self, fleet: &FleetView, book: &Book) {
        let clock = Arc::clone(self.variables.cluster().clock());
        let (now, moment) = (clock.now(), clock.moment());
        if !self.clock.keeps_step(now, moment) {
            return;
        }
        let running = |ledger: &Ledger| ledger.state().is_some();
        self.due
            .retain(|name, _| book.ledgers.get(name).is_some_and(running));
        if !book.ledgers.values().any(running) {
            return;
        }
        self.inquiry.watch(fleet, &book.followers, moment);
        for (name, ledger) in &book.ledgers {
            let Some(state) = ledger.state() else {
                continue;
            };
            let due = self.due.entry(name.clone()).or_default();
            let changed = due.changes != ledger.record().changes;
            let (looks, misses) = self.looks(name, state, (now, moment)).await;
            let roster = self.roster(name, moment, (fleet, book), state);
            let due = self.due.entry(name.clone()).or_default();
            let woken = due.wake.is_some_and(|wake| wake <= now);
            let guarded = !looks.is_empty() || !misses.is_empty();
            if !(changed || woken || guarded || roster.is_some()) {
                continue;
            }
            let seen = Seen {
                roster: roster.as_ref(),
                looks: &looks,
                misses: &misses,
                at: now,
            };
            self.variables.remember(name, ledger);
            match self.variables.step(name, &seen).await {
                // If the step changed something, this is not the newest state: there is another look at the next tick, since who was told
                // may move the turns of others.
                Ok(wake) => (due.changes, due.wake) = (ledger.record().changes, wake),
                Err(error) => {
                    tracing::warn!(%error, "variable {name} could not be moved on: trying again");
                }
            }
        }
        self.roll_up(book).await;
    }

    /// Rolls up the logs that have grown long.
    async fn roll_up(&self, book: &Book) {
        for (name, ledger) in &book.ledgers {
            if ledger.record().log.as_ref().is_some_and(LogHead::is_long)
                && let Err(error) = self.variables.roll_up(name).await
            {
                tracing::warn!(%error, "the log of variable {name} was not rolled up: trying again");
            }
        }
    }

    /// The hosts there are now, if it is time to look and they are not those of the transition.
    fn roster(
        &mut self,
        name: &str,
        now: Moment,
        (fleet, book): (&FleetView, &Book),
        state: &State,
    ) -> Option<Fleet> {
        let due = self.due.entry(name.to_owned()).or_default();
        if due
            .roster
            .is_some_and(|last| now.since(last) < ROSTER_EVERY)
        {
            return None;
        }
        due.roster = Some(now);
        if is_roster(&state.fleet, fleet, &book.followers) {
            return None;
        }
        match roster(fleet, &book.followers) {
            Ok(roster) => Some(roster),
            Err(error) => {
                tracing::warn!(%error, "the fleet cannot be used for variables");
                None
            }
        }
    }

    /// The looks that are due, and what there is no evidence of. A look without events is noted seldom: it only shows that somebody
    /// looked. So is that nobody could.
    async fn looks(
        &mut self,
        name: &str,
        state: &State,
        (now, moment): (Timestamp, Moment),
    ) -> (Vec<Look>, Vec<(String, NoEvidence)>) {
        let (mut looks, mut misses) = (Vec::new(), Vec::new());
        let (Some(monitor), Some(running)) = (&state.monitor, state.variable.running()) else {
            return (looks, misses);
        };
        if running.rollback.is_some() || now < running.transition.curve.start {
            return (looks, misses);
        }
        let arms = Transitioning { state };
        let quiet = quiet_for(length(&running.transition));
        for (objective, since) in monitor.looked() {
            let due = self.due.entry(name.to_owned()).or_default();
            let asked = due.looks.get(&objective.name);
            if asked.is_some_and(|last| moment.since(*last) < ask_every(quiet)) || now <= since {
                continue;
            }
            due.looks.insert(objective.name.clone(), moment);
            let look = self
                .inquiry
                .look(&arms, objective, since, (now, moment))
                .await;
            let first = !arms.is_known(&objective.name);
            let long = now.since(since) >= quiet;
            match look {
                Ok(look) if first || long || look.is_eventful() => looks.push(look),
                Err(because) if long && monitor.is_news(&objective.name, &because) => {
                    misses.push((objective.name.clone(), because));
                }
                _ => {}
            }
        }
        (looks, misses)
    }
}

/// The arms of a transition: who was told the new value, and who is to be.
struct Transitioning<'a> {
    state: &'a State,
}

impl Arms for Transitioning<'_> {
    fn fleet(&self) -> &Fleet {
        &self.state.fleet
    }

    fn strata(&self) -> &[String] {
        let running = self.state.variable.running();
        running.map_or(&[], |running| &running.transition.order.strata)
    }

    fn arm(&self, member: &Member, since: Timestamp) -> Option<Arm> {
        let running = self.state.variable.running()?;
        match self.state.marks.get(&member.host) {
            Some(mark) if mark.at > since => None,
            _ if running.told.contains(&member.host) => Some(Arm::New),
            _ => Order::picks(&running.transition.scope, member).then_some(Arm::Old),
        }
    }

    fn is_known(&self, objective: &str) -> bool {
        self.state.fallen.contains_key(objective)
    }

    fn has_fallen(&self, objective: &str, host: &HostName) -> bool {
        let known = self.state.fallen.get(objective);
        known.is_some_and(|known| known.contains(host))
    }
}

impl WallClock {
    /// Whether the wall clock can be believed. After a jump it must keep step for a while first: until then hosts wait, which does no
    /// harm, while a clock that is days ahead would move the whole fleet at once.
    fn keeps_step(&mut self, now: Timestamp, moment: Moment) -> bool {
        if let Some((then, before)) = self.last {
            let passed = moment.since(before);
            let expected = then.plus(passed);
            let off = now.since(expected).max(expected.since(now));
            if off > JUMP_MAX {
                tracing::warn!(
                    "the clock of this master jumped by {off:?}: it moves no variable until the clock is steady"
                );
                self.doubted = Some(moment);
            }
        }
        self.last = Some((now, moment));
        let doubted = self.doubted;
        let doubted = doubted.filter(|since| moment.since(*since) < STEADY_AFTER);
        self.doubted = doubted;
        doubted.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumped_is_believed_once_it_was_steady_for_a_while() {
        let mut clock = WallClock::default();
        let mut look = |wall: i64, seconds: u64| {
            let now = Timestamp::from_millis(wall * 1_000);
            clock.keeps_step(now, Moment::from_millis(seconds * 1_000))
        };
        assert!(look(1_000, 0) && look(1_030, 30) && look(1_070, 60));
        assert!(!look(90_000, 61), "a day ahead");
        assert!(!look(90_300, 361));
        assert!(look(90_600, 661));
        assert!(!look(600, 662), "and back");
    }
}
