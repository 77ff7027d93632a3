//! The answers a variable gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::path::Path;
use super::transition::{Change, Running};
use super::{
    Because, Explanation, Flips, Preview, Step, StratumCount, Tell, Value, Variable, VariableError,
};
use crate::order::{Fleet, Member, Mode, Order, Stratum, Turn, Turns};
use crate::share::Share;

/// A variable worked out for one fleet. Making it costs about as much as sorting the hosts; after that, a decision costs a look-up
/// and a comparison.
///
/// Every answer is a pure function: the same variable, fleet and time give the same answer in every process.
#[derive(Clone, Debug)]
pub struct View<'a> {
    variable: &'a Variable,
    fleet: &'a Fleet,
    run: Option<Run<'a>>,
}

/// The transition, worked out.
#[derive(Clone, Debug)]
struct Run<'a> {
    running: &'a Running,
    path: Path,
    strata: Vec<Stratum>,
    hosts: u64,
    /// By index into the fleet's members.
    standings: Vec<Option<Standing<'a>>>,
    /// The share from which on each of them holds the new value, in parts, for decisions: nothing else of a host need be read.
    changes: Vec<u64>,
    /// The new value, if there is one only.
    to: Option<&'a Value>,
}

/// More than any share.
const NEVER: u64 = u64::MAX;

/// One host that takes part.
#[derive(Clone, Copy, Debug)]
struct Standing<'a> {
    to: &'a Value,
    told: bool,
    /// `None` on the way back for a host that was never told.
    turn: Option<Turn>,
}

/// How many hosts may be on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The most hosts that may have been told without having confirmed; `None`: any number.
    pub in_flight_max: Option<u64>,
    /// How many have not confirmed.
    pub in_flight: u64,
}

impl<'a> View<'a> {
    pub(super) fn new(variable: &'a Variable, fleet: &'a Fleet) -> Result<Self, VariableError> {
        let run = variable
            .running()
            .map(|running| Run::new(variable, fleet, running))
            .transpose()?;
        Ok(Self {
            variable,
            fleet,
            run,
        })
    }

