//! What happened to a task over time.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

use super::TaskReport;

/// How many events are kept of one job on one host.
pub const HISTORY_EVENTS_MAX: usize = 30;

/// The last events of one job on one host, in one entry that the host's agent alone writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// The events, oldest first; at most [`HISTORY_EVENTS_MAX`].
    pub events: Vec<HistoryEvent>,
}

/// What an agent reported of a task from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// When, by the clock of the host.
    pub at: Timestamp,
    /// What it reported.
    pub task: TaskReport,
}

impl HistoryRecord {
    /// Adds events, oldest first, and drops the oldest ones beyond the most that are kept.
    ///
    /// What is there already is not added again, so that a write whose answer was lost may be repeated; nor is
    /// what says nothing new, as the first look of an agent that was started again.
    pub fn add(&mut self, events: impl IntoIterator<Item = HistoryEvent>) {
        for event in events {
            let last = self.events.last().map(|event| &event.task);
            if event.task.is_news_after(last) && !self.events.contains(&event) {
                self.events.push(event);
            }
        }
        let over = self.events.len().saturating_sub(HISTORY_EVENTS_MAX);
        self.events.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Goal, TaskState};

    fn event(at: i64, state: TaskState) -> HistoryEvent {
        let task = TaskReport::new(Goal::Start, state, Timestamp::from_millis(at));
        HistoryEvent {
            at: Timestamp::from_millis(at),
            task,
        }
    }

    #[test]
    fn thirty_events_are_kept_and_the_oldest_go() {
        let states = [TaskState::Starting, TaskState::Exited];
        let events = (0..40).zip(states.into_iter().cycle());
        let mut record = HistoryRecord::default();
        record.add(events.map(|(at, state)| event(at, state)));
        let at: Vec<i64> = record.events.iter().map(|e| e.at.as_millis()).collect();
        assert_eq!(at, (10..40).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_there_or_says_nothing_new_is_not_added() {
        let mut record = HistoryRecord::default();
        let events = [event(1, TaskState::Starting), event(2, TaskState::Running)];
        record.add(events.clone());
        record.add(events.clone());
        record.add([event(3, TaskState::Running)]);
        assert_eq!(record.events, events);
    }
}
