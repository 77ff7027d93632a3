//! What goes wrong, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::dice::Dice;
use super::trace::Actor;

/// Fewer troubles than these come from outside in one run; the one of this number is drawn apart.
const CHAOS_MAX: u64 = 14;

/// The numbers of troubles from outside that can be had alone.
const WATCHES: u64 = 3;
const CLOCKS: u64 = 7;
const PORTS: u64 = 11;

/// How one call of a port goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The caller dies, and nothing happens.
    CrashBefore,
    /// It happens, and the caller dies before it hears of it.
    CrashAfter,
    /// Nothing happens, and the caller is told so.
    Refused,
    /// It happens, and the caller is told that nobody knows.
    Lost,
    /// The caller is told that nobody knows, and then it happens.
    Late,
    /// It takes very long.
    Slow,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Refused,
        Self::Lost,
        Self::Late,
        Self::Slow,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Late => "late",
            Self::Slow => "slow",
        }
    }
}

/// A fault of a run, by which it can be named again: `agent1#17:late` or `chaos#3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// The `call`-th call of any port by an actor, counted from 0 over all its lives.
    Call {
        /// Whose call.
        actor: Actor,
        /// Which.
        call: u64,
        /// What happens to it.
        kind: FaultKind,
    },
    /// The `n`-th trouble that comes from outside.
    Chaos(u64),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { actor, call, kind } => write!(f, "{actor}#{call}:{}", kind.name()),
            Self::Chaos(n) => write!(f, "chaos#{n}"),
        }
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no fault: write agent0#17:late or chaos#3");
        let (who, rest) = text.trim().split_once('#').ok_or_else(wrong)?;
        if who == "chaos" {
            return rest.parse().map(Self::Chaos).map_err(|_| wrong());
        }
        let (call, name) = rest.split_once(':').ok_or_else(wrong)?;
        let kind = FaultKind::ALL.into_iter().find(|kind| kind.name() == name);
        Ok(Self::Call {
            actor: who.parse()?,
            call: call.parse().map_err(|_| wrong())?,
            kind: kind.ok_or_else(wrong)?,
        })
    }
}

/// Trouble that comes from outside, not with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chaos {
    Crash(Actor),
    Cut(Actor, Duration),
    ExpireSession(Actor),
    LoseWatches(Actor, Duration),
    EngineRestart(u16),
    Reboot(u16),
    ContainerDies(u16),
    ClockJump(Actor, i64),
    ReplicaLags(usize, Duration),
    DiskFull(u16, Duration),
    RegistryDown(Duration),
    GhostPort(u16, Duration),
    AllPortsTaken(u16, Duration),
}

/// Which faults a run has.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    source: Source,
    only: Option<BTreeSet<Point>>,
    /// The one kind of trouble from outside that there is, if it is only one.
    kind: Option<u64>,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    None,
    Swarm,
    Plan(BTreeSet<Point>),
}

/// The faults of one run, with all that is left to chance decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    seed: u64,
    rates: [u64; 6],
    plan: BTreeSet<Point>,
    only: Option<BTreeSet<Point>>,
    pub(super) chaos: Vec<(Duration, u64, Chaos)>,
}

impl Faults {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Of many kinds; which ones and how many follows from the seed.
    #[must_use]
    pub fn swarm() -> Self {
        Self {
            source: Source::Swarm,
            ..Self::default()
        }
    }

