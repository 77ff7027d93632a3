//! One step of a reset.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::Timestamp;
use helios_core::model::{HostName, HostSelector};

use super::journey::{Journey, Move};
use super::robustness::{Robustness, Story};
use super::standing::Standing;
use super::{
    Action, Asked, Away, Because, Ending, Halt, Hold, Line, Mishap, Order, Phase, Progress, Reset,
    ResetPlan, Sight, Sights, Stage, To,
};
use crate::guard::Advice;
use crate::order::{Sequence, Sorting};
use crate::share::Share;

/// Decides what is to be done now about a reset.
///
/// Pure and total: the same arguments give the same plan on every master. `me` names the master that decides, which is noted with what only one
/// of them may do. Hosts move by what is seen of them and by stored timestamps alone; whichever master asks next goes on where the last one ended.
///
/// Hosts are chosen in the order of [`Sequence`], so that any run of consecutive ones is spread over the groups of the limits.
pub fn advance(
    reset: &Reset,
    progress: &Progress,
    robustness: &Robustness,
    sights: &Sights,
    me: &str,
    now: Timestamp,
) -> ResetPlan {
    let mut step = Step {
        reset,
        sights,
        me,
        now,
        next: progress.clone(),
        robustness: robustness.clone(),
        lines: Vec::new(),
    };
    if progress.is_over() {
        return step.plan(Vec::new(), BTreeMap::new(), 0);
    }
    step.travel();
    let due = step.due();
    step.judge(due.len());
    step.release();
    let holds = step.choose(&due);
    let left = due.len() as u64 - step.just_chosen();
    let orders = step.orders();
    step.end(left, &orders);
    step.plan(orders, holds, left)
}

/// A step that is being made.
struct Step<'a> {
    reset: &'a Reset,
    sights: &'a Sights,
    me: &'a str,
    now: Timestamp,
    next: Progress,
    robustness: Robustness,
    lines: Vec<Line>,
}

