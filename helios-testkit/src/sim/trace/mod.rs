//! What happened: one format, for simulated fleets and for recorded real ones.

mod event;
mod fact;
mod fleet;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use helios_core::HostName;

pub use event::{Actor, Change, Event, Outcome, Phase, Verb, What, Write};
pub use fact::{Fact, HostFact, ReportFact};
pub use fleet::{Fleet, MachineState, Running, Wanted};

/// A run: its events in order, and the limits it is judged by.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Which machine stands for which host and agent.
    pub machines: BTreeMap<u16, Machine>,
    /// The limits.
    pub bounds: Bounds,
    /// The events, each with the index it has as its number.
    pub events: Vec<Event>,
}

/// A machine with one agent and one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The host it stands for.
    pub host: HostName,
    /// The agent's id, which owns its containers.
    pub agent_id: String,
}

/// By which limits a run is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long a session outlives its owner.
    pub session_timeout: Duration,
    /// How long a change can remain unseen.
    pub resync: Duration,
    /// How long after the last fault everything must be as wanted.
    pub settle: Duration,
    /// How many containers may be created for one job in a minute.
    pub creates_per_minute: usize,
    /// How often an agent may have images pulled in a minute.
    pub pulls_per_minute: usize,
    /// How often an agent may ask for all of its containers in a minute; what it watches comes by itself.
    pub lists_per_minute: usize,
    /// How often an agent may write an entry in a minute in which nothing changes: an attempt at what cannot run is told in three
    /// steps, and all is told again once a minute.
    pub idle_writes_per_minute: usize,
    /// The largest commit, in bytes.
    pub commit_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            session_timeout: Duration::from_secs(10),
            resync: Duration::from_secs(60),
            settle: Duration::from_secs(180),
            creates_per_minute: 25,
            pulls_per_minute: 60,
            lists_per_minute: 120,
            idle_writes_per_minute: 4,
            commit_bytes_max: helios_core::store::TXN_BYTES_MAX,
        }
    }
}

impl Trace {
    /// A number that differs between traces that differ in anything.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hasher = Hasher(0xcbf2_9ce4_8422_2325);
        for event in &self.events {
            // Hashing never fails; what it would report is thrown away by design.
            let _ = fmt::write(&mut hasher, format_args!("{event}\n"));
        }
        hasher.0
    }

    /// The number of the first event in which the two traces differ, if any.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let longest = self.events.len().max(other.events.len());
        let line = |trace: &Self, index| trace.events.get(index).map(ToString::to_string);
        (0..longest).find(|index| line(self, *index) != line(other, *index))
    }

    /// The last `most` events up to number `until` that concern one of the `actors`; all, if there are none. Without lists of
    /// containers, which agents that poll ask for all the time.
    #[must_use]
    pub fn last_events(&self, actors: &[Actor], until: usize, most: usize) -> Vec<&Event> {
        let mut events: Vec<_> = self
            .events
            .iter()
            .take(until.saturating_add(1))
            .rev()
            .filter(|event| {
                !matches!(
                    &event.what,
                    What::Call {
                        verb: Verb::List,
                        ..
                    }
                )
            })
            .filter(|event| actors.is_empty() || actors.iter().any(|actor| event.concerns(*actor)))
            .take(most)
            .collect();
        events.reverse();
        events
    }
}

/// FNV-1a over the text of the events.
struct Hasher(u64);

impl fmt::Write for Hasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