    /// What a host should hold; `None` if the fleet does not have it.
    #[must_use]
    pub fn value_for(&self, host: &str, at: Timestamp) -> Option<&'a Value> {
        let index = self.fleet.position(host)?;
        Some(self.value_of(index, self.fleet.members().get(index)?, self.share_at(at)))
    }

    /// The share of the hosts in scope that the curve asks for; nothing, if no transition runs.
    #[must_use]
    pub fn share_at(&self, at: Timestamp) -> Share {
        self.run
            .as_ref()
            .map_or(Share::ZERO, |run| run.path.share_at(at))
    }

    /// When a host changes: to the new value, and back if the transition is being rolled back.
    ///
    /// Exact, not an estimate: [`View::value_for`] changes at that millisecond. Later joins, leaves and pauses change both.
    #[must_use]
    pub fn flips_at(&self, host: &str) -> Flips {
        let flips = || {
            let run = self.run.as_ref()?;
            let turn = run.standing(self.fleet.position(host)?)?.turn?.share;
            Some(Flips {
                forward: run.path.reaches(turn),
                back: run.path.falls_below(turn),
            })
        };
        flips().unwrap_or_default()
    }

    /// How many hosts hold what, at a point in time; asked for and real shares.
    #[must_use]
    pub fn preview(&self, at: Timestamp) -> Preview {
        let share = self.share_at(at);
        let mut preview = Preview {
            at,
            asked: share,
            real: Share::ZERO,
            values: BTreeMap::new(),
            strata: Vec::new(),
        };
        let mut changed = vec![0_u64; self.run.as_ref().map_or(0, |run| run.strata.len())];
        for (index, member) in self.fleet.members().iter().enumerate() {
            *preview
                .values
                .entry(self.value_of(index, member, share).clone())
                .or_default() += 1;
            let run = self.run.as_ref();
            let turn = run
                .filter(|run| run.has_changed(index, share))
                .and_then(|run| run.standing(index)?.turn);
            if let Some(count) = turn.and_then(|turn| changed.get_mut(turn.stratum)) {
                *count += 1;
            }
        }
        if let Some(run) = &self.run {
            preview.real = if run.hosts == 0 {
                Share::ZERO
            } else {
                Share::ratio(changed.iter().sum(), run.hosts)
            };
            let count = |(stratum, changed): (&Stratum, u64)| StratumCount {
                path: stratum.path.clone(),
                hosts: stratum.hosts,
                changed,
            };
            preview.strata = run.strata.iter().zip(changed).map(count).collect();
        }
        preview
    }

    /// Why a host holds what it holds; `None` if the fleet does not have it.
    #[must_use]
    pub fn explain(&self, host: &str, at: Timestamp) -> Option<Explanation> {
        let index = self.fleet.position(host)?;
        let member = self.fleet.members().get(index)?;
        let share = self.share_at(at);
        Some(Explanation {
            host: member.host.clone(),
            value: self.value_of(index, member, share).clone(),
            because: self
                .run
                .as_ref()
                .map_or(Because::Settled, |run| run.because(index, share)),
            flips: self.flips_at(host),
            revision: self.variable.revision(),
            at,
        })
    }

    /// Whom to tell what now, so that what has been told is what the curve asks for.
    ///
    /// Planning, applying and planning again gives an empty step. A step never tells more than the budget leaves; what it
    /// leaves over is told by later ones, in the same order.
    pub fn plan(&self, at: Timestamp, budget: Budget) -> Step {
        let share = self.share_at(at);
        let mut step = Step {
            at,
            revision: self.variable.revision(),
            share,
            tells: Vec::new(),
            held_back: 0,
            wake: None,
        };
        let Some(run) = &self.run else { return step };
        let mut due: Vec<(Share, u64, usize)> = run.due(share).collect();
        due.sort_unstable();
        if run.is_falling() {
            due.reverse();
        }
        let room = budget
            .in_flight_max
            .map_or(u64::MAX, |max| max.saturating_sub(budget.in_flight));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        step.held_back = due.len().saturating_sub(room) as u64;
        due.truncate(room);
        step.tells.reserve_exact(due.len());
        for (_, _, index) in due {
            let Some(member) = self.fleet.members().get(index) else {
                continue;
            };
            let value = self.value_of(index, member, share).clone();
            step.tells.push(Tell {
                host: member.host.clone(),
                value,
                because: run.because(index, share),
            });
        }
        step.wake = run.wake(share);
        step
    }

    /// How many hosts are still to be told until the transition has arrived.
    pub(crate) fn left(&self, at: Timestamp) -> u64 {
        let Some(run) = &self.run else { return 0 };
        let (share, last) = (self.share_at(at), run.path.last());
        let waiting = |index: usize| run.has_changed(index, share) != run.has_changed(index, last);
        let indices = 0..run.standings.len();
        let untold = if matches!(run.running.transition.order.mode, Mode::Ratchet) {
            run.due(last).count()
        } else {
            0
        };
        (indices.filter(|index| waiting(*index)).count().max(untold)) as u64
    }

    fn value_of(&self, index: usize, member: &Member, share: Share) -> &'a Value {
        let new = self.run.as_ref().and_then(|run| run.new_of(index, share));
        new.unwrap_or_else(|| self.variable.held().value(member))
    }
}

