//! Whether a reset can be done, and when it will be.

use std::sync::Arc;
use std::time::Duration;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::standing::Standing;
use super::{Impossible, Instance, Progress, Reset, Sight, Sights, Wanted};
use crate::curve::{Curve, CurveError, Length, Pauses, Shape, millis};
use crate::drive::Query;
use crate::drive::evidence::check_queries;
use crate::guard::{Guard, Objective};
use crate::share::Share;

/// The most hosts one reset keeps track of: what it stores then still fits one entry.
pub const HOSTS_MAX: u64 = 15_000;
/// The most hosts that may be away at once, and the most failures that may be borne.
pub const AWAY_MAX: u64 = 500;

/// How a reset will go, if every host takes as long as is expected and all come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Forecast {
    /// Its hosts that are still to be chosen, in the order in which they will be.
    pub line: Vec<HostName>,
    /// How many hosts are away at once, at most.
    pub width: u64,
    /// How often hosts are chosen, if those that are away at once all take as long.
    pub rounds: u64,
    /// Which hosts go together in the first rounds.
    pub first: Vec<Vec<HostName>>,
    /// How long a host is expected to be away.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub per_host: Duration,
    /// How much open time it takes.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub open: Duration,
    /// When it ends; `None` if the calendar leaves too little time for ever.
    pub ends: Option<Timestamp>,
    /// What part of the hosts is done by the deadline.
    pub in_time: Share,
    /// Whether that is all of them.
    pub feasible: bool,
}

/// How the reset will go from here.
///
/// The very rules that choose hosts are run ahead, in rounds: as many as may are away together, all come back, and the next are chosen.
#[must_use]
pub fn forecast(reset: &Reset, progress: &Progress, sights: &Sights, now: Timestamp) -> Forecast {
    let per_host = progress.average().unwrap_or(reset.patience.expected);
    let due = reset.due(progress, sights);
    let line = reset.line(sights, progress, &due);
    let Rounds {
        rounds,
        width,
        first,
    } = Rounds::of(reset, progress, sights, &line);
    let under_way = u32::from(!progress.away.is_empty());
    let turns = u32::try_from(rounds).unwrap_or(u32::MAX);
    let open = per_host.saturating_mul(turns.saturating_add(under_way));
    let ends = end(reset, now, open).ok();
    let feasible = ends.is_some_and(|ends| ends <= reset.deadline);
    let names = |places: &[usize]| -> Vec<HostName> {
        let hosts = places
            .iter()
            .filter_map(|at| sights.fleet.members().get(*at));
        hosts.map(|member| member.host.clone()).collect()
    };
    Forecast {
        width,
        rounds,
        first: first.iter().map(|round| names(round)).collect(),
        per_host,
        open,
        ends,
        in_time: if feasible {
            Share::ONE
        } else {
            part_in_time(reset, now, open)
        },
        feasible,
        line: names(&line),
    }
}

/// Whether the reset could be done at all, and by its deadline.
///
/// # Errors
///
/// Every reason why not that a change of the reset or of the fleet would mend, but for those that repeat another.
pub fn check(reset: &Reset, sights: &Sights, now: Timestamp) -> Result<Forecast, Vec<Impossible>> {
    let mut why = limits(reset, now);
    let progress = match Progress::new(reset, now) {
        Ok(progress) => progress,
        Err(error) => {
            why.push(Impossible::Guard(error.to_string()));
            return Err(why);
        }
    };
    if let Some(error) = reset.guard.as_ref().and_then(unaskable) {
        why.push(Impossible::Guard(error));
    }
    if let Err(error) = end(reset, now, Duration::from_millis(1)) {
        let error = error.to_string();
        why.push(Impossible::NeverOpen { why: error });
    }
    let due = reset.due(&progress, sights);
    let hosts = due.len() as u64;
    if hosts > HOSTS_MAX {
        let most = HOSTS_MAX;
        why.push(Impossible::TooManyHosts { hosts, most });
    }
    blocked(reset, &progress, sights, &due, &mut why);
    if !why.is_empty() {
        return Err(why);
    }
    let forecast = forecast(reset, &progress, sights, now);
    if forecast.feasible || hosts == 0 {
        return Ok(forecast);
    }
    Err(vec![Impossible::Deadline {
        deadline: reset.deadline,
        ends: forecast.ends,
        hosts,
        width: forecast.width,
        in_time: forecast.in_time,
    }])
}

/// Why the guard's questions cannot be asked, if they cannot.
fn unaskable(guard: &Guard) -> Option<String> {
    let mut asked = guard.clone();
    asked.objectives.retain(Objective::is_asked);
    let health = asked.objectives.iter().filter(|objective| {
        let query = objective.query.parse();
        matches!(query, Ok(Query::Health { .. }))
    });
    if health.count() > 1 {
        return Some("two objectives of the guard ask for health: one is enough".to_owned());
    }
    let error = check_queries(&asked).err()?;
    Some(error.to_string())
}

