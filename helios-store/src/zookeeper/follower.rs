//! Follows one place: events say what to read, and whatever could lose an event causes a full look.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt;
use helios_core::store::{Key, Scope};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use zookeeper_client::{AddWatchMode, Error, EventType, PersistentWatcher, WatchedEvent};

use super::backoff::{id_of, pause, spread};
use super::calls::Calls;
use super::fault::{Fault, Meaning, meaning};
use super::picture::Picture;
use super::read::{entries, names, path, path_in, stats};
use super::session::Session;
use super::view::View;

/// Keeps the picture of one place true.
///
/// One recursive persistent watch stands on the place. An event names the node that changed, and only
/// that is read again. The servers forget such a watch with the connection, and what happens meanwhile
/// is never told, so that after every change of the connection the watch is set anew and everything
/// compared. The same comparison by a timer backs it all.
#[derive(Debug)]
pub(super) struct Follower {
    calls: Arc<Calls>,
    scope: Scope,
    view: Arc<View>,
    picture: Picture,
    /// Dropped only after the next one stands, or the client would remove that too.
    armed: Option<PersistentWatcher>,
    round: u32,
}

/// What a series of events amounts to.
enum Events {
    Changed(BTreeSet<String>),
    /// The connection changed: events may be lost.
    Gap,
}

impl Follower {
    pub(super) fn new(calls: Arc<Calls>, scope: Scope, view: Arc<View>) -> Self {
        Self {
            calls,
            scope,
            view,
            picture: Picture::default(),
            armed: None,
            round: 0,
        }
    }

    /// Follows until dropped.
    pub(super) async fn run(&mut self) -> Infallible {
        let id = id_of(self.scope.key().as_str());
        let mut attempt = 0;
        loop {
            match self.follow_connection().await {
                Ok(()) => attempt = 0,
                Err(fault) => {
                    self.view.trouble(fault);
                    sleep(pause(id, attempt)).await;
                    attempt = attempt.saturating_add(1);
                }
            }
        }
    }

    /// Ends the watch; `run` would begin it again.
    pub(super) fn disarm(&mut self) {
        self.armed = None;
    }

    /// Follows until the connection changes, which is `Ok`, or the place cannot be seen.
    async fn follow_connection(&mut self) -> Result<(), Fault> {
        let session = self.arm().await?;
        self.look_at_all().await?;
        let mut resync = self.next_resync();
        loop {
            let Some(watcher) = &mut self.armed else {
                return Ok(());
            };
            let (ticket, events) = tokio::select! {
                event = watcher.changed() => (0, gather(watcher, &self.scope, Some(event))),
                () = self.view.joined() => {
                    let ticket = self.view.ticket();
                    if !caught_up(&self.calls, &session, &self.scope).await? {
                        return Ok(());
                    }
                    (ticket, gather(watcher, &self.scope, None))
                }
                () = sleep_until(resync) => {
                    self.look_at_all().await?;
                    resync = self.next_resync();
                    continue;
                }
            };
            match events {
                Events::Gap => return Ok(()),
                Events::Changed(names) => {
                    let names: Vec<String> = names.into_iter().collect();
                    let news = self.read(&names).await?;
                    self.view.show(self.picture.snapshot(), ticket, news);
                }
            }
        }
    }

    async fn arm(&mut self) -> Result<Arc<Session>, Fault> {
        let deadline = self.calls.deadline();
        let session = self.calls.session(deadline).await?;
        let path = path(self.scope.key());
        let mode = AddWatchMode::PersistentRecursive;
        let watcher = match timeout_at(deadline, session.client.watch(&path, mode)).await {
            Ok(Ok(watcher)) => watcher,
            Ok(Err(error)) => return Err(Fault::of_read("setting a watch", error)),
            Err(_) => return Err(Fault::unavailable("setting a watch: no answer in time")),
        };
        self.armed = Some(watcher);
        Ok(session)
    }

    /// Compares everything, reading what is new or differs.
    async fn look_at_all(&mut self) -> Result<(), Fault> {
        let ticket = self.view.ticket();
        let news = match &self.scope {
            Scope::Entry(key) => {
                let name = [key.name().to_owned()];
                self.read(&name).await?
            }
            Scope::Children(dir) => {
                let mut there = names(&self.calls, Some(dir)).await?;
                there.retain(|name| dir.child(name).is_ok());
                there.sort_unstable();
                let gone = self.picture.retain(&there);
                let stale = self.stale(dir, there).await?;
                self.read(&stale).await? || gone
            }
        };
        self.view.show(self.picture.snapshot(), ticket, news);
        Ok(())
    }

