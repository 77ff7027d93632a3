//! From a transaction to the operations that ZooKeeper carries out as one.
//!
//! Everything here is a pure function of the transaction and of what is known about the tree.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use helios_core::store::{Key, Op, StoreError, StoreErrorKind, Txn, Version};

use super::fault::Meaning;

/// What a node is: directories are never written after their creation, entries always are.
///
/// An entry is created and then written in one transaction, so that its data version is never
/// [`DIRECTORY`]; a check of that version proves that a node still is a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Missing,
    Directory,
    Entry(Version),
}

/// The data version of every directory.
pub(super) const DIRECTORY: i32 = 0;

/// What is known about the places a transaction touches: at first nothing, and then they are believed
/// to be as the transaction needs them, which they nearly always are; or, after a look, everything.
#[derive(Debug, Default)]
pub(super) struct Terrain(Option<BTreeMap<Key, Place>>);

/// Why there is no plan.
#[derive(Debug)]
pub(super) enum NoPlan {
    /// The transaction cannot be carried out.
    Refused(StoreError),
    /// Not to be said without a look at the tree.
    Look,
}

const GONE: &str = "is not there";
const OTHER_VERSION: &str = "has another version";

/// One operation of a ZooKeeper transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Check {
        key: Key,
        version: i32,
    },
    Write {
        key: Key,
        value: Bytes,
        version: i32,
    },
    Delete {
        key: Key,
        version: i32,
    },
    /// Removes a directory that nothing lies in, because an entry takes its place.
    DropDirectory(Key),
    MakeDirectory(Key),
    /// The directory must be there, and be one.
    CheckDirectory(Key),
    /// Creates the node; the `Write` that follows makes it an entry.
    Create {
        key: Key,
        ephemeral: bool,
    },
}

/// What to do after an operation was refused.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The transaction cannot be carried out.
    Refuse(StoreError),
    /// The tree is not as believed: look at it, plan again.
    Look,
}

/// The version of an entry as callers see it: 0 when it is new.
pub(super) fn to_version(version: i32) -> Version {
    Version::from_raw(u64::from(version.wrapping_sub(1).cast_unsigned()))
}

impl Place {
    /// What a node of that data version is.
    pub(super) fn of(version: Option<i32>) -> Self {
        match version {
            None => Self::Missing,
            Some(DIRECTORY) => Self::Directory,
            Some(version) => Self::Entry(to_version(version)),
        }
    }
}

impl Terrain {
    /// After a look at every place that [`places`] names, and below each that is a directory.
    pub(super) fn seen(places: BTreeMap<Key, Place>) -> Self {
        Self(Some(places))
    }

    fn at(&self, key: &Key) -> Option<Place> {
        self.0.as_ref()?.get(key).copied()
    }

    fn below<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = (&'a Key, Place)> {
        let places = self.0.iter().flat_map(move |places| places.range(key..));
        places
            .filter(move |(below, _)| below.is_below(key))
            .map(|(below, place)| (below, *place))
    }
}

