//! How calls reach the servers: with a deadline, a bound on their number, and a session.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout_at};
use zookeeper_client::Error;

use super::ZooKeeperOptions;
use super::backoff::{id_of, pause};
use super::barrier::Barrier;
use super::batch::Batcher;
use super::fault::{Fault, Meaning, meaning};
use super::multi_write::MultiWrite;
use super::point_read::PointRead;
use super::session::{Link, Session};

/// What every call of a handle goes through.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) options: ZooKeeperOptions,
    pub(super) barrier: Arc<Barrier>,
    pub(super) writes: Batcher<MultiWrite>,
    pub(super) reads: Batcher<PointRead>,
    link: watch::Receiver<Link>,
    permits: Semaphore,
}

impl Calls {
    pub(super) fn new(
        options: ZooKeeperOptions,
        barrier: Arc<Barrier>,
        link: watch::Receiver<Link>,
    ) -> Self {
        let permits = Semaphore::new(options.calls_max);
        Self {
            options,
            barrier,
            writes: Batcher::new(),
            reads: Batcher::new(),
            link,
            permits,
        }
    }

    /// When a call that starts now must be over.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_limit()
    }

    /// A turn to call, held until dropped.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout_at(deadline, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Fault::unavailable(
                "too many calls are under way, this one never had its turn",
            )),
        }
    }

    /// A session that is connected. The client would queue a request without end while it is not.
    pub(super) async fn session(&self, deadline: Instant) -> Result<Arc<Session>, Fault> {
        let mut link = self.link.clone();
        let connected = timeout_at(deadline, async {
            loop {
                let now = link.borrow_and_update().clone();
                let session = match now {
                    Link::Up(session) => session,
                    Link::Closed => return None,
                    Link::Down(_) => {
                        link.changed().await.ok()?;
                        continue;
                    }
                };
                // The watcher first: a change between both steps is then not missed.
                let mut states = session.client.state_watcher();
                if session.is_connected() {
                    return Some(session);
                }
                tokio::select! {
                    _ = states.changed() => {}
                    changed = link.changed() => changed.ok()?,
                }
            }
        });
        match connected.await {
            Ok(Some(session)) => Ok(session),
            Ok(None) => Err(Fault::unavailable("the store is closed")),
            Err(_) => Err(self.why_not_connected()),
        }
    }

    /// Reads, again and again while the connection is lost, until the deadline.
    ///
    /// `request` must change nothing, because it may be carried out several times.
    pub(super) async fn read<T, F>(
        &self,
        what: &str,
        request: impl Fn(Arc<Session>) -> F + Send + Sync,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        let deadline = self.deadline();
        let _turn = self.turn(deadline).await?;
        let mut attempt = 0;
        loop {
            let session = self.session(deadline).await?;
            let answer = timeout_at(deadline, async {
                self.barrier.pass(&session.client).await?;
                request(session).await
            });
            let error = match answer.await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    let message = format!("{what}: no answer in time");
                    return Err(Fault::unavailable(message));
                }
            };
            if meaning(&error) != Meaning::Unknown {
                return Err(Fault::of_read(what, error));
            }
            let wait = pause(id_of(what), attempt);
            attempt += 1;
            if Instant::now() + wait >= deadline {
                return Err(Fault::of_read(what, error));
            }
            sleep(wait).await;
        }
    }

    /// Waits until the store is closed.
    pub(super) async fn closed(&self) {
        let mut link = self.link.clone();
        // An error says the same: nobody is left to open it.
        let _ = link.wait_for(|link| matches!(link, Link::Closed)).await;
    }

    fn why_not_connected(&self) -> Fault {
        match &*self.link.borrow() {
            Link::Down(Some(fault)) => fault.clone(),
            Link::Down(None) | Link::Up(_) | Link::Closed => {
                Fault::unavailable(format!("no server of {} answers", self.options.address))
            }
        }
    }
}
