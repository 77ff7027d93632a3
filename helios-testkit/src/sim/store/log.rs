//! The entries after each commit, and how far each replica has come.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use helios_core::store::{
    Entry, Key, Op, Scope, Snapshot, StoreError, StoreErrorKind, Txn, Version,
};
use imbl::OrdMap;

use super::super::dice::Dice;
use super::super::trace::{Fact, Write};

/// How many states are kept for replicas that lag.
const STATES_MAX: usize = 512;

/// How many servers answer reads.
pub(super) const REPLICAS: usize = 3;

/// An entry and what it says.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) value: Bytes,
    pub(super) version: u64,
    pub(super) owner: Option<u64>,
    pub(super) fact: Fact,
}

/// All entries: by key, and as who reads their directory sees them. Trees share what is the same, and so do the snapshots
/// of a directory, so a reader that follows one finds what changed without a look at the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: OrdMap<Arc<str>, Node>,
    dirs: OrdMap<Key, Snapshot>,
}

/// All commits, as far as somebody may still have to see them.
#[derive(Debug)]
pub(super) struct Log {
    last: u64,
    states: VecDeque<Tree>,
    replicas: Vec<Replica>,
}

/// One server.
#[derive(Debug, Default)]
struct Replica {
    applied: u64,
    coming: VecDeque<(Duration, u64)>,
    stuck_until: Duration,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            last: 0,
            states: VecDeque::from([Tree::default()]),
            replicas: (0..REPLICAS).map(|_| Replica::default()).collect(),
        }
    }
}

impl Log {
    /// The last commit.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The entries after the last commit.
    pub(super) fn present(&self) -> Tree {
        self.states.back().cloned().unwrap_or_default()
    }

    /// The entries after that commit.
    pub(super) fn at(&self, zxid: u64) -> Tree {
        let first = self.last + 1 - self.states.len() as u64;
        let index = usize::try_from(zxid.saturating_sub(first)).unwrap_or(usize::MAX);
        let state = self.states.get(index).or_else(|| self.states.back());
        state.cloned().unwrap_or_default()
    }

    /// Appends a commit.
    pub(super) fn push(&mut self, tree: Tree, now: Duration, dice: &mut Dice) -> u64 {
        self.last += 1;
        self.states.push_back(tree);
        if self.states.len() > STATES_MAX {
            self.states.pop_front();
        }
        for replica in &mut self.replicas {
            let lag = dice.between(Duration::ZERO, Duration::from_millis(30));
            let before = replica.coming.back().map_or(Duration::ZERO, |(at, _)| *at);
            let at = (now + lag).max(before).max(replica.stuck_until);
            replica.coming.push_back((at, self.last));
        }
        self.last
    }

    /// The last commit that a replica shows.
    pub(super) fn shown_by(&mut self, replica: usize, now: Duration) -> u64 {
        let Some(replica) = self.replicas.get_mut(replica) else {
            return self.last;
        };
        while let Some((_, zxid)) = replica.coming.front().copied().filter(|(at, _)| *at <= now) {
            replica.applied = zxid;
            replica.coming.pop_front();
        }
        replica.applied
    }