impl Step<'_> {
    /// Moves every host that is away as far as what is seen of it allows.
    fn travel(&mut self) {
        let away = std::mem::take(&mut self.next.away);
        for (host, away) in away {
            let journey = Journey {
                reset: self.reset,
                sight: self.sights.get(&host),
                me: self.me,
                now: self.now,
            };
            match journey.next(&away) {
                None => {
                    self.next.away.insert(host, away);
                }
                Some(step) => self.move_host(host, away, step),
            }
        }
    }

    fn move_host(&mut self, host: HostName, away: Away, step: Move) {
        let (to, because) = match step {
            Move::To(phase, because) => {
                let mut next = self.entering(away, phase);
                if because == Because::Unwell {
                    next.back = next.back.or(Some(self.now));
                }
                self.next.away.insert(host.clone(), next);
                (To::Phase(phase), because)
            }
            Move::Asked(asked, because) => {
                self.next.away.insert(host.clone(), Away { asked, ..away });
                (To::AskedAgain, because)
            }
            Move::Done => {
                self.next.done.insert(&host);
                self.next.spent = self.next.spent.saturating_add(self.now.since(away.chosen));
                (To::Done, Because::Settled)
            }
            Move::Released(because) => (To::Released, because),
            Move::Left(because) => {
                self.next.left += 1;
                (To::Released, because)
            }
            Move::Mishap { lost, because } => {
                let mishap = Mishap {
                    at: self.now,
                    phase: away.phase,
                    lost,
                    because: because.clone(),
                };
                self.next.mishaps.insert(host.clone(), mishap);
                (if lost { To::Lost } else { To::Failed }, because)
            }
        };
        self.lines.push(Line { host, to, because });
    }

    fn entering(&self, away: Away, phase: Phase) -> Away {
        let asked = match (phase, self.reset.action) {
            (Phase::Resetting, Action::Master) => Asked::By {
                master: self.me.to_owned(),
                since: self.now,
                attempt: 1,
            },
            _ => away.asked,
        };
        let back = away.back.or((phase == Phase::Returned).then_some(self.now));
        Away {
            phase,
            since: self.now,
            asked,
            back,
            ..away
        }
    }

    /// Looks at the services that have a host away, and whether anything stops the reset.
    fn judge(&mut self, due: usize) {
        let standing = Standing::of(self.reset, &self.next, self.sights);
        let begins = |line: &&Line| line.to == To::Phase(Phase::Draining);
        let begins = self.lines.iter().filter(begins).map(|line| &line.host);
        let begins: BTreeSet<&HostName> = begins.collect();
        let mut below = BTreeMap::new();
        let mut halt = None;
        for (host, away) in &self.next.away {
            let place = self.sights.fleet.position(host.as_str());
            let serves = place.map_or(&[][..], |place| self.sights.serves_of(place));
            if away.phase == Phase::Chosen {
                continue;
            }
            let first = begins.contains(host);
            for serves in serves {
                let Some((service, instances, healthy, minimum)) = standing.service(serves.service)
                else {
                    continue;
                };
                let look = Story {
                    hosts: 0,
                    instances,
                    healthy,
                    at: self.now,
                    host: host.clone(),
                    minimum: self.reset.limits.asked_minimum_of(service, instances),
                    objectives: BTreeMap::new(),
                };
                self.robustness.look(service, first, look);
                if healthy >= minimum {
                    continue;
                }
                let since = self.next.below.get(service).copied().unwrap_or(self.now);
                below.insert(service.to_owned(), since);
                if self.now.since(since) >= self.reset.patience.service {
                    let service = service.to_owned();
                    halt.get_or_insert(Halt::Service {
                        service,
                        healthy,
                        minimum,
                    });
                }
            }
        }
        self.next.below = below;
        let halt = self
            .too_many_failures()
            .or(halt)
            .or_else(|| self.breached(due));
        if let (Stage::Running | Stage::Paused, Some(halt)) = (&self.next.stage, halt) {
            self.next.stage = Stage::Halted(halt);
        }
    }

    fn too_many_failures(&self) -> Option<Halt> {
        let failed = (self.next.mishaps.len() as u64).saturating_sub(self.next.excused);
        let budget = self.reset.limits.failures;
        let last = self.next.mishaps.iter().max_by_key(|(_, mishap)| mishap.at);
        let (last, _) = last.filter(|_| failed > budget)?;
        Some(Halt::Failures {
            failed,
            budget,
            last: last.clone(),
        })
    }

    fn breached(&mut self, due: usize) -> Option<Halt> {
        self.next.monitor.as_ref()?;
        let share = self.share_done(due);
        match self.next.monitor.as_mut()?.advise(share, self.now) {
            Advice::Terminate { objective, .. } => Some(Halt::Objective { objective }),
            Advice::Proceed | Advice::Bake { .. } | Advice::Hold { .. } => None,
        }
    }

    fn share_done(&self, due: usize) -> Share {
        let done = self.next.done.len() as u64;
        Share::ratio(done, done + due as u64 + self.next.away.len() as u64)
    }

    /// Lets go of the hosts that were not reset yet, when the reset does not go on.
    fn release(&mut self) {
        if !matches!(self.next.stage, Stage::Halted(_) | Stage::Aborting) {
            return;
        }
        let mut lines = Vec::new();
        for (host, away) in &mut self.next.away {
            if away.phase >= Phase::Resetting {
                continue;
            }
            (away.phase, away.since) = (Phase::Returned, self.now);
            (away.back, away.released) = (Some(self.now), true);
            lines.push(Line {
                host: host.clone(),
                to: To::Phase(Phase::Returned),
                because: Because::Stopped,
            });
        }
        self.lines.append(&mut lines);
    }

    /// The hosts that are still to be chosen, as places in the fleet.
    fn due(&self) -> Vec<usize> {
        self.reset.due(&self.next, self.sights)
    }

    /// Chooses as many of the hosts that are due as the limits allow, and says what holds the others.
    fn choose(&mut self, due: &[usize]) -> BTreeMap<Hold, u64> {
        let everybody = |hold| [(hold, due.len() as u64)].into();
        if due.is_empty() {
            return BTreeMap::new();
        }
        if let Some(hold) = self.held(due.len()) {
            return everybody(hold);
        }
        let standing = Standing::of(self.reset, &self.next, self.sights);
        if let Err(hold) = standing.room() {
            return everybody(hold);
        }
        let mut standing = standing.with_groups();
        let (mut holds, mut taken) = (BTreeMap::new(), Vec::new());
        for (rank, place) in self
            .reset
            .line(self.sights, &self.next, due)
            .into_iter()
            .enumerate()
        {
            if let Err(hold) = standing.room() {
                *holds.entry(hold).or_default() += (due.len() - rank) as u64;
                break;
            }
            match standing.take(place) {
                Ok(()) => taken.push(place),
                Err(hold) => *holds.entry(hold).or_default() += 1,
            }
        }
        taken.into_iter().for_each(|place| self.take(place));
        holds
    }

    /// What holds all hosts.
    fn held(&mut self, due: usize) -> Option<Hold> {
        if self.now >= self.reset.deadline && self.next.stage == Stage::Running {
            self.next.stage = Stage::Halted(Halt::Deadline);
            self.release();
        }
        if self.next.stage != Stage::Running {
            return Some(Hold::NotRunning);
        }
        if let Some(objective) = self.gate(due) {
            return Some(Hold::Objective(objective));
        }
        let moment = Timestamp::from_millis(self.now.as_millis().saturating_add(1));
        let open = self.reset.limits.calendar.open_between(self.now, moment);
        open.map_or(true, |open| open.is_zero())
            .then_some(Hold::Closed)
    }

    /// The objective that must show no harm before more hosts are chosen.
    fn gate(&mut self, due: usize) -> Option<String> {
        self.next.monitor.as_ref()?;
        let share = self.share_done(due);
        match self.next.monitor.as_mut()?.advise(share, self.now) {
            Advice::Hold { objective, .. } => Some(objective),
            Advice::Proceed | Advice::Bake { .. } | Advice::Terminate { .. } => None,
        }
    }

    fn take(&mut self, place: usize) {
        let (Some(member), Some(sight)) = (
            self.sights.fleet.members().get(place),
            self.sights.hosts.get(place),
        ) else {
            return;
        };
        let counted = self.reset.limits.groups.iter().filter_map(|limit| {
            let value = sight.labels.get(&limit.label)?;
            Some((limit.label.clone(), value.clone()))
        });
        let labels = counted.collect();
        self.next.turns += 1;
        let (created, turn) = (self.next.created.as_millis(), self.next.turns);
        let away = Away {
            phase: Phase::Chosen,
            since: self.now,
            chosen: self.now,
            id: format!("{}.{created}.{turn}", self.reset.name),
            epoch: sight.epoch.clone(),
            boot: sight.boot_id.clone(),
            labels,
            back: None,
            asked: Asked::NotYet,
            released: false,
        };
        self.next.away.insert(member.host.clone(), away);
        self.lines.push(Line {
            host: member.host.clone(),
            to: To::Phase(Phase::Chosen),
            because: Because::Due,
        });
    }

    fn just_chosen(&self) -> u64 {
        let chosen = |line: &&Line| line.to == To::Phase(Phase::Chosen);
        self.lines.iter().filter(chosen).count() as u64
    }

    /// What is to be done about hosts so that they are drained as they should be.
    fn orders(&self) -> Vec<Order> {
        let mut orders = Vec::new();
        for ((host, sight), away) in self.sights.iter().zip(self.sights.away(&self.next)) {
            let wanted = away.and_then(|away| self.reset.drain_of(away));
            match (wanted, &sight.drain) {
                (Some(wanted), found) if found.as_ref() != Some(&wanted) => {
                    orders.push(Order::Drain {
                        host: host.clone(),
                        drain: wanted,
                    });
                }
                (None, Some(found)) if found.by == self.reset.name => {
                    orders.push(Order::EndDrain { host: host.clone() });
                }
                _ => {}
            }
            if let Some(away) = away
                && let Asked::By { master, .. } = &away.asked
                && away.phase == Phase::Resetting
                && master == self.me
            {
                orders.push(Order::Ask {
                    host: host.clone(),
                    id: away.id.clone(),
                });
            }
        }
        orders
    }

    /// Ends the reset, if nothing is left to do.
    fn end(&mut self, due: u64, orders: &[Order]) {
        if !self.next.away.is_empty() || !orders.is_empty() {
            return;
        }
        let ending = match self.next.stage {
            Stage::Aborting => Ending::Aborted,
            Stage::Running if due == 0 => Ending::Done,
            _ => return,
        };
        self.next.stage = Stage::Ended(ending);
    }

    fn plan(self, orders: Vec<Order>, holds: BTreeMap<Hold, u64>, due: u64) -> ResetPlan {
        ResetPlan {
            next: self.next,
            robustness: self.robustness,
            lines: self.lines,
            orders,
            holds,
            due,
        }
    }
}

