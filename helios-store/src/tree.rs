//! What every store of this crate does with a transaction, written once and without any I/O.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use helios_core::store::{
    Entry, Key, Op, Scope, Snapshot, StoreError, StoreErrorKind, Txn, Version,
};
use imbl::{OrdMap, OrdSet};

/// The version of an entry that was just created.
///
/// Each entry counts for itself, so that one created anew repeats old versions, as the contract
/// allows: a caller that relies on more fails here and not first on a larger backend.
const VERSION_FIRST: u64 = 0;

/// Names a session, in this process for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionId(u64);

impl SessionId {
    /// An id that nobody had before.
    pub(crate) fn unused() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// An entry that a transaction or the end of a session has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) key: Key,
    /// What is there now.
    pub(crate) entry: Option<Entry>,
    /// The session that it is, or was, bound to.
    pub(crate) owner: Option<SessionId>,
}

/// The entries and the sessions that some of them are bound to.
///
/// All parts are persistent maps: a clone costs nothing and shares what neither side changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// The entries by directory, those of one segment under the empty path. No directory is empty.
    dirs: OrdMap<Arc<str>, Snapshot>,
    /// The open sessions and what vanishes with each of them.
    sessions: OrdMap<SessionId, OrdSet<Key>>,
    /// The session of every ephemeral entry.
    owners: OrdMap<Key, SessionId>,
}

