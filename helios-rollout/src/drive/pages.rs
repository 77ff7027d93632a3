//! Reading a log.

use futures_util::future::try_join_all;
use helios_core::cluster::Cluster;
use helios_core::schema::{Keys, Versioned};
use helios_core::store::{StoreError, StoreErrorKind};

use super::rolled::Rolled;
use super::{Course, LogHead, Page};
use crate::audit::{AuditError, Record};

/// A log, read whole or up to some page.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// How many hosts held what before the first record that is not rolled up.
    before: Option<Course>,
    /// The checkpoint, and what is not rolled up.
    pub(super) records: Vec<Record>,
}

impl Log {
    /// How many hosts held what over time.
    pub(super) fn course(&self) -> Result<Course, AuditError> {
        let before = self.before.clone().unwrap_or_default();
        before.continued(&self.records)
    }
}

pub(super) fn corrupt(name: &str, why: impl std::fmt::Display) -> StoreError {
    let message = format!("the log of variable {name} does not add up: {why}");
    StoreError::new(StoreErrorKind::Corrupt, message)
}

/// The pages of a log from `first` on; `None` if one is not there.
pub(super) async fn read_pages(
    cluster: &Cluster,
    name: &str,
    head: &LogHead,
    pages: std::ops::Range<u32>,
) -> Result<Option<Vec<Versioned<Page>>>, StoreError> {
    let read = |page| async move {
        match Keys::rollout_page(name, &head.id, page) {
            Ok(key) => cluster.read::<Page>(&key).await,
            Err(_) => Ok(None),
        }
    };
    let pages = try_join_all(pages.map(read)).await?;
    Ok(pages.into_iter().collect())
}

/// What the first pages of a log were rolled up into; the outer `None` if a part of it is not there, the inner one if nothing was.
pub(super) async fn read_rolled(
    cluster: &Cluster,
    name: &str,
    head: &LogHead,
) -> Result<Option<Option<Rolled>>, StoreError> {
    let Some(rolled_up) = &head.rolled_up else {
        return Ok(Some(None));
    };
    let read = |part| async move {
        match Keys::rollout_page(name, &rolled_up.checkpoint, part) {
            Ok(key) => cluster.store().get(&key).await,
            Err(_) => Ok(None),
        }
    };
    let parts = try_join_all((0..rolled_up.parts).map(read)).await?;
    let values = parts.into_iter().map(|part| Some(part?.value));
    let Some(parts) = values.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let rolled = Rolled::joined(rolled_up, &parts).map_err(|why| corrupt(name, why))?;
    Ok(Some(Some(rolled)))
}

/// A log up to a page; `None` if a part of it is not there, which can be because another master rolled it up just now.
pub(super) async fn read_log(
    cluster: &Cluster,
    name: &str,
    head: &LogHead,
    end: u32,
) -> Result<Option<Log>, StoreError> {
    let rolled = read_rolled(cluster, name, head).await?;
    let pages = read_pages(cluster, name, head, head.first_page()..end).await?;
    let (Some(rolled), Some(pages)) = (rolled, pages) else {
        return Ok(None);
    };
    let (before, checkpoint) = rolled
        .map(|rolled| (rolled.course, rolled.checkpoint))
        .unzip();
    let records = pages.iter().flat_map(|page| page.records.iter().cloned());
    let records = records.filter(|record| record.sequence < head.records);
    Ok(Some(Log {
        before,
        records: checkpoint.into_iter().chain(records).collect(),
    }))
}