/// What is wrong with a reset whatever the fleet.
fn limits(reset: &Reset, now: Timestamp) -> Vec<Impossible> {
    let (limits, patience) = (&reset.limits, &reset.patience);
    let mut why = Vec::new();
    if !(1..=AWAY_MAX).contains(&limits.at_once) {
        why.push(Impossible::AtOnce { most: AWAY_MAX });
    }
    if limits.failures > AWAY_MAX {
        why.push(Impossible::Failures { most: AWAY_MAX });
    }
    let times = [
        ("drain", patience.drain),
        ("ask", patience.ask),
        ("away", patience.away),
        ("check", patience.check),
        ("expected", patience.expected),
    ];
    for (which, _) in times.iter().filter(|(_, time)| time.is_zero()) {
        let which = (*which).to_owned();
        why.push(Impossible::NoTime { which });
    }
    if matches!(reset.wanted, Wanted::ResetSince(since) if since > now) {
        why.push(Impossible::FutureReset);
    }
    why
}

/// The groups and services that could never spare a host that is due, even if all else were well.
fn blocked(
    reset: &Reset,
    progress: &Progress,
    sights: &Sights,
    due: &[usize],
    why: &mut Vec<Impossible>,
) {
    let standing = Standing::of(reset, progress, sights).with_groups();
    let mut services = vec![false; sights.services.len()];
    for place in due {
        let Some(host) = sights.fleet.members().get(*place) else {
            continue;
        };
        for block in standing.groups_without_room(*place) {
            if !why.contains(&block) {
                why.push(block);
            }
        }
        for serves in sights.serves_of(*place) {
            let Some((service, instances, _, minimum)) = standing.service(serves.service) else {
                continue;
            };
            let spares = instances - serves.instances >= minimum;
            let told = services.get_mut(serves.service);
            if !spares && told.is_some_and(|told| !std::mem::replace(told, true)) {
                why.push(Impossible::Service {
                    service: service.to_owned(),
                    instances,
                    minimum,
                    host: host.host.clone(),
                });
            }
        }
    }
}

/// How many rounds a forecast names.
const FIRST_MAX: usize = 5;

/// How hosts are chosen until none is left, if all were up and well.
#[derive(Default)]
struct Rounds {
    rounds: u64,
    width: u64,
    first: Vec<Vec<usize>>,
}

impl Rounds {
    fn of(reset: &Reset, progress: &Progress, sights: &Sights, line: &[usize]) -> Self {
        let ideal = sights.ideal();
        let fresh = Progress {
            away: Default::default(),
            ..progress.clone()
        };
        let mut rounds = Self::default();
        let mut left: Vec<usize> = line.to_vec();
        let mut alone = reset.limits.first_alone && progress.done.is_empty();
        while !left.is_empty() {
            let mut standing = Standing::of(reset, &fresh, &ideal).with_groups();
            standing.alone &= alone;
            let (mut taken, mut stayed) = (Vec::new(), Vec::with_capacity(left.len()));
            let mut places = left.into_iter();
            for place in places.by_ref() {
                if standing.take(place).is_ok() {
                    taken.push(place);
                    continue;
                }
                stayed.push(place);
                if standing.room().is_err() {
                    break;
                }
            }
            stayed.extend(places);
            rounds.width = rounds.width.max(taken.len() as u64);
            if taken.is_empty() {
                // What can never be chosen is told elsewhere; here it takes for ever.
                rounds.rounds = u64::MAX;
                return rounds;
            }
            rounds.rounds += 1;
            if rounds.first.len() < FIRST_MAX {
                rounds.first.push(taken);
            }
            (left, alone) = (stayed, false);
        }
        rounds
    }
}

/// When so much open time will have passed.
fn end(reset: &Reset, now: Timestamp, open: Duration) -> Result<Timestamp, CurveError> {
    if open.is_zero() {
        return Ok(now);
    }
    let curve = Curve {
        shape: Shape::Linear,
        start: now,
        length: Length::Open(open),
        calendar: reset.limits.calendar.clone(),
    };
    let schedule = curve.schedule(&Pauses::default())?;
    schedule
        .ends_at()
        .ok_or(CurveError::NeverOpens { start: now })
}

fn part_in_time(reset: &Reset, now: Timestamp, open: Duration) -> Share {
    let until = reset.limits.calendar.open_between(now, reset.deadline);
    let until = until.unwrap_or_default();
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Share::ratio(millis(until), millis(open).max(1))
}

impl Sights {
    /// The same hosts, all up and well.
    fn ideal(&self) -> Self {
        let well = |sight: &Arc<Sight>| {
            Arc::new(Sight {
                up: true,
                drain: None,
                boot_id: Some(String::new()),
                labels: sight.labels.clone(),
                instances: Vec::<Instance>::new(),
                ..Sight::default()
            })
        };
        let serves = self.serves.iter().map(|serves| {
            let well = serves.iter().map(|serves| super::sight::Serves {
                healthy: serves.instances,
                ..*serves
            });
            well.collect()
        });
        let mut ideal = self.clone();
        ideal.hosts = self.hosts.iter().map(well).collect();
        ideal.serves = serves.collect();
        ideal.claimed.clear();
        ideal
    }
}
