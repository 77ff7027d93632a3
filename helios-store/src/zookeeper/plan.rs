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
    Entry,
}

/// The data version of every directory.
pub(super) const DIRECTORY: i32 = 0;

/// What is known about the places a transaction touches. What is not in it is believed to be as the
/// transaction needs it, which it nearly always is.
pub(super) type Terrain = BTreeMap<Key, Place>;

/// One operation of a ZooKeeper transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Check {
        key: &'a Key,
        version: i32,
    },
    Write {
        key: &'a Key,
        value: &'a Bytes,
        version: i32,
    },
    Delete {
        key: &'a Key,
        version: i32,
    },
    /// Removes a directory that nothing lies in, because an entry takes its place.
    DropDirectory(Key),
    MakeDirectory(Key),
    /// The directory must be there, and be one.
    CheckDirectory(Key),
    /// Creates the node; the `Write` that follows makes it an entry.
    Create {
        key: &'a Key,
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

/// The version of an entry as callers see it.
pub(super) fn to_version(version: i32) -> Version {
    Version::from_raw(u64::from(version.cast_unsigned()))
}

/// Plans `txn`, given what is known of the places it touches.
///
/// # Errors
/// `Invalid` when an entry would lie below another, `Conflict` when an entry to create is there or a
/// version is one that no entry can have.
pub(super) fn plan<'a>(txn: &'a Txn, terrain: &Terrain) -> Result<Vec<Step<'a>>, StoreError> {
    let creates: BTreeSet<&Key> = creates(txn).collect();
    let deletes: BTreeSet<&Key> = (txn.ops().iter())
        .filter(|op| matches!(op, Op::Delete { .. }))
        .map(Op::key)
        .collect();
    let mut layout = Layout::default();
    for key in &creates {
        layout.place(key, &creates, &deletes, terrain)?;
    }
    let mut steps = layout.steps_on_entries(txn)?;
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
                key,
                ephemeral: *ephemeral,
            });
            steps.push(Step::Write {
                key,
                value,
                version: DIRECTORY,
            });
        }
    }
    Ok(steps)
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
pub(super) fn judge(step: &Step<'_>, meaning: Meaning) -> Verdict {
    match (step, meaning) {
        (_, Meaning::Denied) => refuse(step, StoreErrorKind::Denied, "not allowed"),
        (Step::Check { key, .. } | Step::Write { key, .. } | Step::Delete { key, .. }, found) => {
            match found {
                Meaning::Missing => Verdict::Refuse(conflict(key, "it is gone")),
                Meaning::OtherVersion => Verdict::Refuse(conflict(key, "it has another version")),
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
            match terrain.get(&dir) {
                Some(Place::Entry) if stays => return Err(below_an_entry(key, &dir)),
                _ if creates.contains(&dir) => return Err(below_an_entry(key, &dir)),
                Some(Place::Entry | Place::Missing) => {
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
        match terrain.get(key) {
            Some(Place::Entry) => Err(conflict(key, "it is there already")),
            Some(Place::Directory) => self.clear(key, deletes, terrain),
            Some(Place::Missing) | None => Ok(()),
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
        for (below, place) in terrain
            .range(key..)
            .filter(|(below, _)| below.is_below(key))
        {
            match place {
                Place::Entry if !deletes.contains(below) => {
                    let message = format!("{key} cannot be an entry: {below} lies below it");
                    return Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()));
                }
                Place::Directory => {
                    self.drop.insert(below.clone());
                }
                Place::Entry | Place::Missing => {}
            }
        }
        Ok(())
    }

    fn steps_on_entries<'a>(&self, txn: &'a Txn) -> Result<Vec<Step<'a>>, StoreError> {
        let mut steps = Vec::with_capacity(txn.ops().len() + self.check.len());
        for op in txn.ops() {
            steps.push(match op {
                Op::Check { key, version } => Step::Check {
                    key,
                    version: from_version(key, *version)?,
                },
                Op::Update {
                    key,
                    version,
                    value,
                } => Step::Write {
                    key,
                    value,
                    version: from_version(key, *version)?,
                },
                Op::Delete { key, version } => Step::Delete {
                    key,
                    version: from_version(key, *version)?,
                },
                Op::Create { .. } => continue,
            });
        }
        Ok(steps)
    }
}

/// ZooKeeper's number for a version, where −1 would mean any and 0 a directory.
fn from_version(key: &Key, version: Version) -> Result<i32, StoreError> {
    match u32::try_from(version.as_raw()).map(u32::cast_signed) {
        Ok(version) if version != DIRECTORY && version != -1 => Ok(version),
        _ => Err(conflict(key, "no entry ever has that version")),
    }
}

fn below_an_entry(key: &Key, entry: &Key) -> StoreError {
    let message = format!("{key} cannot lie below {entry}, which is an entry");
    StoreError::new(StoreErrorKind::Invalid, message).at(key.clone())
}

fn conflict(key: &Key, found: &str) -> StoreError {
    StoreError::conflict(key.clone(), found)
}

fn puzzled(step: &Step<'_>, meaning: Meaning) -> Verdict {
    let kind = match meaning {
        Meaning::OverQuota => StoreErrorKind::LimitExceeded,
        _ => StoreErrorKind::Unavailable,
    };
    refuse(step, kind, "the servers declined the operation")
}

fn refuse(step: &Step<'_>, kind: StoreErrorKind, because: &str) -> Verdict {
    let key = step.key();
    Verdict::Refuse(StoreError::new(kind, format!("{key}: {because}")).at(key.clone()))
}

impl Step<'_> {
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
