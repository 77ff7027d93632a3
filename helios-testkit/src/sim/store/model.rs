//! Sessions, clients and watches around the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use helios_core::store::{Key, Scope, Snapshot, StoreError, StoreErrorKind, Txn};
use tokio::sync::Notify;

use super::super::dice::Dice;
use super::super::trace::{Actor, Fact, What, Write};
use super::log::{self, Log, REPLICAS};

/// How long a lost watch event stays unnoticed: until the store reads again by itself.
const REREAD_AFTER: Duration = Duration::from_secs(45);

/// The store: what is in it, and who is connected.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) session_timeout: Duration,
    log: Log,
    sessions: BTreeMap<u64, Session>,
    last_session: u64,
    last_request: u64,
    clients: BTreeMap<(Actor, u32), Client>,
    watches: BTreeMap<u64, Watch>,
    last_watch: u64,
    by_scope: BTreeMap<Scope, BTreeSet<u64>>,
}

#[derive(Debug, Default)]
struct Session {
    /// Since when nothing was heard of it.
    silent_since: Option<Duration>,
    entries: BTreeSet<Arc<str>>,
}

/// The connection of one life of an actor.
#[derive(Debug)]
struct Client {
    session: u64,
    replica: usize,
    /// The newest commit it has seen.
    floor: u64,
    cut: bool,
    loses_watches_until: Duration,
    reconnects: u64,
}

#[derive(Debug)]
struct Watch {
    client: (Actor, u32),
    scope: Scope,
    notify: Arc<Notify>,
    due: Option<Duration>,
}

/// A commit that was made, for the trace.
pub(super) struct Committed {
    pub(super) zxid: u64,
    pub(super) writes: Vec<Write>,
}

impl Model {
    pub(crate) fn new(session_timeout: Duration) -> Self {
        Self {
            session_timeout,
            log: Log::default(),
            sessions: BTreeMap::new(),
            last_session: 0,
            last_request: 0,
            clients: BTreeMap::new(),
            watches: BTreeMap::new(),
            last_watch: 0,
            by_scope: BTreeMap::new(),
        }
    }

    /// Connects a life of an actor, which may then see the past. Says how far back.
    pub(crate) fn connect(&mut self, client: (Actor, u32), now: Duration, dice: &mut Dice) -> u64 {
        let session = self.open_session();
        let replica = usize::try_from(dice.below(REPLICAS as u64)).unwrap_or(0);
        let connection = Client {
            session,
            replica,
            floor: 0,
            cut: false,
            loses_watches_until: Duration::ZERO,
            reconnects: 0,
        };
        self.clients.insert(client, connection);
        self.log.last() - self.log.shown_by(replica, now)
    }

    /// Nothing is heard of a client any more. Yields the session that will end.
    pub(crate) fn client_dies(&mut self, actor: Actor, life: u32, now: Duration) -> Option<u64> {
        let client = self.clients.remove(&(actor, life))?;
        let session = self.sessions.get_mut(&client.session)?;
        session.silent_since = Some(session.silent_since.unwrap_or(now));
        Some(client.session)
    }

    /// Cuts a client off. Yields the session that will end unless it is mended.
    pub(crate) fn cut(&mut self, client: (Actor, u32), now: Duration) -> Option<u64> {
        let connection = self.clients.get_mut(&client)?;
        connection.cut = true;
        let session = connection.session;
        self.sessions.get_mut(&session)?.silent_since = Some(now);
        self.wake_client(client, now);
        Some(session)
    }

    /// Connects a client that was cut off again, with a new session if its own has ended. It sees nothing
    /// older than what it has seen.
    pub(crate) fn mend(&mut self, client: (Actor, u32), now: Duration, dice: &mut Dice) {
        let Some(connection) = self.clients.get_mut(&client) else {
            return;
        };
        connection.cut = false;
        connection.reconnects += 1;
        connection.replica = usize::try_from(dice.below(REPLICAS as u64)).unwrap_or(0);
        let session = connection.session;
        match self.sessions.get_mut(&session) {
            Some(session) => session.silent_since = None,
            None => {
                let session = self.open_session();
                if let Some(connection) = self.clients.get_mut(&client) {
                    connection.session = session;
                }
            }
        }
        self.wake_client(
            client,
            now + dice.between(Duration::ZERO, Duration::from_millis(500)),
        );
    }