/// Plans `txn`, given what is known of the places it touches.
///
/// Every precondition is about the tree before the transaction and the shape is judged after it, so
/// that the order of the operations never matters, as in every other store.
///
/// # Errors
/// `Conflict` when a precondition does not hold, else `Invalid` when an entry would lie below another.
pub(super) fn plan(txn: &Txn, terrain: &Terrain) -> Result<Vec<Step>, NoPlan> {
    for op in txn.ops() {
        check(op, terrain).map_err(NoPlan::Refused)?;
    }
    let creates: BTreeSet<&Key> = creates(txn).collect();
    let deletes: BTreeSet<&Key> = (txn.ops().iter())
        .filter(|op| matches!(op, Op::Delete { .. }))
        .map(Op::key)
        .collect();
    let mut layout = Layout::default();
    for key in &creates {
        let placed = layout.place(key, &creates, &deletes, terrain);
        placed.map_err(|invalid| match terrain.0 {
            Some(_) => NoPlan::Refused(invalid),
            None => NoPlan::Look,
        })?;
    }
    let mut steps = steps_on_entries(txn).map_err(NoPlan::Refused)?;
    // Deepest first, because ZooKeeper removes only what is empty.
    steps.extend(layout.drop.into_iter().rev().map(Step::DropDirectory));
    steps.extend(layout.make.into_iter().map(Step::MakeDirectory));
    steps.extend(layout.check.into_iter().map(Step::CheckDirectory));
    for op in txn.ops() {
        if let Op::Create {
            key,
            value,
            ephemeral,
        } = op
        {
            steps.push(Step::Create {
                key: key.clone(),
                ephemeral: *ephemeral,
            });
            steps.push(Step::Write {
                key: key.clone(),
                value: value.clone(),
                version: DIRECTORY,
            });
        }
    }
    Ok(steps)
}

/// The places to look at for `txn`: its keys, and the directories above what it creates.
pub(super) fn places(txn: &Txn) -> BTreeSet<Key> {
    let above = creates(txn).flat_map(directories_above);
    txn.ops()
        .iter()
        .map(Op::key)
        .cloned()
        .chain(above)
        .collect()
}

/// The entries that `txn` creates.
pub(super) fn creates(txn: &Txn) -> impl Iterator<Item = &Key> {
    (txn.ops().iter())
        .filter(|op| matches!(op, Op::Create { .. }))
        .map(Op::key)
}

/// The directories above a key, the topmost first.
pub(super) fn directories_above(key: &Key) -> Vec<Key> {
    let mut above: Vec<Key> = std::iter::successors(key.parent(), Key::parent).collect();
    above.reverse();
    above
}

/// Judges the refusal of one step.
pub(super) fn judge(step: &Step, meaning: Meaning) -> Verdict {
    match (step, meaning) {
        (_, Meaning::Denied) => refuse(step, StoreErrorKind::Denied, "not allowed"),
        (Step::Check { key, .. } | Step::Write { key, .. } | Step::Delete { key, .. }, found) => {
            match found {
                Meaning::Missing => Verdict::Refuse(conflict(key, GONE)),
                Meaning::OtherVersion => Verdict::Refuse(conflict(key, OTHER_VERSION)),
                // Somebody put a node below an entry by other means than this store.
                Meaning::HasChildren => {
                    refuse(step, StoreErrorKind::Invalid, "it has entries below")
                }
                other => puzzled(step, other),
            }
        }
        (_, Meaning::Missing | Meaning::Present | Meaning::OtherVersion) => Verdict::Look,
        (_, Meaning::HasChildren | Meaning::UnderEphemeral) => Verdict::Look,
        (_, other) => puzzled(step, other),
    }
}

#[derive(Default)]
struct Layout {
    drop: BTreeSet<Key>,
    make: BTreeSet<Key>,
    check: BTreeSet<Key>,
}

impl Layout {
    fn place(
        &mut self,
        key: &Key,
        creates: &BTreeSet<&Key>,
        deletes: &BTreeSet<&Key>,
        terrain: &Terrain,
    ) -> Result<(), StoreError> {
        for dir in directories_above(key) {
            let stays = !deletes.contains(&dir);
            match terrain.at(&dir) {
                Some(Place::Entry(_)) if stays => return Err(below_an_entry(key, &dir)),
                _ if creates.contains(&dir) => return Err(below_an_entry(key, &dir)),
                Some(Place::Entry(_) | Place::Missing) => {
                    self.make.insert(dir);
                }
                Some(Place::Directory) | None => {}
            }
        }
        if let Some(parent) = key.parent()
            && !self.make.contains(&parent)
        {
            self.check.insert(parent);
        }
        match terrain.at(key) {
            Some(Place::Directory) => self.clear(key, deletes, terrain),
            _ => Ok(()),
        }
    }

