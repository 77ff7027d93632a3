//! Putting the access lists of a whole store in order.

use helios_core::store::{Key, StoreError, StoreErrorKind};
use zookeeper_client::{Acl, Acls, CreateMode, Error};

use super::access::is_world_writable;
use super::calls::Calls;
use super::fault::{Fault, Meaning, meaning};
use super::plan::{DIRECTORY, directories_above};
use super::read::{names, path, stat};

/// What [`ZooKeeperStore::init_acl`](super::ZooKeeperStore::init_acl) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclReport {
    /// How many nodes there are, directories included.
    pub nodes: usize,
    /// How many of them had another access list.
    pub rewritten: usize,
    /// Entries of agents that anybody could write, and that were removed: nobody can say whose they
    /// are, and their agents write them again.
    pub removed: Vec<Key>,
}

/// Gives every node the list of the policy, and makes the shared directories.
pub(super) async fn init(calls: &Calls) -> Result<AclReport, StoreError> {
    let access = &calls.options.access;
    if access.is_open() {
        let message = "open access has no lists to set: connect as a master";
        return Err(StoreError::new(StoreErrorKind::Invalid, message));
    }
    let mut report = AclReport::default();
    let top = set(calls, "/", &access.of_directory(None)).await?;
    report.nodes += 1;
    report.rewritten += usize::from(top);
    for dir in access.shared() {
        make(calls, dir).await?;
    }
    for (key, version) in tree(calls).await? {
        report.nodes += 1;
        let is_entry = version != DIRECTORY;
        let of_agent = is_entry && key.parent().is_some_and(|dir| access.is_shared(&dir));
        if of_agent {
            if is_world_writable(&list(calls, &path(&key)).await?) {
                remove(calls, &key).await?;
                report.removed.push(key);
            }
            continue;
        }
        let wanted = if is_entry {
            access.of_entry(&key)
        } else {
            access.of_directory(Some(&key))
        };
        report.rewritten += usize::from(set(calls, &path(&key), &wanted).await?);
    }
    Ok(report)
}

/// The paths of all nodes that anybody may write.
pub(super) async fn world_writable(calls: &Calls) -> Result<Vec<String>, StoreError> {
    let mut paths = vec!["/".to_owned()];
    paths.extend(tree(calls).await?.iter().map(|(key, _)| path(key)));
    let mut open = Vec::new();
    for path in paths {
        if is_world_writable(&list(calls, &path).await?) {
            open.push(path);
        }
    }
    Ok(open)
}

/// Every node below the top, with its data version.
async fn tree(calls: &Calls) -> Result<Vec<(Key, i32)>, Fault> {
    let mut nodes = Vec::new();
    let mut dirs = vec![None];
    while let Some(dir) = dirs.pop() {
        for name in names(calls, dir.as_ref()).await? {
            let key = match &dir {
                None => Key::new(&name),
                Some(dir) => dir.child(&name),
            };
            let Ok(key) = key else { continue };
            let Some(stat) = stat(calls, &path(&key)).await? else {
                continue;
            };
            if stat.num_children > 0 {
                dirs.push(Some(key.clone()));
            }
            nodes.push((key, stat.version));
        }
    }
    Ok(nodes)
}

async fn list(calls: &Calls, path: &str) -> Result<Vec<Acl>, Fault> {
    calls
        .read(path, |session| async move {
            match session.client.get_acl(path).await {
                Ok((list, _)) => Ok(list),
                Err(Error::NoNode) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        })
        .await
}

/// Sets the list where it differs; setting it twice does no harm, so a lost answer may be repeated.
async fn set(calls: &Calls, path: &str, wanted: &[Acl]) -> Result<bool, Fault> {
    let now = list(calls, path).await?;
    let same = now.len() == wanted.len() && wanted.iter().all(|acl| now.contains(acl));
    if same || now.is_empty() {
        return Ok(false);
    }
    calls
        .read(path, |session| async move {
            match session.client.set_acl(path, wanted, None).await {
                Ok(_) | Err(Error::NoNode) => Ok(true),
                Err(error) => Err(error),
            }
        })
        .await
}

async fn make(calls: &Calls, dir: &Key) -> Result<(), Fault> {
    let mut dirs = directories_above(dir);
    dirs.push(dir.clone());
    for dir in dirs {
        let at = &path(&dir);
        let list = &calls.options.access.of_directory(Some(&dir));
        calls
            .read(at, |session| async move {
                let mode = CreateMode::Persistent.with_acls(Acls::new(list));
                match session.client.create(at, b"", &mode).await {
                    Ok(_) | Err(Error::NodeExists) => Ok(()),
                    Err(error) => Err(error),
                }
            })
            .await?;
    }
    Ok(())
}

async fn remove(calls: &Calls, key: &Key) -> Result<(), Fault> {
    let at = &path(key);
    calls
        .read(at, |session| async move {
            match session.client.delete(at, None).await {
                Ok(()) => Ok(()),
                Err(error) if meaning(&error) == Meaning::Missing => Ok(()),
                Err(error) => Err(error),
            }
        })
        .await
}
