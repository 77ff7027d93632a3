//! Creating and revoking tokens.

use helios_core::cluster::{Cluster, ClusterError};
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, Keys, encode};
use helios_core::store::{Key, StoreError, StoreErrorKind, Txn};
use thiserror::Error;

use super::record::TokenRecord;
use super::text::{TokenText, is_name};
use crate::wire::{CreatedToken, NewToken, TokenInfo};

/// The access tokens of a cluster.
#[derive(Clone, Debug)]
pub struct Tokens(Cluster);

/// Why a change of access tokens is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenRefused {
    /// The name cannot be one.
    #[error("{0:?} cannot be the name of a token: use up to 64 letters, digits, dots and hyphens")]
    BadName(String),
    /// The name is in use.
    #[error("there is a token {0} already: revoke it first, or choose another name")]
    Taken(String),
    /// There is no such token.
    #[error("there is no token {0}: `helios token list` tells those there are")]
    NotFound(String),
}

impl Tokens {
    /// Those of that cluster; changes are recorded as made on its behalf.
    #[must_use]
    pub fn of(cluster: Cluster) -> Self {
        Self(cluster)
    }

    /// Creates a token, and returns it with its secret: the only time that anybody sees it.
    ///
    /// # Errors
    /// [`TokenRefused`], or those of the store; `Unavailable` also when the operating system has no
    /// randomness to give.
    ///
    /// # Cancellation
    /// The token may have been created; then nobody knows its secret.
    pub async fn create(&self, new: &NewToken) -> Result<CreatedToken, ClusterError<TokenRefused>> {
        let (name, key) = (&new.name, &key(&new.name)?);
        let text = &TokenText::random(name).map_err(|error| {
            let message = "the operating system gives no random numbers";
            StoreError::new(StoreErrorKind::Unavailable, message).caused_by(error)
        })?;
        let by = self.0.principal();
        self.0
            .transact(name, |stamp| async move {
                if self.0.read::<TokenRecord>(key).await?.is_some() {
                    return Err(ClusterError::Refused(TokenRefused::Taken(name.clone())));
                }
                let record = TokenRecord::new(text.hash(), new, stamp.at, by);
                let create = Txn::new().create(key.clone(), encode(&record));
                let role = new.grant.role;
                let audit = AuditRecord::new(&stamp, "create token");
                let audit = audit.detail(format!("{name}, role {role}"));
                Ok(audited(create, &stamp, &audit))
            })
            .await?;
        let record = self.0.read::<TokenRecord>(key).await?;
        let record = record.ok_or_else(|| not_found(name))?;
        Ok(CreatedToken {
            token: text.clone().into_secret(),
            info: record.info(name),
        })
    }

    /// All tokens, in the order of their names, without their secrets.
    ///
    /// # Errors
    /// Those of the store.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn list(&self) -> Result<Vec<TokenInfo>, StoreError> {
        let records = self.0.list::<String, TokenRecord>(&Keys::tokens()).await?;
        let infos = records.iter().map(|(name, record)| record.info(name));
        Ok(infos.collect())
    }

    /// Revokes a token: masters refuse it from then on.
    ///
    /// # Errors
    /// [`TokenRefused`], or those of the store.
    ///
    /// # Cancellation
    /// It may have been revoked or not.
    pub async fn revoke(&self, name: &str) -> Result<(), ClusterError<TokenRefused>> {
        let key = &key(name)?;
        self.0
            .transact(name, |stamp| async move {
                // Also one that cannot be read: it must be possible to get rid of it.
                let found = self.0.store().get(key).await?;
                let found = found.ok_or_else(|| not_found(name))?;
                let delete = Txn::new().delete(key.clone(), found.version);
                let audit = AuditRecord::new(&stamp, "revoke token").detail(name);
                Ok(audited(delete, &stamp, &audit))
            })
            .await?;
        Ok(())
    }
}

fn key(name: &str) -> Result<Key, ClusterError<TokenRefused>> {
    let refused = || ClusterError::Refused(TokenRefused::BadName(name.to_owned()));
    if !is_name(name) {
        return Err(refused());
    }
    Keys::token(name).map_err(|_| refused())
}

fn not_found(name: &str) -> ClusterError<TokenRefused> {
    ClusterError::Refused(TokenRefused::NotFound(name.to_owned()))
}