impl Tree {
    /// The entry at `key`.
    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        self.dirs.get(dir_of(key))?.get(key.name())
    }

    /// The entries directly below `dir`.
    pub(crate) fn list(&self, dir: &Key) -> Snapshot {
        self.dirs.get(dir.as_str()).cloned().unwrap_or_default()
    }

    /// What a watch of `scope` would show now.
    pub(crate) fn view(&self, scope: &Scope) -> Snapshot {
        match scope {
            Scope::Children(dir) => self.list(dir),
            Scope::Entry(key) => self
                .get(key)
                .map(|entry| (key.name(), entry.clone()))
                .into_iter()
                .collect(),
        }
    }

    /// Opens a session.
    pub(crate) fn open_session(&mut self, session: SessionId) {
        self.sessions.insert(session, OrdSet::new());
    }

    /// Says whether a session can still be used.
    ///
    /// # Errors
    /// `Unavailable` once it has ended.
    pub(crate) fn check_session(&self, session: SessionId) -> Result<(), StoreError> {
        if self.sessions.contains_key(&session) {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the session of this handle was closed",
        ))
    }

    /// Ends a session and removes what was bound to it. A session ends once.
    pub(crate) fn end_session(&mut self, session: SessionId) -> Vec<Changed> {
        let bound = self.sessions.remove(&session).unwrap_or_default();
        let gone = bound.into_iter().map(|key| {
            self.owners.remove(&key);
            self.take(&key);
            Changed {
                key,
                entry: None,
                owner: Some(session),
            }
        });
        gone.collect()
    }

    /// Applies all operations of `txn`, or none.
    ///
    /// Every precondition is about the tree before the transaction, and the shape of the tree is
    /// judged after it, so that the order of the operations never matters.
    ///
    /// # Errors
    /// `LimitExceeded`, `Conflict`, `Invalid` as [`helios_core::Store::commit`] says; `Unavailable` after the
    /// session ended. The tree is then as before.
    pub(crate) fn apply(
        &mut self,
        txn: &Txn,
        session: SessionId,
    ) -> Result<Vec<Changed>, StoreError> {
        self.check_session(session)?;
        txn.validate()?;
        txn.ops().iter().try_for_each(|op| self.check(op))?;
        let mut next = self.clone();
        let changed = txn
            .ops()
            .iter()
            .filter_map(|op| next.execute(op, session))
            .collect();
        txn.ops().iter().try_for_each(|op| next.check_shape(op))?;
        *self = next;
        Ok(changed)
    }

    fn check(&self, op: &Op) -> Result<(), StoreError> {
        let found = match (op, self.get(op.key())) {
            (Op::Create { .. }, None) => return Ok(()),
            (Op::Create { .. }, Some(_)) => "is there already".to_owned(),
            (Op::Check { .. } | Op::Update { .. } | Op::Delete { .. }, None) => {
                "is not there".to_owned()
            }
            (
                Op::Check { version, .. } | Op::Update { version, .. } | Op::Delete { version, .. },
                Some(entry),
            ) if entry.version != *version => {
                let (is, wanted) = (entry.version.as_raw(), version.as_raw());
                format!("is at version {is}, not {wanted}")
            }
            (Op::Check { .. } | Op::Update { .. } | Op::Delete { .. }, Some(_)) => return Ok(()),
        };
        Err(StoreError::conflict(op.key().clone(), &found))
    }

    fn execute(&mut self, op: &Op, session: SessionId) -> Option<Changed> {
        let key = op.key();
        let entry = |version, value: &Bytes| {
            Some(Entry {
                value: value.clone(),
                version: Version::from_raw(version),
            })
        };
        let bound = self.owners.get(key).copied();
        let (entry, owner) = match op {
            Op::Check { .. } => return None,
            Op::Create {
                value, ephemeral, ..
            } => (entry(VERSION_FIRST, value), ephemeral.then_some(session)),
            Op::Update { version, value, .. } => (entry(version.as_raw() + 1, value), bound),
            Op::Delete { .. } => (None, bound),
        };
        let changed = Changed {
            key: key.clone(),
            entry,
            owner,
        };
        self.replay(&changed);
        Some(changed)
    }

    /// Does again what was decided before.
    pub(crate) fn replay(&mut self, changed: &Changed) {
        let Changed { key, entry, owner } = changed;
        self.unbind(key);
        match (entry, owner) {
            (Some(_), Some(session)) if !self.sessions.contains_key(session) => self.take(key),
            (Some(entry), owner) => {
                if let Some(session) = owner {
                    self.bind(key, *session);
                }
                self.put(key, entry.clone());
            }
            (None, _) => self.take(key),
        }
    }

    /// Refuses a new entry that lies below another one or has others below it.
    fn check_shape(&self, op: &Op) -> Result<(), StoreError> {
        let Op::Create { key, .. } = op else {
            return Ok(());
        };
        let above = std::iter::successors(key.parent(), Key::parent)
            .find(|ancestor| self.get(ancestor).is_some());
        let message = match above {
            Some(ancestor) => format!("{key}: {ancestor} is an entry, so nothing can lie below it"),
            None if self.is_dir(key) => format!("{key}: there are entries below it"),
            None => return Ok(()),
        };
        Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()))
    }

    fn is_dir(&self, key: &Key) -> bool {
        let below = format!("{key}/");
        let next = self.dirs.get_next(below.as_str());
        self.dirs.contains_key(key.as_str()) || next.is_some_and(|(dir, _)| dir.starts_with(&below))
    }

    fn bind(&mut self, key: &Key, session: SessionId) {
        self.owners.insert(key.clone(), session);
        self.sessions
            .entry(session)
            .or_default()
            .insert(key.clone());
    }

    fn unbind(&mut self, key: &Key) {
        if let Some(session) = self.owners.remove(key)
            && let Some(bound) = self.sessions.get_mut(&session)
        {
            bound.remove(key);
        }
    }

    fn put(&mut self, key: &Key, entry: Entry) {
        let name = key.name();
        match self.dirs.get_mut(dir_of(key)) {
            Some(entries) => entries.insert(name, entry),
            None => {
                let entries = Snapshot::from_iter([(name, entry)]);
                self.dirs.insert(dir_of(key).into(), entries);
            }
        }
    }

    fn take(&mut self, key: &Key) {
        let dir = dir_of(key);
        let Some(entries) = self.dirs.get_mut(dir) else {
            return;
        };
        entries.remove(key.name());
        if entries.is_empty() {
            self.dirs.remove(dir);
        }
    }
}

/// The path of the directory a key lies in, empty for a key of one segment.
fn dir_of(key: &Key) -> &str {
    key.as_str().rsplit_once('/').map_or("", |(dir, _)| dir)
}