    /// When a replica shows the last commit.
    pub(super) fn arrival(&self, replica: usize) -> Duration {
        let coming = self
            .replicas
            .get(replica)
            .and_then(|replica| replica.coming.back());
        coming.map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// A replica applies nothing until then.
    pub(super) fn stick(&mut self, replica: usize, until: Duration) {
        if let Some(replica) = self.replicas.get_mut(replica) {
            replica.stuck_until = until;
        }
    }

    /// All replicas catch up at once.
    pub(super) fn unstick(&mut self, now: Duration) {
        for replica in &mut self.replicas {
            replica.stuck_until = Duration::ZERO;
            for (at, _) in &mut replica.coming {
                *at = (*at).min(now);
            }
        }
    }
}

impl Tree {
    /// What a read or watch of `scope` shows.
    pub(super) fn view(&self, scope: &Scope) -> Snapshot {
        match scope {
            Scope::Entry(key) => {
                let node = self.get(key.as_str());
                node.map(|node| (key.name(), node.entry()))
                    .into_iter()
                    .collect()
            }
            Scope::Children(dir) => self.dirs.get(dir).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.nodes.get(key)
    }

    fn insert(&mut self, node: Node) {
        if let Some(dir) = node.key.parent() {
            let entries = self.dirs.entry(dir).or_default();
            entries.insert(node.key.name(), node.entry());
        }
        self.nodes.insert(node.key.as_str().into(), node);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Node> {
        let node = self.nodes.remove(key)?;
        if let Some(entries) = node.key.parent().and_then(|dir| self.dirs.get_mut(&dir)) {
            entries.remove(node.key.name());
        }
        Some(node)
    }
}

impl Node {
    fn entry(&self) -> Entry {
        Entry {
            value: self.value.clone(),
            version: Version::from_raw(self.version),
        }
    }
}

/// Applies all of `txn`, or none of it.
pub(super) fn apply(
    tree: &Tree,
    txn: &Txn,
    session: u64,
) -> Result<(Tree, Vec<Write>), StoreError> {
    for op in txn.ops() {
        check(tree, op)?;
    }
    let mut next = tree.clone();
    let mut writes = Vec::new();
    for op in txn.ops() {
        let key = op.key();
        let before = tree.get(key.as_str());
        let was = before.map(|node| node.fact.clone()).unwrap_or_default();
        let node = match op {
            Op::Check { .. } => continue,
            Op::Create {
                value, ephemeral, ..
            } => Some(node(key, value, 0, ephemeral.then_some(session))),
            Op::Update { version, value, .. } => {
                let owner = before.and_then(|node| node.owner);
                Some(node(key, value, version.as_raw() + 1, owner))
            }
            Op::Delete { .. } => None,
        };
        let is = node
            .as_ref()
            .map(|node| node.fact.clone())
            .unwrap_or_default();
        match node {
            Some(node) => next.insert(node),
            None => drop(next.remove(key.as_str())),
        }
        let key = key.clone();
        writes.push(Write { key, was, is });
    }
    for op in txn.ops() {
        check_shape(&next, op)?;
    }
    Ok((next, writes))
}

fn node(key: &Key, value: &Bytes, version: u64, owner: Option<u64>) -> Node {
    Node {
        key: key.clone(),
        value: value.clone(),
        version,
        owner,
        fact: Fact::read(key, value),
    }
}

fn check(tree: &Tree, op: &Op) -> Result<(), StoreError> {
    let found = tree.get(op.key().as_str()).map(|node| node.version);
    let wrong = match op {
        Op::Create { .. } => found.map(|_| "is there already".to_owned()),
        Op::Check { version, .. } | Op::Update { version, .. } | Op::Delete { version, .. } => {
            match found {
                None => Some("is not there".to_owned()),
                Some(found) => (found != version.as_raw())
                    .then(|| format!("is at version {found}, not {}", version.as_raw())),
            }
        }
    };
    wrong.map_or(Ok(()), |wrong| {
        Err(StoreError::conflict(op.key().clone(), &wrong))
    })
}

/// Refuses a new entry below another one, or above others.
fn check_shape(tree: &Tree, op: &Op) -> Result<(), StoreError> {
    let Op::Create { key, .. } = op else {
        return Ok(());
    };
    let above = std::iter::successors(key.parent(), Key::parent)
        .any(|ancestor| tree.get(ancestor.as_str()).is_some());
    let prefix = format!("{key}/");
    let from: (Bound<&str>, Bound<&str>) = (Bound::Included(&prefix), Bound::Unbounded);
    let below = tree
        .nodes
        .range::<_, str>(from)
        .next()
        .is_some_and(|(key, _)| key.starts_with(&prefix));
    if above || below {
        let message = format!("{key}: an entry cannot lie below another one");
        return Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()));
    }
    Ok(())
}