impl Reset {
    /// Whether the host is one that the selectors pick.
    #[must_use]
    pub fn is_for(&self, sight: &Sight) -> bool {
        self.hosts.is_empty() || HostSelector::all_match(&self.hosts, &sight.labels)
    }

    /// The hosts that are still to be chosen, as places in the fleet.
    pub(super) fn due(&self, progress: &Progress, sights: &Sights) -> Vec<usize> {
        let hosts = sights.hosts.iter().zip(sights.chosen(progress));
        let due = hosts.enumerate().filter(|(_, (sight, is_chosen))| {
            !is_chosen && self.is_for(sight) && self.is_stale(progress, sight)
        });
        due.map(|(place, _)| place).collect()
    }

    /// The hosts that are due, in the order in which they are chosen.
    ///
    /// The order is one of all hosts that are this reset's, so that it does not change while hosts become done.
    pub(super) fn line(&self, sights: &Sights, progress: &Progress, due: &[usize]) -> Vec<usize> {
        let mut is_due = vec![false; sights.hosts.len()];
        for place in due {
            if let Some(slot) = is_due.get_mut(*place) {
                *slot = true;
            }
        }
        let ours = is_due.iter().zip(sights.chosen(progress)).enumerate();
        let ours = ours.filter(|(_, (is_due, is_chosen))| **is_due || *is_chosen);
        let ours: Vec<usize> = ours.map(|(place, _)| place).collect();
        let question = (self.name.clone(), self.strata(), ours);
        let line = sights.remembered.answer(question, |(salt, strata, ours)| {
            let rotation = Share::ZERO;
            let sorting = Sorting {
                salt,
                strata,
                rotation,
            };
            let sequence = Sequence::of(&sights.fleet, ours, &sorting, |_| None);
            let places = sequence.places().iter().map(|place| place.member);
            places.collect()
        });
        let line = line.iter().copied();
        line.filter(|place| is_due.get(*place).is_some_and(|is_due| *is_due))
            .collect()
    }
}
