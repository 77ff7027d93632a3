//! The resets of a cluster.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::cluster::{Cluster, FleetView, Records};
use helios_core::model::HostName;
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, Keys, Stamp, Versioned, encode};
use helios_core::store::{Key, StoreError, Txn};

use super::arms::OfService;
use super::record::{no_fleet, sights_for};
use super::{
    Forecast, Outlook, Progress, Reset, ResetError, ResetRecord, ResetRefused, Robustness, Sights,
    TrailLine, check, trail,
};
use crate::drive::evidence::Look;
use crate::guard::Evidence;

/// Words that follow `/resets/` in the address of something that is no reset.
const RESERVED: &[&str] = &["plan"];

/// Reads and changes the resets of a cluster. Each change happens exactly once, and leaves one audit record.
#[derive(Clone, Debug)]
pub struct Resets {
    cluster: Cluster,
}

/// What its beginning is called.
const START: &str = "start reset";

/// What people may say to a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// See [`Progress::pause`].
    Pause,
    /// See [`Progress::resume`].
    Resume {
        /// Whether hosts with a mishap are due again.
        again: bool,
        /// Another deadline.
        deadline: Option<Timestamp>,
    },
    /// See [`Progress::abort`].
    Abort,
    /// See [`Progress::look`].
    Look {
        /// The objective.
        objective: String,
        /// What was counted.
        evidence: Evidence,
    },
}

/// Changes and reads. Dropping one of these futures is like an error of the kind `Indeterminate`.
impl Resets {
    /// The resets of that cluster.
    #[must_use]
    pub fn of(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// All of them by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Records<String, ResetRecord>, StoreError> {
        self.cluster.list(&Keys::resets()).await
    }

    /// The one of that name.
    ///
    /// # Errors
    /// [`ResetRefused::NotFound`], and those of the store.
    pub async fn get(&self, name: &str) -> Result<Versioned<ResetRecord>, ResetError> {
        let not_found = || ResetRefused::NotFound {
            name: name.to_owned(),
        };
        let key = Keys::reset(name).map_err(|_| not_found())?;
        let record = self.cluster.read(&key).await?;
        Ok(record.ok_or_else(not_found)?)
    }