    /// Those of `there` that are not known as they are.
    async fn stale(&self, dir: &Key, there: Vec<String>) -> Result<Vec<String>, Fault> {
        let (known, mut stale): (Vec<String>, Vec<String>) =
            (there.into_iter()).partition(|name| self.picture.written(name).is_some());
        let paths: Vec<String> = (known.iter())
            .map(|name| path_in(Some(dir), name))
            .collect();
        let stats = stats(&self.calls, &paths).await?;
        for (name, stat) in known.into_iter().zip(stats) {
            if stat.map(|stat| stat.mzxid) != self.picture.written(&name) {
                stale.push(name);
            }
        }
        Ok(stale)
    }

    async fn read(&mut self, names: &[String]) -> Result<bool, Fault> {
        let dir = match &self.scope {
            Scope::Entry(key) => key.parent(),
            Scope::Children(dir) => Some(dir.clone()),
        };
        let found = entries(&self.calls, dir.as_ref(), names).await?;
        let mut news = false;
        for (name, found) in names.iter().zip(found) {
            news |= self.picture.set(name, found);
        }
        Ok(news)
    }

    fn next_resync(&mut self) -> Instant {
        self.round = self.round.wrapping_add(1);
        let id = id_of(self.scope.key().as_str()) ^ u64::from(std::process::id());
        Instant::now() + spread(self.calls.options.resync, id, self.round)
    }
}

/// Waits until every event of what was committed before has arrived. The servers send an event before
/// any later answer on the same connection, and the client keeps that order, so that one answer will do.
/// `false` when the connection is lost.
async fn caught_up(calls: &Calls, session: &Session, scope: &Scope) -> Result<bool, Fault> {
    let path = path(scope.key());
    let answer = timeout_at(calls.deadline(), async {
        calls.barrier.pass(&session.client).await?;
        session.client.check_stat(&path).await
    });
    match answer.await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) if meaning(&error) == Meaning::Unknown => Ok(false),
        Ok(Err(error)) => Err(Fault::of_read(scope.key().as_str(), error)),
        Err(_) => Err(Fault::of_read(scope.key().as_str(), Error::Timeout)),
    }
}

/// The first event, and all that are there already.
fn gather(watcher: &mut PersistentWatcher, scope: &Scope, first: Option<WatchedEvent>) -> Events {
    let mut names = BTreeSet::new();
    let mut next = first.or_else(|| watcher.changed().now_or_never());
    while let Some(event) = next {
        if event.event_type == EventType::Session {
            return Events::Gap;
        }
        names.extend(name_in(scope, &event.path).map(str::to_owned));
        next = watcher.changed().now_or_never();
    }
    Events::Changed(names)
}

/// Which entry of the scope lies at that path, if any does.
fn name_in<'a>(scope: &Scope, at: &'a str) -> Option<&'a str> {
    let (_, name) = at.rsplit_once('/')?;
    let dir = match scope {
        Scope::Entry(key) => (key.name() == name).then(|| key.parent())?,
        Scope::Children(dir) => Some(dir.clone()),
    };
    (path_in(dir.as_ref(), name) == at).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_about_a_child_the_entry_itself_or_nothing_of_ours() {
        let children = Scope::Children(Key::new("hosts").unwrap());
        assert_eq!(name_in(&children, "/hosts/a"), Some("a"));
        assert_eq!(name_in(&children, "/hosts"), None);
        assert_eq!(name_in(&children, "/hosts/a/b"), None);
        let entry = Scope::Entry(Key::new("hosts/a").unwrap());
        assert_eq!(name_in(&entry, "/hosts/a"), Some("a"));
        assert_eq!(name_in(&entry, "/hosts/b"), None);
        assert_eq!(name_in(&entry, "/hosts/a/a"), None);
        let top = Scope::Entry(Key::new("cluster").unwrap());
        assert_eq!(name_in(&top, "/cluster"), Some("cluster"));
    }
}
