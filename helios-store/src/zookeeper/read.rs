//! Reading entries, many in one request.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use helios_core::store::{Entry, Key};
use zookeeper_client::{Error, MultiReadResult, Stat};

use super::calls::Calls;
use super::fault::{Fault, Meaning, meaning};
use super::plan::{DIRECTORY, to_version};
use super::point_read::PointRead;
use super::session::Session;

/// How many entries one request reads at most.
pub(super) const BATCH: usize = 64;

/// How many bytes of values one answer should have, judged by the answer before.
const BATCH_BYTES: usize = 1024 * 1024;

/// Stands for a value that its access list keeps from us. It is no record of any kind, so that whoever
/// decodes a directory sees which entry is unreadable and everything else beside it: one agent with the
/// wrong access list must not hide a fleet.
const KEPT_FROM_US: &[u8] = b"(kept from us by its access list)";

/// How many small requests of one call are under way at a time.
const PIPELINE: usize = 64;

/// An entry, and the transaction that last wrote it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) written: i64,
}

pub(super) fn path(key: &Key) -> String {
    format!("/{key}")
}

/// The entry at `key`, maybe read with others.
pub(super) async fn entry(calls: &Arc<Calls>, key: &Key) -> Result<Option<Found>, Fault> {
    calls
        .read(key.as_str(), |session| {
            PointRead::new(path(key)).ask(calls, session)
        })
        .await
}

/// The path of `name` in `dir`, where `None` is the top of the store.
pub(super) fn path_in(dir: Option<&Key>, name: &str) -> String {
    match dir {
        Some(dir) => format!("/{dir}/{name}"),
        None => format!("/{name}"),
    }
}

/// The names in `dir`, directories among them.
pub(super) async fn names(calls: &Calls, dir: Option<&Key>) -> Result<Vec<String>, Fault> {
    let path = &dir.map_or_else(|| "/".to_owned(), path);
    calls
        .read(path, |session| async move {
            match session.client.list_children(path).await {
                Err(Error::NoNode) => Ok(Vec::new()),
                other => other,
            }
        })
        .await
}

/// The entries of those names in `dir`, as far as there are such.
pub(super) async fn entries<N: AsRef<str> + Sync>(
    calls: &Calls,
    dir: Option<&Key>,
    names: &[N],
) -> Result<Vec<Option<Found>>, Fault> {
    let what = dir.map_or("/", Key::as_str);
    let mut found = Vec::with_capacity(names.len());
    let mut batch = BATCH;
    while let Some(rest) = names.get(found.len()..).filter(|rest| !rest.is_empty()) {
        let paths: Vec<String> = (rest.iter().take(batch))
            .map(|name| path_in(dir, name.as_ref()))
            .collect();
        let some = calls.read(what, |session| several(session, &paths)).await?;
        let bytes = (some.iter().flatten())
            .map(|found| found.entry.value.len())
            .sum();
        batch = next_batch(paths.len(), bytes);
        found.extend(some);
    }
    Ok(found)
}

/// The stats of the nodes at those paths.
pub(super) async fn stats(calls: &Calls, paths: &[String]) -> Result<Vec<Option<Stat>>, Fault> {
    // Boxed, or the compiler cannot see that the whole is Send.
    let requests: Vec<BoxFuture<'_, _>> =
        paths.iter().map(|path| stat(calls, path).boxed()).collect();
    stream::iter(requests)
        .buffered(PIPELINE)
        .try_collect()
        .await
}

/// The stat of one node.
pub(super) async fn stat(calls: &Calls, path: &str) -> Result<Option<Stat>, Fault> {
    calls
        .read(path, |session| async move {
            session.client.check_stat(path).await
        })
        .await
}

async fn several(session: Arc<Session>, paths: &[String]) -> Result<Vec<Option<Found>>, Error> {
    let mut read = Vec::with_capacity(paths.len());
    for (answer, path) in each(&session, paths).await?.into_iter().zip(paths) {
        read.push(match answer {
            Err(error) if meaning(&error) == Meaning::Denied => kept(&session, path).await?,
            answer => answer?,
        });
    }
    Ok(read)
}

/// What one request finds at those paths. Before the first wait it is in the queue of the connection.
pub(super) async fn each(
    session: &Session,
    paths: &[String],
) -> Result<Vec<Result<Option<Found>, Error>>, Error> {
    let request = {
        let mut reader = session.client.new_multi_reader();
        for path in paths {
            reader.add_get_data(path)?;
        }
        reader.commit()
    };
    let found = |answer| match answer {
        MultiReadResult::Data { data, stat } => Ok(found(data, &stat)),
        MultiReadResult::Error { err } if meaning(&err) == Meaning::Missing => Ok(None),
        MultiReadResult::Error { err } => Err(err),
        other => {
            let message = format!("an answer to nothing: {other:?}");
            Err(Error::UnexpectedError(message))
        }
    };
    Ok(request.await?.into_iter().map(found).collect())
}

/// The entry whose value we may not read. Its version everybody may know, so it can be removed.
async fn kept(session: &Session, path: &str) -> Result<Option<Found>, Error> {
    let stat = session.client.check_stat(path).await?;
    Ok(stat.and_then(|stat| found(KEPT_FROM_US.to_vec(), &stat)))
}

fn found(data: Vec<u8>, stat: &Stat) -> Option<Found> {
    (stat.version != DIRECTORY).then(|| Found {
        entry: Entry {
            value: Bytes::from(data),
            version: to_version(stat.version),
        },
        written: stat.mzxid,
    })
}

/// How many entries to ask for next, after `count` of them had `bytes`.
fn next_batch(count: usize, bytes: usize) -> usize {
    let mean = bytes / count.max(1);
    (BATCH_BYTES / mean.max(1)).clamp(1, BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_values_are_read_a_few_at_a_time() {
        assert_eq!(next_batch(64, 0), BATCH);
        assert_eq!(next_batch(64, 64 * 512), BATCH);
        assert_eq!(next_batch(64, 64 * 512 * 1024), 2);
        assert_eq!(next_batch(0, 0), BATCH);
    }
}
