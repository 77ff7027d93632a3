//! What a runtime holds.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use super::SpecDigest;
use crate::time::Timestamp;

/// The engine's id of a container. A new container of the same name has a new id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(Arc<str>);

impl ContainerId {
    /// An id as the engine gave it.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A container of ours, as the runtime sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The engine's id.
    pub id: ContainerId,
    /// The name its spec gave it.
    pub name: String,
    /// The digest of the spec it was created from; `None` if it cannot be read.
    pub digest: Option<SpecDigest>,
    /// The labels of its spec.
    pub labels: BTreeMap<String, String>,
    /// What it is doing.
    pub state: ContainerState,
    /// Its own address, where it has one that the host can reach.
    pub ip: Option<IpAddr>,
}

/// What a container is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, and not started, or the start failed.
    Created {
        /// What the engine said when the start failed.
        error: Option<String>,
    },
    /// Running.
    Running,
    /// Its main process has ended.
    Exited(Exit),
    /// On its way out; nothing can be done with it.
    Removing,
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// The exit code of its main process; 128 + n after signal n.
    pub code: i64,
    /// Whether it was killed because it was out of memory.
    pub out_of_memory: bool,
    /// What the engine said about it, if anything.
    pub error: Option<String>,
    /// When it ended, if the engine tells.
    pub ended_at: Option<Timestamp>,
}

/// The containers of one owner by name, as one look saw them.
///
/// A persistent map, cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Containers(OrdMap<Arc<str>, Container>);

impl Containers {
    /// No containers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The container of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Container> {
        self.0.get(name)
    }

    /// All of them in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Container> {
        self.0.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces the container of that name; for runtimes that keep a cache.
    pub fn insert(&mut self, container: Container) {
        self.0.insert(container.name.as_str().into(), container);
    }

    /// Takes the container of that name out; for runtimes that keep a cache.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The names whose container differs between the two looks, in order.
    pub fn changed_names<'a>(&'a self, older: &'a Self) -> impl Iterator<Item = &'a str> {
        older.0.diff(&self.0).map(|item| match item {
            DiffItem::Add(name, _) | DiffItem::Remove(name, _) => &**name,
            DiffItem::Update { new: (name, _), .. } => &**name,
        })
    }
}

impl FromIterator<Container> for Containers {
    fn from_iter<I: IntoIterator<Item = Container>>(containers: I) -> Self {
        Self(
            containers
                .into_iter()
                .map(|c| (Arc::<str>::from(c.name.as_str()), c))
                .collect(),
        )
    }
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
