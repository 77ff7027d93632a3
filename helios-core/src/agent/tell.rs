//! Telling the store how the host is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::warn;

use crate::reconcile::Plan;
use crate::schema::{Goals, HistoryEvent, Keys};
use crate::store::{StoreErrorKind, Txn};
use crate::time::Moment;

use super::events::TaskEvent;
use super::history::{self, Written};
use super::report;
use super::run::{RETRY_AFTER, Running};

/// How often the report is written though nothing changed, so that its facts about the host stay fresh.
const REPORT_EVERY: Duration = Duration::from_secs(60);

impl Running {
    /// Turns the plan into what is reported of the tasks.
    pub(super) fn collect(&mut self, plan: &Plan) {
        let now = self.agent.clock.now();
        self.know_jobs(plan);
        let reports = plan.tasks.iter().map(|line| {
            let job = self.jobs.get(&line.job).map(|job| &**job);
            let memory = self.live.observed.memories.get(&line.job);
            let before = self.tasks.get(&line.job);
            let mut report = report::task_report(line, job, memory, before, now);
            if let Some(goal) = self.goals().and_then(|goals| goals.unread_of(&line.job)) {
                report.error = goal.problem(line.job.as_str(), &self.agent.host);
            }
            (line.job.clone(), report)
        });
        let reports: report::TaskReports = reports.collect();
        if reports == *self.tasks {
            return;
        }
        let before = std::mem::replace(&mut self.tasks, Arc::new(reports));
        let sinks = &self.agent.event_sinks;
        if !self.agent.history && sinks.is_empty() {
            return;
        }
        for (id, task) in &*self.tasks {
            if !task.is_news_after(before.get(id)) {
                continue;
            }
            let event = TaskEvent {
                host: self.agent.host.clone(),
                at: self.backlog.time(now),
                id: id.clone(),
                job: self.jobs.get(id).cloned(),
                task: task.clone(),
            };
            for sink in sinks {
                sink.send(&event);
            }
            let TaskEvent { at, task, .. } = event;
            if self.agent.history {
                self.backlog.push(id, HistoryEvent { at, task });
            }
        }
    }

    /// Keeps the jobs of all tasks that are here, also of those that are not deployed any more.
    fn know_jobs(&mut self, plan: &Plan) {
        for (id, task) in &self.live.desired.tasks {
            if !self.jobs.contains_key(id) {
                self.jobs.insert(id.clone(), Arc::clone(&task.job));
            }
        }
        if self.jobs.len() > plan.tasks.len() {
            self.jobs.retain(|id, _| plan.task(id).is_some());
        }
    }

    /// The condition that this agent acts for its host, if it does: its registration and its presence still
    /// stand.
    fn place(&self) -> Option<Txn> {
        let present = self.seen.up.as_ref()?.as_ref()?;
        let registered = self.seen.host.as_ref()?.as_ref()?;
        let is_here = *present.record == self.me && registered.agent_id == self.me.id;
        let up = Keys::up(&self.agent.host);
        is_here.then(|| self.while_registered().check(up, present.version))
    }

    /// Begins to write down what happened, of one job at a time. Events that come meanwhile gather.
    pub(super) fn write_history(&mut self, now: Moment) {
        if self.history.is_some() || self.backlog.is_empty() {
            return;
        }
        if let Some(later) = self.history_not_before.filter(|later| now < *later) {
            self.wake_at(Some(later));
            return;
        }
        let Some(place) = self.place() else { return };
        let Some(events) = self.backlog.take() else {
            return;
        };
        let store = Arc::clone(&self.agent.store);
        let host = self.agent.host.clone();
        self.history = Some(history::write(store, host, events, place).boxed());
    }

    /// Learns how that ended. What is not written yet is tried again.
    pub(super) fn written(&mut self, written: Written, now: Moment) {
        let Written {
            job,
            events,
            outcome,
        } = written;
        let Err(error) = outcome else {
            self.problems.remove("history");
            self.history_not_before = None;
            return;
        };
        self.backlog.put_back(&job, events);
        self.history_not_before = Some(now.plus(RETRY_AFTER));
        // Somebody else changed the job, or the registration: the next attempt looks again.
        if error.kind() != StoreErrorKind::Conflict {
            self.note("history", Some(error.to_string()));
        }
    }

    /// Begins to write the report if there is something new to tell, and a place to tell it from.
    pub(super) fn tell(&mut self, now: Moment) {
        if self.report.is_some() {
            return;
        }
        if let Some(later) = self.report_not_before.filter(|later| now < *later) {
            self.wake_at(Some(later));
            return;
        }
        let Some(place) = self.place() else { return };
        let problems = self.problems();
        let due = self.reported.as_ref().map(|(_, at)| at.plus(REPORT_EVERY));
        let is_new = self
            .reported
            .as_ref()
            .is_none_or(|(report, _)| report.tasks != *self.tasks || report.problems != problems);
        if !is_new && due.is_some_and(|due| now < due) {
            self.wake_at(due);
            return;
        }
        let report = Arc::new(report::of_host(&self.agent, &self.tasks, problems));
        let store = Arc::clone(&self.agent.store);
        self.report = Some(report::write(store, self.agent.host.clone(), report, place).boxed());
    }

    /// What is wrong with the host, for people.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.problems.values().cloned().collect();
        problems.extend(self.live.distrust.as_ref().map(ToString::to_string));
        problems.extend(self.live.engine_trouble.clone());
        let goals = self.goals().into_iter();
        problems.extend(goals.flat_map(|goals| goals.problems(&self.agent.host)));
        problems.extend(self.custody.problems());
        problems
    }

    /// The goals of the host as they were last read, whether they are followed or not.
    fn goals(&self) -> Option<&Goals> {
        let record = self.seen.host.as_ref()?.as_ref()?;
        Some(&record.goals)
    }

    /// Says goodbye, so that the host is seen to be down at once.
    pub(super) async fn leave(self) {
        let Some(Some(present)) = &self.seen.up else {
            return;
        };
        if *present.record == self.me {
            let up = Keys::up(&self.agent.host);
            let txn = self.while_registered().delete(up, present.version);
            let goodbye = self.agent.store.commit(txn);
            if timeout(Duration::from_secs(2), goodbye).await.is_err() {
                warn!("the store did not hear that this agent stops");
            }
        }
    }
}
