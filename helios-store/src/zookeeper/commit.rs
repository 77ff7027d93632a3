//! Committing: plan, send as one, judge the refusal, and look at the tree where it differs.

use std::collections::BTreeMap;

use helios_core::store::{Key, StoreError, StoreErrorKind, Txn};
use tokio::time::{Instant, timeout_at};
use zookeeper_client::{Acl, Acls, CreateMode, Error, MultiWriteError, MultiWriter};

use super::Access;
use super::calls::Calls;
use super::fault::{Fault, Meaning, meaning};
use super::plan::{DIRECTORY, NoPlan, Place, Step, Terrain, Verdict, judge, places, plan};
use super::read::{names, path, stats};

/// How often a transaction is planned anew because directories came and went meanwhile.
const PLANS_MAX: usize = 16;

/// The largest request we send. The servers' limit is 1,048,575 bytes unless raised, and a request
/// above it costs the connection, with every other request on it.
const REQUEST_BYTES_MAX: usize = 1_040_000;

/// What a transaction met at the servers.
enum Answer {
    Done,
    Refused { step: usize, error: Error },
}

/// Carries out `txn`.
pub(super) async fn commit(calls: &Calls, txn: &Txn) -> Result<(), StoreError> {
    txn.validate()?;
    if txn.is_empty() {
        return Ok(());
    }
    let deadline = calls.deadline();
    let mut terrain = Terrain::default();
    for _ in 0..PLANS_MAX {
        let steps = match plan(txn, &terrain) {
            Ok(steps) => steps,
            Err(NoPlan::Refused(refusal)) => return Err(refusal),
            Err(NoPlan::Look) => {
                terrain = survey(calls, txn).await?;
                continue;
            }
        };
        check_size(&calls.options, &steps)?;
        let (step, error) = match send(calls, &steps, deadline).await? {
            Answer::Done => return Ok(()),
            Answer::Refused { step, error } => (step, error),
        };
        let Some(step) = steps.get(step) else {
            return Err(declined(error));
        };
        match judge(step, meaning(&error)) {
            Verdict::Refuse(refusal) => return Err(refusal.caused_by(error)),
            Verdict::Look => terrain = survey(calls, txn).await?,
        }
    }
    let message = "other handles kept making and removing the directories in question";
    Err(StoreError::new(StoreErrorKind::Unavailable, message))
}

