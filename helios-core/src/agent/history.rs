//! Writing down what happens to tasks, without ever holding them up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{HostName, JobId};
use crate::schema::{self, HISTORY_EVENTS_MAX, HistoryEvent, HistoryRecord, Keys};
use crate::store::{Store, StoreError, Txn};
use crate::time::Timestamp;

/// How many events wait at most, of all jobs together, while the store is away.
const WAITING_MAX: usize = 600;

/// Events that are not written yet: a bounded number of each job and of all together. The oldest go first.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: BTreeMap<JobId, VecDeque<HistoryEvent>>,
    len: usize,
    last: Timestamp,
}

/// Within which time of the last event the clock is taken to be right.
const CLOCK_TRUST: Duration = Duration::from_secs(1);

/// How the events of one job were written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) job: JobId,
    pub(super) events: Vec<HistoryEvent>,
    pub(super) outcome: Result<(), StoreError>,
}

impl Backlog {
    /// A time for an event that happens now which no other event has: that is what tells two alike ones apart.
    pub(super) fn time(&mut self, now: Timestamp) -> Timestamp {
        let is_same_burst = now <= self.last && self.last.since(now) < CLOCK_TRUST;
        self.last = if is_same_burst {
            self.last.plus(Duration::from_millis(1))
        } else {
            now
        };
        self.last
    }

    pub(super) fn push(&mut self, job: &JobId, event: HistoryEvent) {
        let events = self.waiting.entry(job.clone()).or_default();
        events.push_back(event);
        self.len += 1;
        if events.len() > HISTORY_EVENTS_MAX {
            self.drop_oldest(job);
        }
        if self.len > WAITING_MAX
            && let Some(job) = self.oldest()
        {
            self.drop_oldest(&job);
        }
    }

    /// The events of the job whose first one is the oldest.
    pub(super) fn take(&mut self) -> Option<(JobId, Vec<HistoryEvent>)> {
        let job = self.oldest()?;
        let events = self.waiting.remove(&job)?;
        self.len -= events.len();
        Some((job, events.into()))
    }

    /// Takes back events that could not be written; those that came meanwhile are newer.
    pub(super) fn put_back(&mut self, job: &JobId, events: Vec<HistoryEvent>) {
        let newer = self.waiting.remove(job).unwrap_or_default();
        self.len -= newer.len();
        for event in events.into_iter().chain(newer) {
            self.push(job, event);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn oldest(&self) -> Option<JobId> {
        let first = |events: &VecDeque<HistoryEvent>| -> Option<Timestamp> {
            events.front().map(|event| event.at)
        };
        let oldest = self.waiting.iter().min_by_key(|(_, events)| first(events));
        oldest.map(|(job, _)| job.clone())
    }

    fn drop_oldest(&mut self, job: &JobId) {
        if let Some(events) = self.waiting.get_mut(job) {
            self.len -= usize::from(events.pop_front().is_some());
            if events.is_empty() {
                self.waiting.remove(job);
            }
        }
    }
}

/// Adds the events to what is kept of the job on this host, on the condition that `place` checks. A job that
/// was removed has no history any more, and gets none.
pub(super) async fn write(
    store: Arc<dyn Store>,
    host: HostName,
    (job, events): (JobId, Vec<HistoryEvent>),
    place: Txn,
) -> Written {
    let outcome = add(&*store, &host, &job, &events, place).await;
    Written {
        job,
        events,
        outcome,
    }
}

async fn add(
    store: &dyn Store,
    host: &HostName,
    job: &JobId,
    events: &[HistoryEvent],
    place: Txn,
) -> Result<(), StoreError> {
    let (Ok(job_key), Ok(key)) = (Keys::job(job), Keys::history(job, host)) else {
        return Ok(());
    };
    let Some(stored_job) = store.get(&job_key).await? else {
        return Ok(());
    };
    let place = place.check(job_key, stored_job.version);
    let entry = store.get(&key).await?;
    // One that cannot be read is begun anew: it is of use to people only.
    let kept = entry
        .as_ref()
        .and_then(|entry| schema::decode::<HistoryRecord>(&key, &entry.value).ok());
    let mut record = kept.clone().unwrap_or_default();
    record.add(events.iter().cloned());
    if kept.as_ref() == Some(&record) {
        return Ok(());
    }
    let value = schema::encode(&record);
    let txn = match entry {
        Some(entry) => place.update(key, entry.version, value),
        None => place.create(key, value),
    };
    store.commit(txn).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Goal, TaskState};
    use crate::schema::TaskReport;

    fn event(at: i64) -> HistoryEvent {
        let task = TaskReport::new(Goal::Start, TaskState::Running, Timestamp::from_millis(at));
        let at = Timestamp::from_millis(at);
        HistoryEvent { at, task }
    }

    fn job(number: usize) -> JobId {
        format!("job{number}:1").parse().unwrap()
    }

    #[test]
    fn the_backlog_is_bounded_for_each_job_and_in_all() {
        let mut backlog = Backlog::default();
        for at in 0..100 {
            backlog.push(&job(0), event(at));
        }
        assert_eq!(backlog.len, HISTORY_EVENTS_MAX);
        for at in 100..2000 {
            backlog.push(&job(usize::try_from(at).unwrap() % 100), event(at));
        }
        assert_eq!(backlog.len, WAITING_MAX);
        let left: usize = backlog.waiting.values().map(VecDeque::len).sum();
        assert_eq!(left, WAITING_MAX);
        let oldest = backlog.waiting.values().flatten().map(|event| event.at);
        assert_eq!(oldest.min(), Some(Timestamp::from_millis(1400)));
    }

    #[test]
    fn no_two_events_have_the_same_time_and_a_clock_may_jump() {
        let mut backlog = Backlog::default();
        let times = [5_000, 5_000, 5_000, 4_999, 5_001, 9_000, 8_000, 1_000];
        let times = times.map(|now| backlog.time(Timestamp::from_millis(now)).as_millis());
        let distinct = [5_000, 5_001, 5_002, 5_003, 5_004, 9_000, 8_000, 1_000];
        assert_eq!(times, distinct);
    }

    #[test]
    fn what_could_not_be_written_comes_before_what_came_meanwhile() {
        let mut backlog = Backlog::default();
        backlog.push(&job(0), event(1));
        backlog.push(&job(1), event(2));
        let (first, events) = backlog.take().unwrap();
        assert_eq!((&first, events.len()), (&job(0), 1));
        backlog.push(&first, event(3));
        backlog.put_back(&first, events);
        let (again, events) = backlog.take().unwrap();
        let at: Vec<i64> = events.iter().map(|event| event.at.as_millis()).collect();
        assert_eq!((again, at), (first, vec![1, 3]));
        assert!(backlog.take().is_some() && backlog.is_empty() && backlog.len == 0);
    }
}
