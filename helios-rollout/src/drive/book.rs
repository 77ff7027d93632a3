//! All variables, as the store has them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::cluster::{Cluster, Records};
use helios_core::model::HostName;
use helios_core::schema::{Keys, Versioned};
use helios_core::store::{Key, Scope, Snapshot, StoreError, StoreErrorKind};

use super::pages::{Log, corrupt, read_log, read_pages, read_rolled};
use super::{FollowerRecord, Ledger, VariableRecord};

/// How long to wait before a log that was in the middle of a change is read again.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often a log is read again before that is trouble.
const READS_MAX: u32 = 5;

/// All variables, and the hosts that follow them without an agent. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By name, removed ones included.
    pub ledgers: BTreeMap<String, Ledger>,
    /// By host.
    pub followers: Records<HostName, FollowerRecord>,
}

/// Follows all variables.
pub struct BookWatch {
    cluster: Cluster,
    heads: BoxStream<'static, Result<Snapshot, StoreError>>,
    followers: BoxStream<'static, Result<Snapshot, StoreError>>,
    /// Whether the book does not show all of `records` yet.
    stale: bool,
    records: Option<Records<String, VariableRecord>>,
    /// What the followers were last, so that of a hundred thousand only those that changed are decoded.
    snapshot: Option<Snapshot>,
    book: Book,
}

impl fmt::Debug for BookWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookWatch")
            .field("book", &self.book)
            .finish_non_exhaustive()
    }
}

impl BookWatch {
    /// Follows the variables of that cluster.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        let watch = |dir| cluster.store().watch(Scope::Children(dir));
        Self {
            cluster: cluster.clone(),
            heads: watch(Keys::variables()),
            followers: watch(Keys::followers()),
            stale: false,
            records: None,
            snapshot: None,
            book: Book::default(),
        }
    }

    /// The present first, then a book at or after every change; `None` once the store is closed.
    ///
    /// # Errors
    /// Those of the store; that does not end it.
    ///
    /// # Cancellation
    /// Nothing is lost; call it again.
    pub async fn next(&mut self) -> Option<Result<Book, StoreError>> {
        loop {
            if self.stale {
                if let Err(error) = self.refresh().await {
                    tokio::time::sleep(READ_AGAIN_AFTER).await;
                    return Some(Err(error));
                }
                self.stale = false;
                if self.snapshot.is_some() {
                    return Some(Ok(self.book.clone()));
                }
            }
            tokio::select! {
                item = self.heads.next() => match item? {
                    Ok(snapshot) => {
                        self.records = Some(Records::decode(&Keys::variables(), &snapshot));
                        self.stale = true;
                    }
                    Err(error) => return Some(Err(error)),
                },
                item = self.followers.next() => match item? {
                    Ok(snapshot) => {
                        let older = self.snapshot.take().unwrap_or_default();
                        let followers = &mut self.book.followers;
                        followers.advance(&Keys::followers(), &older, &snapshot);
                        self.snapshot = Some(snapshot);
                        if self.records.is_some() {
                            return Some(Ok(self.book.clone()));
                        }
                    }
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }

    async fn refresh(&mut self) -> Result<(), StoreError> {
        let Some(records) = &self.records else {
            return Ok(());
        };
        let mut ledgers = BTreeMap::new();
        for (name, record) in records.iter() {
            let older = self.book.ledgers.get(name);
            match load(&self.cluster, &Keys::variables(), name, record, older).await {
                Ok(ledger) => drop(ledgers.insert(name.clone(), ledger)),
                // One bad log takes nothing else with it.
                Err(error) if error.kind() == StoreErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        self.book.ledgers = ledgers;
        Ok(())
    }
}

/// All variables, read once.
pub(super) async fn read_book(cluster: &Cluster, older: &Book) -> Result<Book, StoreError> {
    let records: Records<String, VariableRecord> = cluster.list(&Keys::variables()).await?;
    let mut ledgers = BTreeMap::new();
    for (name, record) in records.iter() {
        let older = older.ledgers.get(name);
        let ledger = load(cluster, &Keys::variables(), name, record, older).await?;
        ledgers.insert(name.clone(), ledger);
    }
    let followers = cluster.list(&Keys::followers()).await?;
    Ok(Book { ledgers, followers })
}

/// The variable at `key`, read now; `older` spares reading what it has.
pub(super) async fn read_ledger(
    cluster: &Cluster,
    key: &Key,
    older: Option<&Ledger>,
) -> Result<Option<Ledger>, StoreError> {
    match cluster.read::<VariableRecord>(key).await? {
        None => Ok(None),
        Some(record) => {
            let dir = Keys::variables();
            load(cluster, &dir, key.name(), &record, older)
                .await
                .map(Some)
        }
    }
}

/// Reads the pages that `older` does not have, and folds them in. If the log moved on meanwhile, the newer record counts.
async fn load(
    cluster: &Cluster,
    dir: &Key,
    name: &str,
    record: &Versioned<VariableRecord>,
    older: Option<&Ledger>,
) -> Result<Ledger, StoreError> {
    if let Some(older) = older.filter(|older| older.record() == record) {
        return Ok(older.clone());
    }
    let mut record = record.clone();
    for _ in 0..READS_MAX {
        let Some(head) = record.log.clone().filter(|log| log.running) else {
            return Ok(Ledger::settled(record));
        };
        let known = older.and_then(|older| older.record().log.as_ref());
        let known = known.filter(|log| log.id == head.id && log.running);
        let last_known = known.map_or(0, |log| log.pages.saturating_sub(1));
        // Who knows no page that still counts begins with the checkpoint.
        let first = last_known.max(head.first_page());
        let rolled = if first == last_known {
            Some(None)
        } else {
            read_rolled(cluster, name, &head).await?
        };
        let pages = read_pages(cluster, name, &head, first..head.pages).await?;
        let folded = rolled.zip(pages).map(|(rolled, pages)| {
            let before = (older, rolled.as_ref());
            Ledger::fold(record.clone(), &head, before, &pages)
        });
        if let Some(Ok(ledger)) = folded {
            return Ok(ledger);
        }
        // The pages are newer or older than the record: look at both again.
        tokio::time::sleep(READ_AGAIN_AFTER).await;
        let Ok(key) = dir.child(name) else { break };
        match cluster.read(&key).await? {
            Some(now) if now == record => {
                if let Some(Err(error)) = folded {
                    return Err(corrupt(name, error));
                }
            }
            Some(now) => record = now,
            None => break,
        }
    }
    Err(corrupt(name, "its pages are missing"))
}

/// The log of the transition that runs or ran last.
pub(super) async fn read_whole_log(cluster: &Cluster, key: &Key) -> Result<Log, StoreError> {
    for _ in 0..READS_MAX {
        let record = cluster.read::<VariableRecord>(key).await?;
        let Some(head) = record.as_ref().and_then(|record| record.log.as_ref()) else {
            return Ok(Log::default());
        };
        if let Some(log) = read_log(cluster, key.name(), head, head.pages).await? {
            return Ok(log);
        }
        tokio::time::sleep(READ_AGAIN_AFTER).await;
    }
    Err(corrupt(key.name(), "its pages are missing"))
}
