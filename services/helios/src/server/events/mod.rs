//! Where the events of an agent go beside its history.

mod file;
mod webhook;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use helios_api::wire::{TaskStatus, TaskStatusEvent};
use helios_core::Job;
use helios_core::agent::{EventSink, TaskEvent};
use helios_core::reconcile::environment;
use tokio::sync::mpsc;
use tracing::warn;

use super::authorities::Authorities;
use super::outbound::{Outbound, Url};
use crate::Failure;

/// How many events wait at most for a slow file or hook.
const WAITING_MAX: usize = 1_000;

/// A sink that hands its events, as lines of JSON in the shape of the original's task status events, to a task
/// of its own. What does not fit its queue is dropped and counted.
#[derive(Debug)]
pub(super) struct QueuedSink {
    what: String,
    environment: BTreeMap<String, String>,
    queue: mpsc::Sender<String>,
    dropped: AtomicU64,
}

/// The sinks that the options name: a file, and a hook.
pub(super) fn sinks(
    file: Option<&Path>,
    webhook: Option<&str>,
    authorities: &Authorities,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<Arc<dyn EventSink>>, Failure> {
    let mut sinks: Vec<Arc<dyn EventSink>> = Vec::new();
    let sink = |what: String, queue| -> Arc<dyn EventSink> {
        let environment = environment.clone();
        let dropped = AtomicU64::new(0);
        Arc::new(QueuedSink {
            what,
            environment,
            queue,
            dropped,
        })
    };
    if let Some(path) = file {
        let (queue, events) = mpsc::channel(WAITING_MAX);
        let file = file::open(path).map_err(|error| {
            let message = format!("--events-file {} cannot be written", path.display());
            Failure::new(message)
                .caused_by(error)
                .advise("name a file in a directory where this agent may write")
        })?;
        tokio::spawn(file::write(file, path.to_owned(), events));
        sinks.push(sink(format!("the file {}", path.display()), queue));
    }
    if let Some(url) = webhook {
        let (queue, events) = mpsc::channel(WAITING_MAX);
        let url = Url::parse(url).map_err(|error| {
            Failure::new(format!("--events-webhook {error}"))
                .advise("write for example http://127.0.0.1:8080/hook")
        })?;
        tokio::spawn(webhook::post(
            Outbound::trusting(authorities),
            url.clone(),
            events,
        ));
        sinks.push(sink(format!("the hook {url}"), queue));
    }
    Ok(sinks)
}

impl EventSink for QueuedSink {
    fn send(&self, event: &TaskEvent) {
        let line = shown(event, &self.environment).map(|event| serde_json::to_string(&event));
        let Some(Ok(line)) = line else { return };
        if self.queue.try_send(line).is_err() {
            let count = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            // Once for each power of two: a hook that is down must not fill the log.
            if count.is_power_of_two() {
                warn!(to = %self.what, dropped = count, "events are dropped: it is too slow");
            }
        }
    }
}

/// The event in the shape that travels, without the word that guards the job.
fn shown(event: &TaskEvent, of_agent: &BTreeMap<String, String>) -> Option<TaskStatusEvent> {
    let TaskEvent {
        host,
        at,
        id,
        job,
        task,
    } = event;
    let mut job = match job {
        Some(job) => Arc::clone(job),
        // Of what was undeployed while the agent was away, only the id is known.
        None => Arc::new(Job::new(id.as_str(), String::new()).ok()?),
    };
    if !job.token.is_empty() {
        Arc::make_mut(&mut job).token.clear();
    }
    let ports = task.ports.iter().filter_map(|(name, mapping)| {
        let port = u16::try_from(mapping.external_port?).ok()?;
        Some((name, port))
    });
    let env = environment(of_agent, host.as_str(), ports, &job)
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    Some(TaskStatusEvent {
        status: TaskStatus {
            job,
            goal: Some(task.goal),
            state: task.state,
            container_id: task.container_id.clone(),
            throttled: task.throttled,
            ports: task.ports.clone(),
            env,
            container_error: task.error.clone(),
            restarts: task.restarts,
            last_exit: task.last_exit.clone(),
            since: Some(task.since),
        },
        timestamp: *at,
        host: host.to_string(),
    })
}

#[cfg(test)]
mod tests;
