//! A cluster: the typed handle over a store.

mod change;
mod doubt;
mod error;
mod fleet;
mod history;
mod job_query;
mod lanes;
mod masters;
mod records;
mod shared;
mod transact;
mod watch;

use std::io;
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use error::ClusterError;
pub use fleet::{FleetView, HostGlance, HostView, JobStatus};
pub use job_query::{JobQuery, JobQueryError};
pub use records::{Records, Unreadable};

use crate::clock::{Clock, SystemClock};
use crate::model::{HostName, Job, JobId};
use crate::schema::{
    ClusterRecord, HostRecord, JobRecord, Keys, OperationIds, Presence, Stamp, Versioned, encode,
};
use crate::store::{Key, Store, StoreError, StoreErrorKind, Txn};
use crate::time::Timestamp;

use lanes::Lanes;
use shared::SharedFleet;

/// On whose behalf a cluster acts unless it is told otherwise.
const PRINCIPAL: &str = "helios";

/// Jobs, hosts and deployments in a store: everything a master can be asked.
///
/// Reads see what the store has; each change is decided by the pure functions of [`ops`](crate::ops),
/// committed as one transaction, decided anew if somebody else was faster, and made exactly once even if
/// the connection to the store is lost on the way.
///
/// A clone costs nothing, and is the same cluster. Any number of them, in any number of processes, may
/// work on one store.
#[derive(Clone, Debug)]
pub struct Cluster {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<OperationIds>,
    lanes: Arc<Lanes>,
    principal: Arc<str>,
    /// The only cluster whose hosts are registered through this handle.
    only: Option<Arc<str>>,
    /// The fleet that all clones of this handle follow together, if they do.
    fleet: Option<SharedFleet>,
}

impl Cluster {
    /// The cluster that lives in `store`, with the clock of this machine.
    ///
    /// # Errors
    /// When the operating system has no randomness to give, which operation ids are made of.
    pub fn on(store: Arc<dyn Store>) -> io::Result<Self> {
        let ids = OperationIds::random()?;
        Ok(Self::new(store, Arc::new(SystemClock::new()), ids))
    }

    /// The cluster that lives in `store`, with nothing left to chance: `clock` tells the time of changes,
    /// and `ids` tell them apart.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: OperationIds) -> Self {
        Self {
            store,
            clock,
            ids: Arc::new(ids),
            lanes: Arc::new(Lanes::new()),
            principal: PRINCIPAL.into(),
            only: None,
            fleet: None,
        }
    }

    /// The same cluster, whose changes are recorded as made on behalf of `principal`.
    #[must_use]
    pub fn on_behalf_of(&self, principal: &str) -> Self {
        Self {
            principal: principal.into(),
            ..self.clone()
        }
    }

    /// The clock that tells the time of changes.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The same cluster, through which hosts are registered and taken over only in the cluster of that id. A
    /// store that was emptied, or is another cluster's by now, refuses them.
    #[must_use]
    pub fn only_if_it_is(&self, id: &str) -> Self {
        Self {
            only: Some(id.into()),
            ..self.clone()
        }
    }

    /// On whose behalf changes are recorded.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The store the cluster lives in.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What the clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes the store a cluster's if it is nobody's yet, and returns the cluster's id. Masters do this
    /// when they start; agents take no orders from a store that has no id.
    ///
    /// # Errors
    /// Those of the store.
    ///
    /// # Cancellation
    /// Safe; it can be done again.
    pub async fn init(&self) -> Result<String, StoreError> {
        if let Some(id) = self.id().await? {
            return Ok(id);
        }
        let id = self.ids.next().to_string();
        let record = ClusterRecord { id: id.clone() };
        let txn = Txn::new().create(Keys::cluster(), encode(&record));
        match self.store.commit(txn).await {
            Ok(()) => Ok(id),
            // Either somebody else did it, or this call did: the entry says which cluster it is.
            Err(error) => self.id().await?.ok_or(error),
        }
    }

    /// The cluster's id, if the store has one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn id(&self) -> Result<Option<String>, StoreError> {
        let record = self.read::<ClusterRecord>(&Keys::cluster()).await?;
        Ok(record.map(|record| record.id.clone()))
    }
}