impl<'a> Run<'a> {
    fn new(
        variable: &'a Variable,
        fleet: &'a Fleet,
        running: &'a Running,
    ) -> Result<Self, VariableError> {
        let path = Path::of(running).map_err(|source| variable.curve_error(source))?;
        let transition = &running.transition;
        let target = |member: &Member| match &transition.change {
            Change::Replace { from, to } => (Order::picks(&transition.scope, member)
                && variable.held().value(member) == from)
                .then_some(to),
            Change::Mix(_) => running.moves.get(&member.host),
        };
        let targets: Vec<Option<&'a Value>> = fleet.members().iter().map(target).collect();
        let included: Vec<usize> = targets
            .iter()
            .enumerate()
            .filter_map(|(index, to)| to.map(|_| index))
            .collect();
        let turns = transition
            .order
            .turns(fleet, &included, &running.told)
            .map_err(|source| variable.order_error(source))?;
        let (hosts, strata) = (turns.hosts(), turns.strata().to_vec());
        let turns = falling(fleet, running, turns);
        let standing = |(index, to): (usize, Option<&'a Value>)| {
            let told = fleet
                .members()
                .get(index)
                .is_some_and(|member| running.told.contains(&member.host));
            Some(Standing {
                to: to?,
                told,
                turn: turns.of(index),
            })
        };
        let standings: Vec<_> = targets.into_iter().enumerate().map(standing).collect();
        let ratchet = running.rollback.is_none() && transition.order.mode == Mode::Ratchet;
        let change = |standing: &Option<Standing<'_>>| match standing {
            Some(standing) if standing.turn.is_some() && standing.told && ratchet => 0,
            Some(Standing {
                turn: Some(turn), ..
            }) => turn.share.parts(),
            _ => NEVER,
        };
        let changes = standings.iter().map(change).collect();
        let to = match &transition.change {
            Change::Replace { to, .. } => Some(to),
            Change::Mix(_) => None,
        };
        Ok(Self {
            running,
            path,
            strata,
            hosts,
            standings,
            changes,
            to,
        })
    }

    fn standing(&self, index: usize) -> Option<&Standing<'a>> {
        self.standings.get(index)?.as_ref()
    }

    fn is_falling(&self) -> bool {
        self.running.rollback.is_some()
    }

    /// Whether a host holds the new value at this share.
    fn has_changed(&self, index: usize, share: Share) -> bool {
        let from = self.changes.get(index);
        from.is_some_and(|from| *from <= share.parts())
    }

    /// The new value, if a host holds it at this share.
    fn new_of(&self, index: usize, share: Share) -> Option<&'a Value> {
        if !self.has_changed(index, share) {
            return None;
        }
        self.to.or_else(|| Some(self.standing(index)?.to))
    }

    /// The hosts that should be told something, because what they were told last is not what this share asks for; each with its turn and
    /// its place, by which they are told.
    fn due(&self, share: Share) -> impl Iterator<Item = (Share, u64, usize)> {
        self.standings
            .iter()
            .enumerate()
            .filter_map(move |(index, standing)| {
                let standing = standing.as_ref()?;
                let new = self.has_changed(index, share);
                let forward = new && !standing.told && !self.is_falling();
                let back = !new && standing.told;
                let turn = standing.turn.filter(|_| forward || back)?;
                Some((turn.share, turn.place, index))
            })
    }

    /// When the next host that has not changed will.
    fn wake(&self, share: Share) -> Option<Timestamp> {
        let turns = self
            .standings
            .iter()
            .flatten()
            .filter_map(|standing| Some((standing.turn?.share, standing.told)));
        if self.is_falling() {
            let next = turns
                .filter(|(turn, _)| *turn <= share)
                .map(|(turn, _)| turn)
                .max()?;
            self.path.falls_below(next)
        } else {
            let next = turns
                .filter(|(turn, told)| *turn > share && !told)
                .map(|(turn, _)| turn)
                .min()?;
            self.path.reaches(next)
        }
    }

    fn because(&self, index: usize, share: Share) -> Because {
        let Some(standing) = self.standing(index) else {
            return Because::OutOfScope;
        };
        let Some(turn) = standing.turn else {
            return Because::NeverTold;
        };
        let stratum = self
            .strata
            .get(turn.stratum)
            .map(|stratum| stratum.path.clone())
            .unwrap_or_else(|| Arc::from([]));
        let place = super::PlaceInLine {
            place: turn.place,
            of: self.hosts,
            stratum,
            turn: turn.share,
            share,
            by: turn.by,
        };
        match (self.has_changed(index, share), self.is_falling()) {
            (true, _) => Because::TurnHasCome(place),
            (false, true) => Because::RolledBack(place),
            (false, false) if standing.told => Because::Retaken(place),
            (false, false) => Because::TurnHasNotCome(place),
        }
    }
}

/// The turns that count: on the way back, those of the hosts that had changed.
fn falling(fleet: &Fleet, running: &Running, turns: Turns) -> Turns {
    match &running.rollback {
        None => turns,
        Some(rollback) => turns.on_the_way_back(
            fleet,
            running.transition.order.mode,
            &running.told,
            rollback.peak,
            rollback.descent.pivot,
        ),
    }
}
