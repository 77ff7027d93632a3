//! Everything in one map under one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use helios_core::Store;
use helios_core::store::{
    Entry, Key, Op, Scope, Snapshot, StoreError, StoreErrorKind, Txn, Version,
};
use tokio::sync::watch;

/// A handle with a session of its own.
#[derive(Debug)]
pub struct LockedStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: u64,
}

#[derive(Debug, Default)]
pub struct Shared {
    tree: Mutex<Tree>,
    /// Wakes the watches. The number means nothing to them: they always look anew.
    changed: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct Tree {
    /// Each entry, and the session it vanishes with.
    entries: BTreeMap<Key, (Entry, Option<u64>)>,
    sessions: u64,
    commits: u64,
}

impl LockedStore {
    pub fn open(shared: &Arc<Shared>) -> Self {
        let mut tree = shared.lock();
        tree.sessions += 1;
        let (shared, session) = (Arc::clone(shared), tree.sessions);
        Self { shared, session }
    }
}

impl Shared {
    /// Ends a session: what is bound to it vanishes.
    pub(crate) fn end(&self, session: u64) {
        self.lock().entries.retain(|_, e| e.1 != Some(session));
        self.changed.send_modify(|number| *number += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LockedStore {
    fn drop(&mut self) {
        self.shared.end(self.session);
    }
}

impl Tree {
    fn view(&self, scope: &Scope) -> Snapshot {
        let seen = self.entries.iter().filter(|(key, _)| match scope {
            Scope::Entry(wanted) => *key == wanted,
            Scope::Children(dir) => key.parent().as_ref() == Some(dir),
        });
        seen.map(|(key, (e, _))| (key.name(), e.clone())).collect()
    }

    fn apply(&mut self, op: &Op, session: u64) -> Result<(), StoreError> {
        let (key, session) = (op.key(), Some(session));
        let there = self.entries.get(key);
        let (found, owner) = (there.map(|(e, _)| e.version), there.and_then(|(_, o)| *o));
        let (wanted, put) = match op {
            Op::Create {
                value,
                ephemeral: true,
                ..
            } => (None, Some((value, session))),
            Op::Create { value, .. } => (None, Some((value, None))),
            Op::Update { version, value, .. } => (Some(*version), Some((value, owner))),
            Op::Check { version, .. } | Op::Delete { version, .. } => (Some(*version), None),
        };
        if found != wanted {
            return Err(StoreError::conflict(key.clone(), "is not as it was seen"));
        }
        if let Some((value, owner)) = put {
            let (value, version) = (value.clone(), Version::from_raw(self.commits));
            self.entries
                .insert(key.clone(), (Entry { value, version }, owner));
        } else if matches!(op, Op::Delete { .. }) {
            self.entries.remove(key);
        }
        Ok(())
    }

    /// An entry is a leaf: nothing lies below it.
    fn check_shape(&self, op: &Op) -> Result<(), StoreError> {
        let is_below = |one: &Key, other: &Key| one.as_str().starts_with(&format!("{other}/"));
        let key = op.key();
        let mut others = self.entries.keys();
        let clashes = others.any(|other| is_below(key, other) || is_below(other, key));
        if clashes && self.entries.contains_key(key) {
            let message = format!("{key}: nothing can lie below an entry");
            return Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for LockedStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        Ok(self.shared.lock().entries.get(key).map(|e| e.0.clone()))
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        Ok(self.shared.lock().view(&Scope::Children(dir.clone())))
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        txn.validate()?;
        let mut tree = self.shared.lock();
        let mut next = tree.clone();
        next.commits += 1;
        let mut ops = txn.ops().iter();
        ops.try_for_each(|op| next.apply(op, self.session))?;
        txn.ops().iter().try_for_each(|op| next.check_shape(op))?;
        *tree = next;
        self.shared.changed.send_modify(|number| *number += 1);
        Ok(())
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let mut changed = self.shared.changed.subscribe();
        changed.mark_changed(); // The first item is the present.
        let shared = Arc::downgrade(&self.shared); // The last handle ends the stream.
        let start = (changed, shared, scope);
        let watch = stream::unfold(start, |(mut changed, shared, scope)| async move {
            changed.changed().await.ok()?;
            let view = shared.upgrade()?.lock().view(&scope);
            Some((Ok(view), (changed, shared, scope)))
        });
        watch.boxed()
    }
}
