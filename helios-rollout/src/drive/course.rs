//! How many hosts hold what over time: as it was planned, and as it was.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditError, Entry, Record, State};
use crate::order::Member;
use crate::variable::Value;

/// How many points a planned course has.
const POINTS: i64 = 120;
/// How many points an actual course has at most.
const POINTS_MAX: usize = 1_000;

/// How many hosts hold what over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// The values, in the order of [`Sample::hosts`].
    pub values: Vec<Value>,
    /// As the transition was planned when it started.
    pub planned: Vec<Sample>,
    /// As it was, up to the last record.
    pub actual: Vec<Sample>,
}

/// How many hosts hold what at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// That point in time.
    pub at: Timestamp,
    /// Hosts by value.
    pub hosts: Vec<u64>,
}

type Counts = BTreeMap<Value, u64>;

impl Course {
    /// The course of a transition that was started, as far as it is planned.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the fleet has made the rules contradict each other.
    pub fn planned(state: &State) -> Result<Self, AuditError> {
        Ok(collect(plan(state)?, Vec::new()))
    }

    /// This course, continued by the records of a log that begins with a checkpoint; as it is without any.
    pub(super) fn continued(self, records: &[Record]) -> Result<Self, AuditError> {
        let mut records = records.iter();
        let Some(Entry::Checkpoint(first)) = records.next().map(|record| &record.entry) else {
            return Ok(self);
        };
        let mut state = State::clone(first);
        let (mut planned, mut actual) = (self.points(&self.planned), self.points(&self.actual));
        let mut holders = Holders::of(&state);
        for record in records {
            state.follow(record)?;
            match &record.entry {
                Entry::Members { joined, left } => {
                    left.iter().for_each(|host| holders.forget(host));
                    for member in joined {
                        holders.note(&member.host, value_of(&state, member));
                    }
                }
                Entry::Started { .. } => planned = plan(&state)?,
                Entry::Told { step, .. } => {
                    for tell in &step.tells {
                        holders.note(&tell.host, &tell.value);
                    }
                }
                _ => {}
            }
            if !planned.is_empty() {
                actual.push((record.at, holders.counts.clone()));
            }
        }
        Ok(collect(planned, thinned(actual)))
    }

    fn points(&self, samples: &[Sample]) -> Vec<(Timestamp, Counts)> {
        let point = |sample: &Sample| {
            let hosts = sample.hosts.iter().copied();
            (sample.at, self.values.iter().cloned().zip(hosts).collect())
        };
        samples.iter().map(point).collect()
    }
}

/// Who holds what, and how many that are.
struct Holders {
    values: BTreeMap<HostName, Value>,
    counts: Counts,
}

impl Holders {
    fn of(state: &State) -> Self {
        let mut holders = Self {
            values: BTreeMap::new(),
            counts: Counts::from([(state.variable.held().base().clone(), 0)]),
        };
        for member in state.fleet.members() {
            holders.note(&member.host, value_of(state, member));
        }
        holders
    }

    fn note(&mut self, host: &HostName, value: &Value) {
        self.forget(host);
        self.values.insert(host.clone(), value.clone());
        *self.counts.entry(value.clone()).or_default() += 1;
    }

    fn forget(&mut self, host: &HostName) {
        let count = self.values.remove(host);
        if let Some(count) = count.and_then(|value| self.counts.get_mut(&value)) {
            *count -= 1;
        }
    }
}

/// What a member holds: what it was told last, or else the settled value.
fn value_of<'a>(state: &'a State, member: &Member) -> &'a Value {
    let mark = state.marks.get(&member.host);
    mark.map_or_else(|| state.variable.held().value(member), |mark| &mark.value)
}

/// At evenly spread points from the start of the curve to the last host's turn.
fn plan(state: &State) -> Result<Vec<(Timestamp, Counts)>, AuditError> {
    let Some(running) = state.variable.running() else {
        return Ok(Vec::new());
    };
    let view = state.view()?;
    let start = running.transition.curve.start;
    let hosts = state.fleet.members().iter();
    let turns = hosts.filter_map(|member| view.flips_at(member.host.as_str()).forward);
    let end = turns.max().unwrap_or(start);
    let length = end.as_millis().saturating_sub(start.as_millis());
    let point = |index| {
        let at = start.as_millis() + length / POINTS * index;
        let at = Timestamp::from_millis(if index == POINTS { end.as_millis() } else { at });
        (at, view.preview(at).values)
    };
    Ok((0..=POINTS).map(point).collect())
}

fn collect(planned: Vec<(Timestamp, Counts)>, actual: Vec<(Timestamp, Counts)>) -> Course {
    let all = planned.iter().chain(&actual);
    let mut values: Vec<Value> = all.flat_map(|(_, counts)| counts.keys().cloned()).collect();
    values.sort();
    values.dedup();
    let samples = |points: Vec<(Timestamp, Counts)>| {
        let sample = |(at, counts): (Timestamp, Counts)| Sample {
            at,
            hosts: values
                .iter()
                .map(|value| counts.get(value).copied().unwrap_or(0))
                .collect(),
        };
        points.into_iter().map(sample).collect()
    };
    Course {
        planned: samples(planned),
        actual: samples(actual),
        values,
    }
}

/// Every n-th point, and the last.
fn thinned<T>(points: Vec<T>) -> Vec<T> {
    let (count, every) = (points.len(), points.len() / POINTS_MAX + 1);
    let kept = points.into_iter().enumerate();
    kept.filter(|(index, _)| index % every == 0 || index + 1 == count)
        .map(|(_, point)| point)
        .collect()
}
