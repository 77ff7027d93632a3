//! What the containers of a test wrote, kept also when a container is gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SelectAll;
use helios_core::Runtime;
use helios_core::reconcile::JOB_LABEL;
use helios_core::runtime::{
    Container, ContainerId, ContainerState, Containers, Logs, RuntimeError,
};
use tokio::time::timeout;

/// How much is kept of what one container wrote, in bytes: its end.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// How many lines from before it was followed are read of a container.
const TAIL_LINES: usize = 1000;

/// How long to wait for what a container wrote when it is asked for.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// What each container wrote, by job and in the order in which the containers were seen.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    runtime: Arc<dyn Runtime>,
    logs: Arc<dyn Logs>,
    written: Arc<Mutex<BTreeMap<String, Vec<Written>>>>,
}

#[derive(Debug)]
struct Written {
    container: ContainerId,
    text: VecDeque<u8>,
}

impl Journal {
    pub(super) fn new(runtime: Arc<dyn Runtime>, logs: Arc<dyn Logs>) -> Self {
        Self {
            runtime,
            logs,
            written: Arc::default(),
        }
    }

    /// Follows what every container writes, for as long as the future is polled.
    pub(super) async fn keep(self) {
        let mut looks = self.runtime.watch();
        let mut chunks = SelectAll::new();
        let mut followed = BTreeSet::new();
        loop {
            tokio::select! {
                Some(look) = looks.next() => {
                    for (job, id) in begun(look) {
                        if !followed.insert(id.clone()) {
                            continue;
                        }
                        self.append(&job, &id, &Bytes::new());
                        let log = self.logs.logs(&id, TAIL_LINES, true);
                        chunks.push(log.map(move |chunk| (job.clone(), id.clone(), chunk)).boxed());
                    }
                }
                Some((job, id, chunk)) = chunks.next(), if !chunks.is_empty() => {
                    if let Ok(chunk) = chunk {
                        self.append(&job, &id, &chunk);
                    }
                }
                else => return,
            }
        }
    }

    /// What the containers of a job wrote. Empty if it is not known.
    pub(super) async fn of(&self, job: &str) -> String {
        // Containers that are there are asked anew: following them may lag behind.
        if let Ok(containers) = self.runtime.list().await {
            let of_job = |container: &&Container| {
                container.labels.get(JOB_LABEL).map(String::as_str) == Some(job)
            };
            for container in containers.iter().filter(of_job) {
                self.read_anew(job, &container.id).await;
            }
        }
        let written = self.lock();
        let texts = written.get(job).into_iter().flatten().map(|written| {
            let text: Vec<u8> = written.text.iter().copied().collect();
            String::from_utf8_lossy(&text).into_owned()
        });
        texts.collect::<Vec<_>>().join("")
    }

    async fn read_anew(&self, job: &str, id: &ContainerId) {
        let log = self.logs.logs(id, TAIL_LINES, false);
        let read = log.filter_map(|chunk| ready(chunk.ok()));
        let Ok(chunks) = timeout(READ_WITHIN, read.collect::<Vec<_>>()).await else {
            return;
        };
        if chunks.is_empty() {
            return;
        }
        if let Some(written) = self
            .lock()
            .get_mut(job)
            .and_then(|of_job| of_job.iter_mut().find(|written| written.container == *id))
        {
            written.text.clear();
        }
        for chunk in chunks {
            self.append(job, id, &chunk);
        }
    }

    fn append(&self, job: &str, id: &ContainerId, chunk: &Bytes) {
        let mut written = self.lock();
        let of_job = written.entry(job.to_owned()).or_default();
        let known = of_job.iter().position(|written| written.container == *id);
        let index = known.unwrap_or_else(|| {
            of_job.push(Written {
                container: id.clone(),
                text: VecDeque::new(),
            });
            of_job.len() - 1
        });
        if let Some(one) = of_job.get_mut(index) {
            one.text.extend(chunk.iter());
            let surplus = one.text.len().saturating_sub(KEPT_BYTES_MAX);
            one.text.drain(..surplus);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Written>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The containers that may have written something, each with its job.
fn begun(look: Result<Containers, RuntimeError>) -> Vec<(String, ContainerId)> {
    let containers = look.unwrap_or_default();
    let begun = containers.iter().filter(|container| {
        matches!(
            container.state,
            ContainerState::Running | ContainerState::Exited(_)
        )
    });
    begun
        .filter_map(|container| {
            let job = container.labels.get(JOB_LABEL)?.clone();
            Some((job, container.id.clone()))
        })
        .collect()
}
