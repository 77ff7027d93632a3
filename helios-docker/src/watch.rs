//! Following the containers: events say what to look at, and a complete list by timer backs them.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use helios_core::runtime::{Container, ContainerId, Containers, RuntimeError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::failure::Call;
use crate::runtime::DockerRuntime;

type Item = Result<Containers, RuntimeError>;

/// How many containers are looked at at a time.
const LOOKS_MAX: usize = 16;

/// The pause before the engine is tried again, and what it grows to.
const RETRY: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// The looks of one reader. A task follows the engine, so that events are taken off the engine's hands
/// however slow the reader is; what the reader has not fetched is replaced by what is newer.
pub(crate) fn watch(runtime: DockerRuntime) -> BoxStream<'static, Item> {
    let begin = async move {
        let latest = Arc::new(Latest::default());
        let task = Task(tokio::spawn(follow_for_ever(runtime, Arc::clone(&latest))));
        stream::unfold((latest, task), |(latest, task)| async move {
            let item = latest.take().await;
            Some((item, (latest, task)))
        })
    };
    Box::pin(stream::once(begin).flatten())
}

/// A task that ends with its owner.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The newest item, until it is taken.
#[derive(Default)]
struct Latest {
    item: Mutex<Option<Item>>,
    put: Notify,
}

impl Latest {
    fn put(&self, item: Item) {
        *self.item.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
        self.put.notify_one();
    }

    async fn take(&self) -> Item {
        loop {
            let item = self
                .item
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match item {
                Some(item) => return item,
                None => self.put.notified().await,
            }
        }
    }
}

async fn follow_for_ever(runtime: DockerRuntime, latest: Arc<Latest>) {
    let mut retry = RETRY;
    loop {
        let mut follower = Follower::new(&runtime, &latest);
        let error = match follower.begin().await {
            Ok(()) => {
                retry = RETRY;
                follower.follow().await
            }
            Err(error) => error,
        };
        drop(follower);
        latest.put(Err(error));
        sleep(retry).await;
        retry = (retry * 2).min(RETRY_MAX);
    }
}

/// One connection to the event stream, and what it has led to.
struct Follower<'a> {
    runtime: &'a DockerRuntime,
    latest: &'a Latest,
    events: BoxStream<'static, Result<ContainerId, RuntimeError>>,
    silent_change: tokio::sync::watch::Receiver<()>,
    look: Containers,
    told: Option<Containers>,
    /// To be looked at.
    changed: BTreeSet<ContainerId>,
    /// Being looked at: an engine may take long to show a container that it is just starting, and nobody
    /// else has to wait for that.
    looking: BTreeSet<ContainerId>,
    looks: FuturesUnordered<BoxFuture<'a, Looked>>,
}

type Looked = (ContainerId, Result<Option<Container>, RuntimeError>);

impl<'a> Follower<'a> {
    fn new(runtime: &'a DockerRuntime, latest: &'a Latest) -> Self {
        Self {
            runtime,
            latest,
            events: runtime.events(),
            silent_change: runtime.silent_change.subscribe(),
            look: Containers::new(),
            told: None,
            changed: BTreeSet::new(),
            looking: BTreeSet::new(),
            looks: FuturesUnordered::new(),
        }
    }

    /// The first complete look, with the events already running.
    async fn begin(&mut self) -> Result<(), RuntimeError> {
        self.list().await?;
        self.tell();
        Ok(())
    }

    /// Lists everything, and takes events in the meantime.
    async fn list(&mut self) -> Result<(), RuntimeError> {
        let list = self.runtime.list_all();
        tokio::pin!(list);
        loop {
            tokio::select! {
                listed = &mut list => {
                    self.look = listed?;
                    return Ok(());
                }
                Some(event) = self.events.next() => {
                    self.changed.insert(event?);
                }
            }
        }
    }

    /// Follows until something fails.
    async fn follow(&mut self) -> RuntimeError {
        let mut resync = Instant::now() + self.runtime.timeouts.resync;
        loop {
            self.look_at_changed();
            let outcome = tokio::select! {
                event = self.events.next() => self.take_events(event),
                Some(looked) = self.looks.next() => self.take_look(looked).await,
                _ = self.silent_change.changed() => self.list().await,
                () = sleep_until(resync) => {
                    let listed = self.list().await;
                    resync = Instant::now() + self.runtime.timeouts.resync;
                    listed
                }
            };
            match outcome {
                Ok(()) => self.tell(),
                Err(error) => return error,
            }
        }
    }

    /// Takes the event, and all that are there already: a burst is one change.
    fn take_events(
        &mut self,
        mut event: Option<Result<ContainerId, RuntimeError>>,
    ) -> Result<(), RuntimeError> {
        while let Some(id) = event {
            self.changed.insert(id?);
            event = self.events.next().now_or_never().flatten();
        }
        Ok(())
    }

    fn look_at_changed(&mut self) {
        let mut later = BTreeSet::new();
        for id in mem::take(&mut self.changed) {
            if self.looks.len() >= LOOKS_MAX || self.looking.contains(&id) {
                later.insert(id);
                continue;
            }
            self.looking.insert(id.clone());
            let runtime = self.runtime;
            self.looks.push(Box::pin(async move {
                let seen = runtime.inspect(Call::List, &id).await;
                (id, seen)
            }));
        }
        self.changed = later;
    }

    async fn take_look(&mut self, (id, seen): Looked) -> Result<(), RuntimeError> {
        self.looking.remove(&id);
        let seen = seen?;
        let name = seen.as_ref().map(|container| container.name.clone());
        let stale: Vec<String> = self
            .look
            .iter()
            .filter(|known| known.id == id && Some(&known.name) != name.as_ref())
            .map(|known| known.name.clone())
            .collect();
        for name in stale {
            self.look.remove(&name);
        }
        let Some(container) = seen else {
            return Ok(());
        };
        let holder = self.look.get(&container.name);
        if holder.is_some_and(|known| known.id != id) {
            // Two of one name, one after the other: only a list tells which is there.
            return self.list().await;
        }
        self.look.insert(container);
        Ok(())
    }

    /// Tells the reader, if there is anything to tell.
    fn tell(&mut self) {
        if self.told.as_ref() != Some(&self.look) {
            self.told = Some(self.look.clone());
            self.latest.put(Ok(self.look.clone()));
        }
    }
}
