//! Telling others what happens to tasks.

use std::fmt;
use std::sync::Arc;

use crate::model::{HostName, Job, JobId};
use crate::schema::TaskReport;
use crate::time::Timestamp;

/// Somebody who is told what happens to the tasks of a host.
///
/// [`send`](Self::send) is called in the agent's loop and must return at once: a sink that has to wait for
/// something keeps a bounded queue, and drops what does not fit. Sinks see everything that the history is made
/// of, also with the history off and the store away; after a restart of the agent they are told once more how
/// each task is.
pub trait EventSink: fmt::Debug + Send + Sync {
    /// Takes in an event.
    fn send(&self, event: &TaskEvent);
}

/// What an agent reports of a task from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEvent {
    /// The host.
    pub host: HostName,
    /// When, by the clock of the host.
    pub at: Timestamp,
    /// The job's id.
    pub id: JobId,
    /// The job; `None` for what was undeployed while the agent was away.
    pub job: Option<Arc<Job>>,
    /// What is reported.
    pub task: TaskReport,
}