/// Sends the steps as one ZooKeeper transaction.
///
/// Once sent, only an answer of a server says anything; no answer, and also a dropped future, is an
/// outcome that nobody knows, and makes later reads wait until it is decided.
async fn send(calls: &Calls, steps: &[Step<'_>], deadline: Instant) -> Result<Answer, StoreError> {
    let _turn = calls.turn(deadline).await?;
    let session = calls.session(deadline).await?;
    let untold = calls.barrier.raise_unless_told();
    let request = {
        let mut writer = session.client.new_multi_writer();
        for step in steps {
            add(&mut writer, step, &calls.options.access).map_err(|error| {
                let message = format!("{}: the client refuses the path", step.key());
                StoreError::new(StoreErrorKind::Invalid, message).caused_by(error)
            })?;
        }
        writer.commit()
    };
    let error = match timeout_at(deadline, request).await {
        Ok(Ok(_)) => {
            untold.told();
            return Ok(Answer::Done);
        }
        Ok(Err(MultiWriteError::OperationFailed { index, source })) => {
            untold.told();
            return Ok(Answer::Refused {
                step: index,
                error: source,
            });
        }
        Ok(Err(MultiWriteError::RequestFailed { source })) => source,
        Err(_) => return Err(indeterminate("no answer in time")),
    };
    if meaning(&error) == Meaning::Unknown {
        return Err(indeterminate("the connection was lost before the answer").caused_by(error));
    }
    untold.told();
    Err(declined(error))
}

fn add(writer: &mut MultiWriter<'_>, step: &Step<'_>, access: &Access) -> Result<(), Error> {
    match step {
        Step::Check { key, version } => writer.add_check_version(&path(key), *version),
        Step::CheckDirectory(dir) => writer.add_check_version(&path(dir), DIRECTORY),
        Step::Write {
            key,
            value,
            version,
        } => writer.add_set_data(&path(key), value, Some(*version)),
        Step::Delete { key, version } => writer.add_delete(&path(key), Some(*version)),
        Step::DropDirectory(dir) => writer.add_delete(&path(dir), Some(DIRECTORY)),
        Step::MakeDirectory(dir) => {
            // The servers remove an empty container, except where agents could not make it again.
            let mode = if access.is_shared_root(dir) {
                CreateMode::Persistent
            } else {
                CreateMode::Container
            };
            create(writer, dir, mode, &access.of_directory(Some(dir)))
        }
        Step::Create { key, ephemeral } => {
            let mode = if *ephemeral {
                CreateMode::Ephemeral
            } else {
                CreateMode::Persistent
            };
            create(writer, key, mode, &access.of_entry(key))
        }
    }
}

fn create(
    writer: &mut MultiWriter<'_>,
    key: &Key,
    mode: CreateMode,
    list: &[Acl],
) -> Result<(), Error> {
    writer.add_create(&path(key), b"", &mode.with_acls(Acls::new(list)))
}

/// What lies at the places the transaction touches, and below those that are directories.
async fn survey(calls: &Calls, txn: &Txn) -> Result<Terrain, Fault> {
    let mut seen = BTreeMap::new();
    let mut dirs = look_at(calls, places(txn).into_iter().collect(), &mut seen).await?;
    // What lies in a directory matters only where an entry is to take its place.
    dirs.retain(|dir| txn.ops().iter().any(|op| op.key() == dir));
    while let Some(dir) = dirs.pop() {
        let names = names(calls, Some(&dir)).await?;
        // What is no legal key was not put there by a store. It keeps the directory from being dropped,
        // because the servers refuse that.
        let keys = names.iter().filter_map(|name| dir.child(name).ok());
        dirs.extend(look_at(calls, keys.collect(), &mut seen).await?);
    }
    Ok(Terrain::seen(seen))
}

/// Puts down what lies at those keys, and returns the directories among them.
async fn look_at(
    calls: &Calls,
    keys: Vec<Key>,
    seen: &mut BTreeMap<Key, Place>,
) -> Result<Vec<Key>, Fault> {
    let paths: Vec<String> = keys.iter().map(path).collect();
    let stats = stats(calls, &paths).await?;
    let mut dirs = Vec::new();
    for (key, stat) in keys.into_iter().zip(stats) {
        let place = Place::of(stat.map(|stat| stat.version));
        if place == Place::Directory {
            dirs.push(key.clone());
        }
        seen.insert(key, place);
    }
    Ok(dirs)
}

fn check_size(options: &super::ZooKeeperOptions, steps: &[Step<'_>]) -> Result<(), StoreError> {
    let chroot = options.address.chroot().as_str().len();
    let bytes: usize = steps
        .iter()
        .map(|step| {
            let own = match step {
                Step::Write { value, .. } => value.len(),
                Step::MakeDirectory(dir) => list_bytes(&options.access.of_directory(Some(dir))),
                Step::Create { key, .. } => list_bytes(&options.access.of_entry(key)),
                _ => 0,
            };
            // Headers, lengths and flags of one operation, and the slashes, take less than 32 bytes.
            own + chroot + step.key().as_str().len() + 32
        })
        .sum();
    if bytes <= REQUEST_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "a transaction that takes {bytes} bytes with paths and access lists: \
         {REQUEST_BYTES_MAX} is the most a server takes, split it"
    );
    Err(StoreError::new(StoreErrorKind::LimitExceeded, message))
}

fn list_bytes(list: &[Acl]) -> usize {
    list.iter()
        .map(|acl| acl.scheme().len() + acl.id().len() + 12)
        .sum()
}

fn indeterminate(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Indeterminate, what)
}

fn declined(error: Error) -> StoreError {
    let kind = match meaning(&error) {
        Meaning::Denied => StoreErrorKind::Denied,
        Meaning::OverQuota => StoreErrorKind::LimitExceeded,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, "the servers declined the transaction").caused_by(error)
}