    /// How services bore it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn robustness(&self, name: &str) -> Result<Robustness, ResetError> {
        self.get(name).await?;
        let key = Keys::robustness(name).map_err(|_| bad_name(name))?;
        let found = self.cluster.read::<Robustness>(&key).await?;
        Ok(found
            .map(|found| Robustness::clone(&found))
            .unwrap_or_default())
    }

    /// Everything that happened in it, oldest first.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn trail(&self, name: &str) -> Result<Vec<TrailLine>, ResetError> {
        let record = self.get(name).await?;
        trail::read(&self.cluster, &record).await
    }

    /// How a reset would go that began at `now`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn plan(&self, reset: &Reset, now: Timestamp) -> Result<Forecast, ResetError> {
        let (forecast, _) = self.judge(reset, now).await?;
        Ok(forecast)
    }

    /// The one of that name, and how it will go on from `now` with the fleet as it was seen.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn outlook(
        &self,
        name: &str,
        view: &FleetView,
        now: Timestamp,
    ) -> Result<(Versioned<ResetRecord>, Outlook), ResetError> {
        let record = self.get(name).await?;
        let all = self.list().await?;
        let others = all.iter().filter(|(other, _)| other.as_str() != name);
        let others = others.map(|(_, other)| &*other.record);
        let sights = Sights::of(view).map_err(|_| no_fleet())?;
        let sights = sights_for(&record, others, sights);
        let outlook = Outlook::of(&record, &sights, now);
        Ok((record, outlook))
    }

    /// Begins a reset. One of that name that is over makes room for it.
    ///
    /// # Errors
    /// [`ResetRefused`], or those of the store.
    pub async fn start(&self, reset: &Reset) -> Result<(), ResetError> {
        let name = reset.name.as_str();
        let (key, robustness) = keys(name)?;
        let (key, robustness) = (&key, &robustness);
        self.cluster
            .transact(name, |stamp| async move {
                let (_, found) = self.judge(reset, stamp.at).await?;
                let progress = Progress::new(reset, stamp.at);
                let progress = progress.map_err(|error| impossible(name, error.to_string()))?;
                let mut record = ResetRecord {
                    reset: reset.clone(),
                    progress,
                    trail: 0,
                };
                let line = TrailLine::new(&stamp, START);
                let txn = trail::append(&self.cluster, Txn::new(), &mut record, vec![line]).await?;
                let report = self.cluster.read::<Robustness>(robustness).await?;
                let txn = put(txn, key, found.as_ref(), &record);
                let txn = put(txn, robustness, report.as_ref(), &Robustness::default());
                let audit = AuditRecord::new(&stamp, START).detail(name);
                Ok(audited(txn, &stamp, &audit))
            })
            .await?;
        Ok(())
    }

    /// Says something to a reset.
    ///
    /// # Errors
    /// [`ResetRefused::NotFound`] and [`ResetRefused::Control`], or those of the store.
    pub async fn control(&self, name: &str, control: &Control) -> Result<(), ResetError> {
        self.change(name, (control.as_str(), None), |record, stamp| {
            let (reset, progress) = (&mut record.reset, &mut record.progress);
            let done = match control {
                Control::Pause => progress.pause(),
                Control::Abort => progress.abort(),
                Control::Look {
                    objective,
                    evidence,
                } => progress.look(objective, evidence),
                Control::Resume { again, deadline } => {
                    reset.deadline = deadline.unwrap_or(reset.deadline);
                    progress.resume(reset, *again, stamp.at)
                }
            };
            done.map_err(|why| ResetRefused::Control {
                name: name.to_owned(),
                why,
            })
        })
        .await
    }

    /// Notes what a guard saw since then, unless another master did.
    pub(super) async fn note(
        &self,
        name: &str,
        since: Timestamp,
        look: &Look,
        services: &BTreeMap<String, OfService>,
    ) -> Result<(), ResetError> {
        let (key, report) = keys(name)?;
        let (key, report) = (&key, &report);
        self.cluster
            .transact(name, |stamp| async move {
                let found = self.get(name).await?;
                let mut record = ResetRecord::clone(&found);
                let noted = record.progress.note(since, look);
                let noted = noted.map_err(|why| ResetRefused::Control {
                    name: name.to_owned(),
                    why,
                })?;
                if !noted {
                    return Ok(Txn::new());
                }
                let mut txn = Txn::new();
                if look.is_eventful() {
                    let line = vec![TrailLine::new(&stamp, look.to_string())];
                    txn = trail::append(&self.cluster, txn, &mut record, line).await?;
                }
                let known = self.cluster.read::<Robustness>(report).await?;
                if let Some(known) = &known {
                    let mut next = Robustness::clone(known);
                    next.note(&look.objective, services);
                    txn = put(txn, report, Some(known), &next);
                }
                let txn = txn.update(key.clone(), found.version, encode(&record));
                let detail = format!("{name}: {look}");
                let audit = AuditRecord::new(&stamp, "look at reset").detail(detail);
                Ok(audited(txn, &stamp, &audit))
            })
            .await?;
        Ok(())
    }

    /// Changes the record of a reset. The action, and the host that it is about if it is about one, is what its trail says then.
    pub(super) async fn change(
        &self,
        name: &str,
        (action, host): (&str, Option<&HostName>),
        change: impl Fn(&mut ResetRecord, &Stamp) -> Result<(), ResetRefused>,
    ) -> Result<(), ResetError> {
        let (key, _) = keys(name)?;
        let (key, change) = (&key, &change);
        self.cluster
            .transact(name, |stamp| async move {
                let found = self.get(name).await?;
                let mut record = ResetRecord::clone(&found);
                change(&mut record, &stamp)?;
                if record == *found.record {
                    return Ok(Txn::new());
                }
                let line = TrailLine::new(&stamp, action).host(host);
                let txn = trail::append(&self.cluster, Txn::new(), &mut record, vec![line]).await?;
                let txn = txn.update(key.clone(), found.version, encode(&record));
                let audit = AuditRecord::new(&stamp, action).detail(name);
                let audit = host.map_or(audit.clone(), |host| audit.host(host));
                Ok(audited(txn, &stamp, &audit))
            })
            .await?;
        Ok(())
    }

    /// Whether the reset can begin, and what has its place.
    async fn judge(
        &self,
        reset: &Reset,
        now: Timestamp,
    ) -> Result<(Forecast, Option<Versioned<ResetRecord>>), ResetError> {
        let name = reset.name.as_str();
        let (key, _) = keys(name)?;
        if RESERVED.contains(&name) {
            let name = name.to_owned();
            return Err(ResetRefused::Reserved { name }.into());
        }
        let sights = self.sights().await?;
        let forecast = check(reset, &sights, now).map_err(|why| ResetRefused::Impossible {
            name: name.to_owned(),
            why,
        })?;
        let found = self.cluster.read::<ResetRecord>(&key).await?;
        if found
            .as_ref()
            .is_some_and(|found| !found.progress.is_over())
        {
            let name = name.to_owned();
            return Err(ResetRefused::Exists { name }.into());
        }
        for (other, record) in self.list().await?.iter() {
            let in_common = |sight| reset.is_for(sight) && record.reset.is_for(sight);
            let mut shared = sights.iter().filter(|(_, sight)| in_common(sight));
            if !record.progress.is_over()
                && let Some((host, _)) = shared.next()
            {
                let (other, host) = (other.clone(), host.clone());
                return Err(ResetRefused::Overlaps { other, host }.into());
            }
        }
        Ok((forecast, found))
    }

    async fn sights(&self) -> Result<Sights, StoreError> {
        let view = self.cluster.fleet().await?;
        Sights::of(&view).map_err(|_| no_fleet())
    }
}

impl Control {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Pause => "pause reset",
            Self::Resume { .. } => "resume reset",
            Self::Abort => "abort reset",
            Self::Look { .. } => "look at reset",
        }
    }
}

/// Where a reset and its report lie.
pub(super) fn keys(name: &str) -> Result<(Key, Key), ResetRefused> {
    let keys = Keys::reset(name).and_then(|key| Ok((key, Keys::robustness(name)?)));
    keys.map_err(|_| bad_name(name))
}

/// Creates the entry, or gives the one that was found a new value.
pub(super) fn put<T: serde::Serialize>(
    txn: Txn,
    key: &Key,
    found: Option<&Versioned<T>>,
    record: &T,
) -> Txn {
    let value = encode(record);
    match found {
        Some(found) => txn.update(key.clone(), found.version, value),
        None => txn.create(key.clone(), value),
    }
}

pub(super) fn bad_name(name: &str) -> ResetRefused {
    ResetRefused::BadName {
        name: name.to_owned(),
    }
}

fn impossible(name: &str, why: String) -> ResetRefused {
    ResetRefused::Impossible {
        name: name.to_owned(),
        why: vec![super::Impossible::Guard(why)],
    }
}
