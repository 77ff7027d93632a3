//! How many hosts hold what over time: as it was planned, and as it was.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditError, Entry, Record, State};
use crate::variable::Value;

/// How many points a planned course has.
const POINTS: i64 = 120;
/// How many points an actual course has at most.
const POINTS_MAX: usize = 1_000;

/// How many hosts hold what over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The course of the transition that a log is about; empty for an empty log.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the log does not add up.
    pub fn of(records: &[Record]) -> Result<Self, AuditError> {
        let mut records = records.iter();
        let Some(Entry::Checkpoint(first)) = records.next().map(|record| &record.entry) else {
            return Ok(Self::default());
        };
        let mut state = State::clone(first);
        let (mut planned, mut actual) = (Vec::new(), Vec::new());
        let mut holders: BTreeMap<HostName, Value> = BTreeMap::new();
        for record in records {
            let base = state.variable.held().base().clone();
            state.follow(record)?;
            match &record.entry {
                Entry::Members { joined, left } => {
                    for member in joined {
                        let known = holders.contains_key(&member.host);
                        if !known {
                            let value = state.variable.held().value(member).clone();
                            holders.insert(member.host.clone(), value);
                        }
                    }
                    left.iter().for_each(|host| drop(holders.remove(host)));
                }
                Entry::Started { .. } => planned = plan(&state)?,
                Entry::Told { step, .. } => {
                    for tell in &step.tells {
                        holders.insert(tell.host.clone(), tell.value.clone());
                    }
                }
                _ => {}
            }
            if !planned.is_empty() {
                let mut counts = Counts::from([(base, 0)]);
                for value in holders.values() {
                    *counts.entry(value.clone()).or_default() += 1;
                }
                actual.push((record.at, counts));
            }
        }
        Ok(collect(planned, thinned(actual)))
    }
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
