//! Keeping logs bounded.

use helios_core::ops::audited;
use helios_core::schema::Keys;
use helios_core::schema::{AuditRecord, Stamp, Versioned, encode};
use helios_core::store::{Key, StoreError, StoreErrorKind, Txn, Version};

use super::change::key;
use super::draft::creations;
use super::error::Refused;
use super::pages::read_log;
use super::rolled::{Rolled, is_litter};
use super::{ChangeError, Ledger, LogHead, RolledUp, VariableRecord, Variables};

/// How many entries a transaction removes.
const REMOVED_MAX: usize = 500;

impl Variables {
    /// Rolls up the first pages of a log that has grown long.
    ///
    /// First the checkpoint is written, beside the log, where nobody looks for it; then one transaction makes the log begin with it;
    /// then the pages that it stands for are removed. Any number of masters may do it at once, and crash between any two of these.
    pub(super) async fn roll_up(&self, name: &str) -> Result<(), ChangeError> {
        let ledger = self.ledger(name).await?;
        let Some(log) = ledger.as_ref().and_then(long_log) else {
            return Ok(());
        };
        if let Some(rolled_up) = self.write_checkpoint(name, log).await? {
            self.begin_with(name, log, &rolled_up).await?;
            self.sweep(name).await?;
        }
        Ok(())
    }

    /// Writes the parts that are not there yet; `None` if the log is being rolled up by another master.
    pub(super) async fn write_checkpoint(
        &self,
        name: &str,
        log: &LogHead,
    ) -> Result<Option<RolledUp>, ChangeError> {
        let pages = log.next_roll_up();
        let Some(before) = read_log(&self.cluster, name, log, pages).await? else {
            return Ok(None);
        };
        let rolled = Rolled::of(&before).map_err(Refused::from)?;
        let (rolled_up, parts) = rolled.parts(name, &log.id, pages);
        let mut missing = Vec::new();
        for (key, value) in parts {
            // The name has the digest in it: what is there under it is the same.
            if self.cluster.store().get(&key).await?.is_none() {
                missing.push((key, value));
            }
        }
        for txn in creations(missing) {
            match self.cluster.store().commit(txn).await {
                Err(error) if error.kind() == StoreErrorKind::Conflict => return Ok(None),
                done => done?,
            }
        }
        Ok(Some(rolled_up))
    }

    /// Makes a log begin with a checkpoint, unless it does by now or has ended.
    pub(super) async fn begin_with(
        &self,
        name: &str,
        log: &LogHead,
        rolled_up: &RolledUp,
    ) -> Result<(), ChangeError> {
        let decide = |stamp: Stamp| async move {
            let key = key(name)?;
            let ledger = self.ledger(name).await?;
            let same = |now: &&LogHead| now.id == log.id && now.rolled_up == log.rolled_up;
            let now = ledger.as_ref().and_then(long_log).filter(same);
            let (Some(ledger), Some(now)) = (&ledger, now) else {
                return Ok(Txn::new());
            };
            let seen: &Versioned<VariableRecord> = ledger.record();
            let log = LogHead {
                rolled_up: Some(rolled_up.clone()),
                ..now.clone()
            };
            let record = VariableRecord {
                log: Some(log),
                ..VariableRecord::clone(seen)
            };
            let txn = Txn::new().update(key, seen.version, encode(&record));
            let audit = AuditRecord::new(&stamp, "roll up log").detail(name);
            Ok(audited(txn, &stamp, &audit))
        };
        self.cluster.transact(name, decide).await.map(drop)
    }

    /// Removes what is left of earlier logs, of pages that are rolled up and of changes that came to nothing.
    ///
    /// What was there before it was seen that this log is running belongs to no other log that could still begin: such a one would have to
    /// begin before this one did.
    pub(super) async fn sweep(&self, name: &str) -> Result<(), StoreError> {
        let Ok(dir) = Keys::rollout(name) else {
            return Ok(());
        };
        let there = self.cluster.store().list(&dir).await?;
        let ledger = self.ledger(name).await?;
        let log = ledger
            .as_ref()
            .and_then(|ledger| ledger.record().log.as_ref());
        let Some(log) = log.filter(|log| log.running) else {
            return Ok(());
        };
        let litter = there.iter().filter(|(entry, _)| is_litter(entry, log));
        let litter =
            litter.filter_map(|(entry, found)| Some((dir.child(entry).ok()?, found.version)));
        let litter: Vec<(Key, Version)> = litter.collect();
        for some in litter.chunks(REMOVED_MAX) {
            let remove =
                |txn: Txn, (key, version): &(Key, Version)| txn.delete(key.clone(), *version);
            match self
                .cluster
                .store()
                .commit(some.iter().fold(Txn::new(), remove))
                .await
            {
                // Another master sweeps.
                Err(error) if error.kind() == StoreErrorKind::Conflict => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }
}

/// The log of a running transition that is to be rolled up.
fn long_log(ledger: &Ledger) -> Option<&LogHead> {
    ledger.record().log.as_ref().filter(|log| log.is_long())
}
