//! What a log adds up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::{AuditError, Entry, Mark, Record};
use crate::guard::{Advice, Evidence, GuardError, Monitor};
use crate::order::{Fleet, Member};
use crate::variable::{Budget, Step, Variable, VariableError, View};

/// A variable, its fleet and its guard after some number of records.
///
/// Running live and replaying are the same code: [`State::append`] makes a record by applying its entry, and
/// [`replay`](super::replay) applies it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The variable.
    pub variable: Variable,
    /// Its fleet.
    pub fleet: Arc<Fleet>,
    /// The guard of the running transition, or of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Monitor>,
    /// What the guard said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// Whether it is the guard that stopped the clock, and not a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_by_guard: bool,
    /// By objective, the hosts that are not counted any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fallen: BTreeMap<String, BTreeSet<HostName>>,
    /// What the running transition told each host last. Shared, since states are copied more often than hosts are told.
    #[serde(default, skip_serializing_if = "no_marks")]
    pub marks: Arc<BTreeMap<HostName, Mark>>,
    /// How many records it adds up, itself included.
    pub records: u64,
    /// How many times a host was told a value in them.
    pub tells: u64,
}

fn no_marks(marks: &BTreeMap<HostName, Mark>) -> bool {
    marks.is_empty()
}

/// What is taken for granted when a record is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Every decision is made again.
    Nothing,
    /// Decisions are what the record says.
    Decisions,
}

impl State {
    /// A state with no past.
    #[must_use]
    pub fn new(variable: Variable, fleet: Fleet) -> Self {
        Self {
            variable,
            fleet: Arc::new(fleet),
            monitor: None,
            advice: None,
            held_by_guard: false,
            fallen: BTreeMap::new(),
            marks: Arc::default(),
            records: 0,
            tells: 0,
        }
    }

    /// The first line of a log that begins here, or goes on from here.
    #[must_use]
    pub fn checkpoint(&self, at: Timestamp) -> Record {
        let sequence = self.records.saturating_sub(1);
        let state = Self {
            records: sequence + 1,
            ..self.clone()
        };
        Record {
            sequence,
            at,
            revision: self.variable.revision(),
            entry: Entry::Checkpoint(Box::new(state)),
        }
    }

