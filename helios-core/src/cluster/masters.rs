//! Which masters are alive.

use std::pin::pin;
use std::time::Duration;

use crate::schema::{Keys, Presence, encode};
use crate::store::{Key, StoreError, StoreErrorKind, Txn};

use super::Cluster;

/// How often a master looks whether it is still announced.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Cluster {
    /// Shows that a master of that name is alive, until `shutdown`.
    ///
    /// The announcement vanishes with the store's session, and is made again when it did. While the name is
    /// announced by somebody else, most often an earlier start of the same master, it is left to them.
    /// Trouble with the store is logged, and tried again.
    ///
    /// # Errors
    /// `Invalid` when the name does not fit a key.
    ///
    /// # Cancellation
    /// Safe; the announcement then stays until the store's session ends.
    pub async fn announce_master(
        &self,
        name: &str,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StoreError> {
        let key = Keys::master(name).map_err(|error| {
            let message = format!("{name:?} cannot be the name of a master");
            StoreError::new(StoreErrorKind::Invalid, message).caused_by(error)
        })?;
        let own = Presence {
            id: name.to_owned(),
            incarnation: self.ids.incarnation().to_owned(),
        };
        let mut shutdown = pin!(shutdown);
        loop {
            if let Err(error) = self.announce(&key, &own).await {
                tracing::warn!(%error, "this master is not announced: trying again");
            }
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = tokio::time::sleep(LOOK_AGAIN_AFTER) => {}
            }
        }
        if let Err(error) = self.withdraw(&key, &own).await {
            tracing::info!(%error, "this master stays announced until its session ends");
        }
        Ok(())
    }

    async fn announce(&self, key: &Key, own: &Presence) -> Result<(), StoreError> {
        if self.store.get(key).await?.is_some() {
            return Ok(());
        }
        let txn = Txn::new().create_ephemeral(key.clone(), encode(own));
        self.store.commit(txn).await
    }

    async fn withdraw(&self, key: &Key, own: &Presence) -> Result<(), StoreError> {
        match self.read::<Presence>(key).await? {
            Some(found) if *found == *own => {
                let txn = Txn::new().delete(key.clone(), found.version);
                self.store.commit(txn).await
            }
            _ => Ok(()),
        }
    }
}
