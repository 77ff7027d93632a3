//! Hosts that follow without an agent.

use std::collections::BTreeMap;

use helios_core::cluster::ClusterError;
use helios_core::model::HostName;
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, Keys, Stamp, encode};
use helios_core::store::Txn;

use super::error::Refused;
use super::{Book, ChangeError, FollowerRecord, Refusal, Variables};

/// The most hosts that may follow without an agent.
const FOLLOWERS_MAX: usize = 100_000;
/// The most labels of a follower, and the longest name or value of one in bytes.
const LABELS_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 256;

/// Hosts that follow without an agent.
///
/// # Errors
/// All of them return what they are refused for, or the errors of the store.
impl Variables {
    /// Makes a host known by its first call. A host that is known stays what it said it was.
    ///
    /// `book` is what was read lately: if it has all the followers that there may be, another is refused.
    pub async fn follow(
        &self,
        book: &Book,
        host: &HostName,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), ChangeError> {
        check_labels(host, labels)?;
        if book.followers.len() >= FOLLOWERS_MAX {
            let max = FOLLOWERS_MAX;
            return Err(ClusterError::Refused(Refusal::TooManyFollowers { max }));
        }
        let decide = |stamp: Stamp| async move {
            let key = Keys::follower(host);
            if self.cluster.store().get(&key).await?.is_some() {
                return Ok(Txn::new());
            }
            let record = FollowerRecord {
                labels: labels.clone(),
                failed: None,
            };
            let audit = AuditRecord::new(&stamp, "follow").host(host);
            let txn = Txn::new().create(key, encode(&record));
            Ok(audited(txn, &stamp, &audit))
        };
        self.cluster.transact(host.as_str(), decide).await.map(drop)
    }

    /// Notes whether a follower could enact what it was told last. Nothing is written if that is known.
    pub async fn report(&self, host: &HostName, failed: Option<&str>) -> Result<(), ChangeError> {
        let decide = |stamp: Stamp| async move {
            let key = Keys::follower(host);
            let known = self.cluster.read::<FollowerRecord>(&key).await?;
            let known = known.ok_or_else(|| unknown(host))?;
            if known.failed.as_deref() == failed {
                return Ok(Txn::new());
            }
            let record = FollowerRecord {
                labels: known.labels.clone(),
                failed: failed.map(str::to_owned),
            };
            let audit = AuditRecord::new(&stamp, "report follower").host(host);
            let audit = audit.detail(failed.unwrap_or("well"));
            let txn = Txn::new().update(key, known.version, encode(&record));
            Ok(audited(txn, &stamp, &audit))
        };
        self.cluster.transact(host.as_str(), decide).await.map(drop)
    }

    /// Forgets a follower; if it calls again, it may say anew what it is.
    pub async fn forget(&self, host: &HostName) -> Result<(), ChangeError> {
        let decide = |stamp: Stamp| async move {
            let key = Keys::follower(host);
            let known = self.cluster.read::<FollowerRecord>(&key).await?;
            let known = known.ok_or_else(|| unknown(host))?;
            let audit = AuditRecord::new(&stamp, "forget follower").host(host);
            Ok(audited(
                Txn::new().delete(key, known.version),
                &stamp,
                &audit,
            ))
        };
        self.cluster.transact(host.as_str(), decide).await.map(drop)
    }
}

fn unknown(host: &HostName) -> ChangeError {
    ClusterError::Refused(Refusal::NoHost { host: host.clone() })
}

fn check_labels(host: &HostName, labels: &BTreeMap<String, String>) -> Result<(), Refused> {
    let long = |text: &String| text.len() > LABEL_BYTES_MAX || text.chars().any(char::is_control);
    let why = if labels.len() > LABELS_MAX {
        "there are more than 64"
    } else if labels.keys().any(String::is_empty) {
        "one has no name"
    } else if labels.iter().any(|(name, value)| long(name) || long(value)) {
        "a name or value is longer than 256 bytes, or has a control character"
    } else {
        return Ok(());
    };
    let host = host.clone();
    Err(Refusal::Labels { host, why }.into())
}