    /// Exactly these.
    #[must_use]
    pub fn plan(points: impl IntoIterator<Item = Point>) -> Self {
        Self {
            source: Source::Plan(points.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Wall clocks that jump, and nothing else.
    #[must_use]
    pub fn clocks() -> Self {
        Self::of_kind(CLOCKS)
    }

    /// Watch events that are lost, and nothing else.
    #[must_use]
    pub fn watches() -> Self {
        Self::of_kind(WATCHES)
    }

    /// Ports that something else takes, and nothing else.
    #[must_use]
    pub fn ports() -> Self {
        Self::of_kind(PORTS)
    }

    fn of_kind(kind: u64) -> Self {
        Self {
            source: Source::Swarm,
            kind: Some(kind),
            only: None,
        }
    }

    /// Of these faults only those that are among `points`; the rest of the run stays as it was.
    #[must_use]
    pub fn only(self, points: impl IntoIterator<Item = Point>) -> Self {
        Self {
            only: Some(points.into_iter().collect()),
            ..self
        }
    }

    /// What of it happens in a run of that seed and size.
    pub(super) fn schedule(
        &self,
        seed: u64,
        masters: u16,
        machines: u16,
        lasts: Duration,
    ) -> Schedule {
        let mut schedule = Schedule {
            seed,
            only: self.only.clone(),
            ..Schedule::default()
        };
        match &self.source {
            Source::None => {}
            Source::Plan(points) => schedule.plan.clone_from(points),
            Source::Swarm => {
                let mut dice = Dice::new(seed, "swarm", 0);
                for rate in &mut schedule.rates {
                    let drawn = dice.pick(&[0, 0, 3, 15, 40]).copied().unwrap_or(0);
                    *rate = if self.kind.is_some() { 0 } else { drawn };
                }
                let kinds: Vec<u64> = (0..=PORTS).filter(|_| dice.chance(600)).collect();
                let kinds = self.kind.map_or(kinds, |kind| vec![kind]);
                let count = dice.below(CHAOS_MAX);
                for n in 0..count {
                    let mut dice = Dice::new(seed, "chaos", n);
                    let at = dice.between(Duration::from_secs(5), lasts);
                    let Some(kind) = dice.pick(&kinds).copied() else {
                        break;
                    };
                    if let Some(chaos) = draw(kind, &mut dice, masters, machines) {
                        schedule.chaos.push((at, n, chaos));
                    }
                }
            }
        }
        if matches!(self.source, Source::Swarm) && self.kind.is_none() {
            schedule.chaos.extend(all_ports(seed, machines, lasts));
        }
        let Schedule { chaos, only, .. } = &mut schedule;
        chaos.retain(|(_, n, _)| {
            only.as_ref()
                .is_none_or(|only| only.contains(&Point::Chaos(*n)))
        });
        chaos.sort_by_key(|(at, n, _)| (*at, *n));
        schedule
    }
}

impl Schedule {
    /// How that call goes wrong, if it does.
    pub(super) fn fault(&self, actor: Actor, call: u64) -> Option<FaultKind> {
        let planned = |kind| self.plan.contains(&Point::Call { actor, call, kind });
        let kind = match FaultKind::ALL.into_iter().find(|kind| planned(*kind)) {
            Some(kind) => kind,
            None => {
                if self.rates.iter().all(|rate| *rate == 0) {
                    return None;
                }
                let mut dice = Dice::new(self.seed ^ 0xfa17, &actor.to_string(), call);
                let rates = FaultKind::ALL.into_iter().zip(self.rates);
                rates.into_iter().find(|(_, rate)| dice.chance(*rate))?.0
            }
        };
        let point = Point::Call { actor, call, kind };
        let kept = self.only.as_ref().is_none_or(|only| only.contains(&point));
        kept.then_some(kind)
    }
}

/// Now and then all ports of a machine are taken. Drawn apart from the rest, which stays as it was without.
fn all_ports(seed: u64, machines: u16, lasts: Duration) -> Option<(Duration, u64, Chaos)> {
    let mut dice = Dice::new(seed, "all ports", 0);
    if !dice.chance(50) {
        return None;
    }
    let machine = u16::try_from(dice.below(u64::from(machines))).ok()?;
    let at = dice.between(Duration::from_secs(5), lasts);
    let taken_for = dice.between(Duration::from_secs(20), Duration::from_secs(90));
    Some((at, CHAOS_MAX, Chaos::AllPortsTaken(machine, taken_for)))
}

fn draw(kind: u64, dice: &mut Dice, masters: u16, machines: u16) -> Option<Chaos> {
    let secs = Duration::from_secs;
    let machine = u16::try_from(dice.below(u64::from(machines))).ok()?;
    let master = u16::try_from(dice.below(u64::from(masters))).ok()?;
    let actor = if dice.chance(750) {
        Actor::Agent(machine)
    } else {
        Actor::Master(master)
    };
    Some(match kind {
        0 => Chaos::Crash(actor),
        1 => Chaos::Cut(actor, dice.between(secs(1), secs(60))),
        2 => Chaos::ExpireSession(actor),
        WATCHES => Chaos::LoseWatches(actor, dice.between(secs(10), secs(90))),
        4 => Chaos::EngineRestart(machine),
        5 => Chaos::Reboot(machine),
        6 => Chaos::ContainerDies(machine),
        CLOCKS => {
            let year = 365 * 24 * 3_600_000_i64;
            let by = i64::try_from(dice.below(20)).ok()? * year - 10 * year;
            Chaos::ClockJump(actor, by + i64::try_from(dice.below(100_000)).ok()?)
        }
        8 => Chaos::ReplicaLags(
            usize::try_from(dice.below(3)).ok()?,
            dice.between(secs(5), secs(40)),
        ),
        9 => Chaos::DiskFull(machine, dice.between(secs(2), secs(30))),
        10 => Chaos::RegistryDown(dice.between(secs(5), secs(60))),
        _ => Chaos::GhostPort(machine, dice.between(secs(10), secs(60))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_it_is_written() {
        let call = Point::Call {
            actor: Actor::Agent(3),
            call: 17,
            kind: FaultKind::CrashAfter,
        };
        for point in [call, Point::Chaos(4)] {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
        assert_eq!(call.to_string(), "agent3#17:crash-after");
        assert!("agent3#x:late".parse::<Point>().is_err());
    }

    #[test]
    fn a_fault_that_is_taken_out_leaves_the_others() {
        let all = Faults::swarm().schedule(4, 2, 5, Duration::from_secs(300));
        let kept: Vec<_> = all.chaos.iter().skip(1).cloned().collect();
        let points = kept.iter().map(|(_, n, _)| Point::Chaos(*n));
        let fewer = Faults::swarm()
            .only(points)
            .schedule(4, 2, 5, Duration::from_secs(300));
        assert_eq!(fewer.chaos, kept);
    }
}