    /// An entry may take the place of a directory in which no entry is left.
    fn clear(
        &mut self,
        key: &Key,
        deletes: &BTreeSet<&Key>,
        terrain: &Terrain,
    ) -> Result<(), StoreError> {
        self.drop.insert(key.clone());
        for (below, place) in terrain.below(key) {
            match place {
                Place::Entry(_) if !deletes.contains(below) => {
                    let message = format!("{key} cannot be an entry: {below} lies below it");
                    return Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()));
                }
                Place::Directory => {
                    self.drop.insert(below.clone());
                }
                Place::Entry(_) | Place::Missing => {}
            }
        }
        Ok(())
    }
}

/// Says whether the precondition of `op` holds, as far as is known.
fn check(op: &Op, terrain: &Terrain) -> Result<(), StoreError> {
    let found = match (op, terrain.at(op.key())) {
        (_, None) => return Ok(()),
        (Op::Create { .. }, Some(Place::Entry(_))) => "is there already",
        (Op::Create { .. }, Some(_)) => return Ok(()),
        (Op::Check { .. } | Op::Update { .. } | Op::Delete { .. }, Some(place)) => {
            match (place, op) {
                (
                    Place::Entry(is),
                    Op::Check { version, .. }
                    | Op::Update { version, .. }
                    | Op::Delete { version, .. },
                ) if is == *version => return Ok(()),
                (Place::Entry(_), _) => OTHER_VERSION,
                (Place::Missing | Place::Directory, _) => GONE,
            }
        }
    };
    Err(StoreError::conflict(op.key().clone(), found))
}

fn steps_on_entries(txn: &Txn) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::with_capacity(txn.ops().len());
    for op in txn.ops() {
        steps.push(match op {
            Op::Check { key, version } => Step::Check {
                key: key.clone(),
                version: from_version(key, *version)?,
            },
            Op::Update {
                key,
                version,
                value,
            } => Step::Write {
                key: key.clone(),
                value: value.clone(),
                version: from_version(key, *version)?,
            },
            Op::Delete { key, version } => Step::Delete {
                key: key.clone(),
                version: from_version(key, *version)?,
            },
            Op::Create { .. } => continue,
        });
    }
    Ok(steps)
}

/// ZooKeeper's number for a version, where −1 would mean any and 0 a directory.
fn from_version(key: &Key, version: Version) -> Result<i32, StoreError> {
    let number = u32::try_from(version.as_raw()).map(|raw| raw.cast_signed().wrapping_add(1));
    match number {
        Ok(version) if version != DIRECTORY && version != -1 => Ok(version),
        _ => Err(conflict(key, "never has such a version")),
    }
}

fn below_an_entry(key: &Key, entry: &Key) -> StoreError {
    let message = format!("{key} cannot lie below {entry}, which is an entry");
    StoreError::new(StoreErrorKind::Invalid, message).at(key.clone())
}

fn conflict(key: &Key, found: &str) -> StoreError {
    StoreError::conflict(key.clone(), found)
}

fn puzzled(step: &Step, meaning: Meaning) -> Verdict {
    let kind = match meaning {
        Meaning::OverQuota => StoreErrorKind::LimitExceeded,
        _ => StoreErrorKind::Unavailable,
    };
    refuse(step, kind, "the servers declined the operation")
}

fn refuse(step: &Step, kind: StoreErrorKind, because: &str) -> Verdict {
    let key = step.key();
    Verdict::Refuse(StoreError::new(kind, format!("{key}: {because}")).at(key.clone()))
}

impl Step {
    /// What the step is about.
    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Check { key, .. }
            | Self::Write { key, .. }
            | Self::Delete { key, .. }
            | Self::Create { key, .. } => key,
            Self::DropDirectory(key) | Self::MakeDirectory(key) | Self::CheckDirectory(key) => key,
        }
    }
}

#[cfg(test)]
mod tests;
