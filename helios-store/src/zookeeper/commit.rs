//! Committing: plan, send as one, judge the refusal, and look at the tree where it differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::store::{Key, StoreError, StoreErrorKind, Txn};
use zookeeper_client::Acl;

use super::calls::Calls;
use super::fault::{Fault, meaning};
use super::multi_write::MultiWrite;
use super::plan::{NoPlan, Place, Step, Terrain, Verdict, judge, places, plan};
use super::read::{names, path, stats};
use super::request::{Answer, declined};

/// How often a transaction is planned anew because directories came and went meanwhile.
const PLANS_MAX: usize = 16;

/// The largest request we send. The servers' limit is 1,048,575 bytes unless raised, and a request
/// above it costs the connection, with every other request on it.
const REQUEST_BYTES_MAX: usize = 1_040_000;

/// Carries out `txn`.
pub(super) async fn commit(calls: &Arc<Calls>, txn: &Txn) -> Result<(), StoreError> {
    txn.validate()?;
    if txn.is_empty() {
        return Ok(());
    }
    let deadline = calls.deadline();
    let mut terrain = Terrain::default();
    let mut together = true;
    for _ in 0..PLANS_MAX {
        let steps = match plan(txn, &terrain) {
            Ok(steps) => steps,
            Err(NoPlan::Refused(refusal)) => return Err(refusal),
            Err(NoPlan::Look) => {
                terrain = survey(calls, txn).await?;
                continue;
            }
        };
        let write = MultiWrite {
            bytes: size(&calls.options, &steps)?,
            steps: steps.clone(),
        };
        let answer = if together {
            write.together(calls, deadline).await?
        } else {
            write.alone(calls, deadline).await?
        };
        // What stood in the way of several, or was not as it usually is, is made out alone.
        together = false;
        let (step, error) = match answer {
            Answer::Done => return Ok(()),
            Answer::Refused { step, error } => (step, error),
            Answer::Apart => continue,
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

/// The most bytes that the steps take in a request, unless that is too many.
fn size(options: &super::ZooKeeperOptions, steps: &[Step]) -> Result<usize, StoreError> {
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
        return Ok(bytes);
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