/// Reads. Dropping one of these futures is harmless.
impl Cluster {
    /// A job.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if its entry cannot be read.
    pub async fn job(&self, id: &JobId) -> Result<Option<Arc<Job>>, StoreError> {
        let record = self.job_record(id).await?;
        Ok(record.map(|record| Arc::clone(&record.job)))
    }

    /// All jobs.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn jobs(&self) -> Result<Records<JobId, JobRecord>, StoreError> {
        self.list(&Keys::jobs()).await
    }

    /// A host: what is wanted of it, whether it is up, and what it reports. Where its presence or report cannot be
    /// read, [`HostView::unread`] says so, and the rest is there.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` or `Denied` if its registration cannot be read.
    pub async fn host(&self, host: &HostName) -> Result<Option<HostView>, StoreError> {
        let Some(record) = self.host_record(host).await? else {
            return Ok(None);
        };
        let (up, no_up) = self.read_if_legible(&Keys::up(host)).await?;
        let (report, no_report) = self.read_if_legible(&Keys::report(host)).await?;
        let unread = [no_up.as_ref(), no_report.as_ref()];
        let glance = HostGlance::new(host, &record, up.as_ref(), report.as_ref(), unread);
        Ok(Some(glance.view()))
    }

    /// A record that is not needed to see others, or what is wrong with it.
    async fn read_if_legible<T: DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<(Option<Versioned<T>>, Option<Arc<Unreadable>>), StoreError> {
        match self.read(key).await {
            Err(error)
                if matches!(
                    error.kind(),
                    StoreErrorKind::Corrupt | StoreErrorKind::Denied
                ) =>
            {
                let unreadable = Unreadable::because(key.clone(), &error);
                Ok((None, Some(Arc::new(unreadable))))
            }
            record => Ok((record?, None)),
        }
    }

    /// All registered hosts, with their goals.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn hosts(&self) -> Result<Records<HostName, HostRecord>, StoreError> {
        self.list(&Keys::hosts()).await
    }

    /// The masters that are alive.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn masters(&self) -> Result<Records<String, Presence>, StoreError> {
        self.list(&Keys::masters()).await
    }

    async fn job_record(&self, id: &JobId) -> Result<Option<Versioned<JobRecord>>, StoreError> {
        match Keys::job(id) {
            Ok(key) => self.read(&key).await,
            // What fits no key cannot have been stored.
            Err(_) => Ok(None),
        }
    }

    async fn host_record(
        &self,
        host: &HostName,
    ) -> Result<Option<Versioned<HostRecord>>, StoreError> {
        self.read(&Keys::host(host)).await
    }

    /// All records of one directory, for what has no method of its own.
    ///
    /// # Errors
    /// Those of the store. What cannot be read is in [`Records::unreadable`].
    pub async fn list<K, T>(&self, dir: &Key) -> Result<Records<K, T>, StoreError>
    where
        K: Ord + Clone + std::str::FromStr<Err: std::fmt::Display>,
        T: DeserializeOwned,
    {
        Ok(Records::decode(dir, &self.store.list(dir).await?))
    }

    /// The record at `key`, for what has no method of its own.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if the entry is not what its place says.
    pub async fn read<T: DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<Versioned<T>>, StoreError> {
        let entry = self.store.get(key).await?;
        entry
            .map(|entry| Versioned::decode(key, &entry))
            .transpose()
    }

    /// The stamp of a change that begins now.
    fn stamp(&self) -> Stamp {
        Stamp {
            operation: self.ids.next(),
            at: self.clock.now(),
            principal: self.principal.to_string(),
        }
    }
}