    /// Everything there is to ask about the variable and its fleet.
    ///
    /// # Errors
    ///
    /// [`AuditError::Variable`] if the fleet has made the variable's rules contradict each other.
    pub fn view(&self) -> Result<View<'_>, AuditError> {
        let view = self.variable.on(&self.fleet);
        view.map_err(|source| self.refused(source))
    }

    /// The decision whom to tell what now, as an entry to append.
    ///
    /// # Errors
    ///
    /// [`AuditError::Variable`] if the fleet has made the variable's rules contradict each other.
    pub fn tell(&self, at: Timestamp, budget: Budget) -> Result<Entry, AuditError> {
        Ok(Entry::Told {
            budget,
            step: self.view()?.plan(at, budget),
        })
    }

    /// The decision whether to go on, as an entry to append; `None` without a guard.
    ///
    /// # Errors
    ///
    /// As [`State::tell`].
    pub fn advise(&self, at: Timestamp) -> Result<Option<Entry>, AuditError> {
        let Some(mut monitor) = self.monitor.clone() else {
            return Ok(None);
        };
        let advice = self.advice_of(&mut monitor, at)?;
        Ok(Some(Entry::Advised { advice }))
    }

    /// As [`State::append`], for a decision that was made from this very state a moment ago.
    pub(crate) fn push(&mut self, at: Timestamp, entry: Entry) -> Result<Record, AuditError> {
        let sequence = self.records;
        self.apply(sequence, at, &entry, Trust::Decisions)?;
        Ok(Record {
            sequence,
            at,
            revision: self.variable.revision(),
            entry,
        })
    }

    /// Applies an entry, and returns the record to store in the same transaction.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the entry is refused, or is a decision that does not follow from this state. The state is unchanged then.
    pub fn append(&mut self, at: Timestamp, entry: Entry) -> Result<Record, AuditError> {
        let mut next = self.clone();
        next.apply(self.records, at, &entry, Trust::Nothing)?;
        let record = Record {
            sequence: self.records,
            at,
            revision: next.variable.revision(),
            entry,
        };
        *self = next;
        Ok(record)
    }

    /// Applies the next record of a log without making its decision again: for whoever only wants to know where the log
    /// ends. [`replay`](super::replay) is for whoever doubts it.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the record is not the next one, or is refused. On an error the state is not to be used further.
    pub fn follow(&mut self, record: &Record) -> Result<(), AuditError> {
        if record.sequence != self.records {
            return Err(AuditError::Gap {
                expected: self.records,
                found: record.sequence,
            });
        }
        self.apply(record.sequence, record.at, &record.entry, Trust::Decisions)
    }

    /// Applies an entry that stands at `sequence`. On an error the state is not to be used further.
    pub(super) fn apply(
        &mut self,
        sequence: u64,
        at: Timestamp,
        entry: &Entry,
        trust: Trust,
    ) -> Result<(), AuditError> {
        let changed = match entry {
            Entry::Checkpoint(_) => return Err(AuditError::Checkpoint { sequence }),
            Entry::Members { joined, left } => return self.meet(sequence, joined, left),
            Entry::Started { transition, guard } => {
                let start = transition.curve.start;
                let monitor = guard
                    .clone()
                    .map(|guard| Monitor::new(guard, start))
                    .transpose();
                self.monitor = monitor.map_err(|source| AuditError::Guard { sequence, source })?;
                (self.advice, self.held_by_guard) = (None, false);
                self.fallen.clear();
                self.marks = Arc::default();
                self.variable.start((**transition).clone(), &self.fleet, at)
            }
            // A person who pauses what the guard holds takes it over.
            Entry::Paused if std::mem::take(&mut self.held_by_guard) => Ok(()),
            Entry::Paused => self.variable.pause(at),
            Entry::Held => {
                self.held_by_guard = true;
                self.variable.pause(at)
            }
            Entry::Resumed | Entry::Released => {
                self.held_by_guard = false;
                self.variable.resume(at)
            }
            Entry::RolledBack { curve } => {
                self.held_by_guard = false;
                self.variable.roll_back((**curve).clone(), &self.fleet)
            }
            Entry::Aborted => self.variable.abort(&self.fleet, at),
            Entry::Finished => self.variable.finish(&self.fleet, at),
            Entry::Told { budget, step } => {
                if trust == Trust::Nothing && self.tell(step.at, *budget)? != *entry {
                    return Err(AuditError::Differs { sequence });
                }
                self.mark(sequence, at, step);
                self.variable.apply(step)
            }
            Entry::Looked {
                objective,
                evidence,
                fallen,
            } => return self.look(sequence, objective, (evidence, fallen)),
            Entry::Missed { objective, because } => {
                return self.watch(sequence, |monitor| monitor.miss(objective, at, because));
            }
            Entry::Advised { advice } => return self.advised(sequence, at, advice),
        };
        changed.map_err(|source| self.refused(source))?;
        self.records += 1;
        Ok(())
    }

    fn meet(
        &mut self,
        sequence: u64,
        joined: &[Member],
        left: &[HostName],
    ) -> Result<(), AuditError> {
        let joining = joined.iter().map(|member| &member.host);
        let replaced: BTreeSet<&HostName> = joining.chain(left).collect();
        let members = self.fleet.members().iter();
        let staying = members.filter(|member| !replaced.contains(&member.host));
        let fleet = Fleet::new(staying.chain(joined).cloned());
        self.fleet = Arc::new(fleet.map_err(|source| AuditError::Fleet { sequence, source })?);
        self.records += 1;
        Ok(())
    }

    fn mark(&mut self, sequence: u64, at: Timestamp, step: &Step) {
        self.tells += step.tells.len() as u64;
        if step.tells.is_empty() {
            return;
        }
        let marks = Arc::make_mut(&mut self.marks);
        for tell in &step.tells {
            let mark = Mark {
                value: tell.value.clone(),
                sequence,
                at,
                revision: self.variable.revision(),
                because: tell.because.clone(),
            };
            marks.insert(tell.host.clone(), mark);
        }
    }

    fn look(
        &mut self,
        sequence: u64,
        objective: &str,
        (evidence, fallen): (&Evidence, &[HostName]),
    ) -> Result<(), AuditError> {
        let known = self.fallen.entry(objective.to_owned()).or_default();
        known.extend(fallen.iter().cloned());
        self.watch(sequence, |monitor| monitor.look(objective, evidence))
    }

    fn watch(
        &mut self,
        sequence: u64,
        watch: impl FnOnce(&mut Monitor) -> Result<(), GuardError>,
    ) -> Result<(), AuditError> {
        let monitor = self.monitor.as_mut();
        let monitor = monitor.ok_or(AuditError::NoGuard { sequence })?;
        watch(monitor).map_err(|source| AuditError::Guard { sequence, source })?;
        self.records += 1;
        Ok(())
    }

    fn advised(&mut self, sequence: u64, at: Timestamp, advice: &Advice) -> Result<(), AuditError> {
        let monitor = self.monitor.clone();
        let mut monitor = monitor.ok_or(AuditError::NoGuard { sequence })?;
        if self.advice_of(&mut monitor, at)? != *advice {
            return Err(AuditError::Differs { sequence });
        }
        self.monitor = Some(monitor);
        self.advice = Some(advice.clone());
        self.records += 1;
        Ok(())
    }

    fn advice_of(&self, monitor: &mut Monitor, at: Timestamp) -> Result<Advice, AuditError> {
        let view = self.view()?;
        let share = view.share_at(at);
        Ok(if self.is_forward() && view.left(at) == 0 {
            monitor.advise_at_the_end(share, at)
        } else {
            monitor.advise(share, at)
        })
    }

    /// Whether the clock of a transition runs, and not backwards.
    fn is_forward(&self) -> bool {
        let running = self.variable.running();
        running.is_some_and(|running| !running.is_paused() && running.rollback.is_none())
    }

    fn refused(&self, source: VariableError) -> AuditError {
        AuditError::Variable {
            sequence: self.records,
            source: Box::new(source),
        }
    }
}