    /// The session of a client.
    pub(crate) fn session_of(&self, client: (Actor, u32)) -> Option<u64> {
        self.clients.get(&client).map(|client| client.session)
    }

    /// All clients that are cut off.
    pub(crate) fn cut_clients(&self) -> Vec<(Actor, u32)> {
        let cut = self.clients.iter().filter(|(_, client)| client.cut);
        cut.map(|(client, _)| *client).collect()
    }

    /// The watches of a client stay silent until then.
    pub(crate) fn lose_watches(&mut self, client: (Actor, u32), until: Duration) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.loses_watches_until = until;
        }
    }

    /// A replica applies nothing until then.
    pub(crate) fn stick_replica(&mut self, replica: usize, until: Duration) {
        self.log.stick(replica, until);
    }

    /// Nothing lags any more, and no watch is lost.
    pub(crate) fn heal(&mut self, now: Duration) {
        self.log.unstick(now);
        for client in self.clients.values_mut() {
            client.loses_watches_until = Duration::ZERO;
        }
    }

    /// Whether a session was silent for too long.
    pub(crate) fn is_overdue(&self, session: u64, now: Duration) -> bool {
        let silent = self
            .sessions
            .get(&session)
            .and_then(|session| session.silent_since);
        silent.is_some_and(|since| now >= since + self.session_timeout)
    }

    /// Ends a session. A client that is connected opens another one at once.
    pub(crate) fn expire(&mut self, session: u64, now: Duration, dice: &mut Dice) -> Option<What> {
        let ended = self.sessions.remove(&session)?;
        let mut clients = self.clients.iter();
        let client = clients
            .find(|(_, client)| client.session == session && !client.cut)
            .map(|(client, _)| *client);
        if let Some(client) = client {
            let session = self.open_session();
            if let Some(client) = self.clients.get_mut(&client) {
                client.session = session;
            }
        }
        let mut tree = self.log.present();
        // Somebody else may have put another entry in the place of one.
        let mut gone = ended.entries;
        gone.retain(|key| {
            tree.get(key)
                .is_some_and(|node| node.owner == Some(session))
        });
        let gone = gone.iter().filter_map(|key| tree.remove(key));
        let writes: Vec<_> = gone
            .map(|node| Write {
                key: node.key,
                was: node.fact,
                is: Fact::Absent,
            })
            .collect();
        if writes.is_empty() {
            return None;
        }
        let committed = self.publish(tree, writes, now, dice);
        Some(What::Commit {
            zxid: committed.zxid,
            request: 0,
            bytes: 0,
            writes: committed.writes,
        })
    }

    /// A number for a request to commit.
    pub(super) fn next_request(&mut self) -> u64 {
        self.last_request += 1;
        self.last_request
    }

    /// Whether a client is cut off, or gone.
    pub(super) fn is_cut(&self, client: (Actor, u32)) -> bool {
        self.clients.get(&client).is_none_or(|client| client.cut)
    }

    /// Commits for a session, if it still lives.
    pub(super) fn commit(
        &mut self,
        session: u64,
        txn: &Txn,
        now: Duration,
        dice: &mut Dice,
    ) -> Result<Committed, StoreError> {
        if !self.sessions.contains_key(&session) {
            let message = "the session has ended";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        }
        let (tree, writes) = log::apply(&self.log.present(), txn, session)?;
        if let Some(open) = self.sessions.get_mut(&session) {
            let keys = txn.ops().iter().map(|op| op.key().as_str());
            for key in keys {
                let bound = tree
                    .get(key)
                    .is_some_and(|node| node.owner == Some(session));
                if bound {
                    open.entries.insert(key.into());
                } else {
                    open.entries.remove(key);
                }
            }
        }
        Ok(self.publish(tree, writes, now, dice))
    }

    /// The client has heard that this commit was made, and sees nothing older from now on.
    pub(super) fn saw(&mut self, client: (Actor, u32), zxid: u64) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.floor = client.floor.max(zxid);
        }
    }

    /// What a client sees now, and the last commit in it.
    pub(super) fn see(
        &mut self,
        client: (Actor, u32),
        scope: &Scope,
        now: Duration,
    ) -> (Snapshot, u64) {
        let Some(connection) = self.clients.get_mut(&client) else {
            return (Snapshot::new(), 0);
        };
        let shown = self.log.shown_by(connection.replica, now);
        connection.floor = connection.floor.max(shown);
        let zxid = connection.floor;
        (self.log.at(zxid).view(scope), zxid)
    }

    /// How far behind the last commit a client would read.
    pub(super) fn lag(&mut self, client: (Actor, u32), now: Duration) -> u64 {
        let Some(connection) = self.clients.get(&client) else {
            return 0;
        };
        let shown = self.log.shown_by(connection.replica, now);
        self.log.last() - shown.max(connection.floor)
    }

    /// Begins a watch that looks first at `due`.
    pub(super) fn watch(
        &mut self,
        client: (Actor, u32),
        scope: Scope,
        due: Duration,
    ) -> (u64, Arc<Notify>) {
        self.last_watch += 1;
        let notify = Arc::new(Notify::new());
        let watch = Watch {
            client,
            scope: scope.clone(),
            notify: Arc::clone(&notify),
            due: Some(due),
        };
        self.watches.insert(self.last_watch, watch);
        self.by_scope
            .entry(scope)
            .or_default()
            .insert(self.last_watch);
        (self.last_watch, notify)
    }

    /// When a watch should look again; `None` for not before it is told.
    pub(super) fn due(&self, watch: u64) -> Option<Duration> {
        self.watches.get(&watch)?.due
    }

    /// A watch has looked; what was still on its way then is looked at when it is there.
    pub(super) fn looked(&mut self, watch: u64, now: Duration) {
        let Some(watch) = self.watches.get_mut(&watch) else {
            return;
        };
        let client = self.clients.get(&watch.client);
        let arrival = client.map(|client| self.log.arrival(client.replica));
        watch.due = arrival.filter(|arrival| *arrival > now);
    }

    /// Ends a watch.
    pub(super) fn unwatch(&mut self, watch: u64) {
        let Some(ended) = self.watches.remove(&watch) else {
            return;
        };
        if let Some(others) = self.by_scope.get_mut(&ended.scope) {
            others.remove(&watch);
            if others.is_empty() {
                self.by_scope.remove(&ended.scope);
            }
        }
    }

    fn open_session(&mut self) -> u64 {
        self.last_session += 1;
        self.sessions.insert(self.last_session, Session::default());
        self.last_session
    }

    fn publish(
        &mut self,
        tree: log::Tree,
        writes: Vec<Write>,
        now: Duration,
        dice: &mut Dice,
    ) -> Committed {
        let zxid = self.log.push(tree, now, dice);
        for write in &writes {
            let scopes = [
                Some(Scope::Entry(write.key.clone())),
                write.key.parent().map(Scope::Children),
            ];
            for scope in scopes.into_iter().flatten() {
                self.wake_scope(&scope, now);
            }
        }
        Committed { zxid, writes }
    }

    fn wake_scope(&mut self, scope: &Scope, now: Duration) {
        for watch in self.by_scope.get(scope).into_iter().flatten() {
            let Some(watch) = self.watches.get_mut(watch) else {
                continue;
            };
            let Some(client) = self.clients.get(&watch.client) else {
                continue;
            };
            let mut due = self.log.arrival(client.replica);
            if now < client.loses_watches_until {
                due = due.max(now + REREAD_AFTER);
            }
            watch.due = Some(watch.due.map_or(due, |earlier| earlier.min(due)));
            watch.notify.notify_one();
        }
    }

    fn wake_client(&mut self, client: (Actor, u32), at: Duration) {
        for watch in self
            .watches
            .values_mut()
            .filter(|watch| watch.client == client)
        {
            watch.due = Some(at);
            watch.notify.notify_one();
        }
    }
}

/// The key of a scope, for the trace.
pub(super) fn key_of(scope: &Scope) -> Key {
    scope.key().clone()
}
