//! A presence entry and its owner, who puts it back whenever it is gone.

use std::time::Duration;

use futures_util::StreamExt;
use helios_core::store::{Key, Scope, Store, Txn};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::load::{soon, until_there};

#[derive(Debug)]
pub(crate) struct Presence(JoinHandle<()>);

impl Presence {
    /// Keeps `key` there with the session of `store`, reconciled like everything else.
    pub(crate) fn keep(store: ZooKeeperStore, key: Key) -> Self {
        Self(tokio::spawn(async move {
            let mut watch = store.watch(Scope::Entry(key.clone()));
            while let Some(item) = watch.next().await {
                let mut absent = item.is_ok_and(|seen| seen.is_empty());
                while absent {
                    let txn = Txn::new().create_ephemeral(key.clone(), "here");
                    absent = store.commit(txn).await.is_err()
                        && matches!(store.get(&key).await, Ok(None));
                }
            }
        }))
    }

    /// Stops looking after it.
    pub(crate) fn end(self) {
        self.0.abort();
    }
}

pub(crate) async fn until_present(store: &ZooKeeperStore, key: &Key) {
    until(store, key, true).await;
}

pub(crate) async fn until_absent(store: &ZooKeeperStore, key: &Key) {
    until(store, key, false).await;
}

async fn until(store: &ZooKeeperStore, key: &Key, there: bool) {
    soon("presence", async {
        while until_there(|| store.get(key)).await.is_some() != there {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
