//! The directory that holds the store.

use helios_core::store::{Key, StoreErrorKind};
use zookeeper_client::{Acls, Client, CreateMode, Error};

use super::ZooKeeperOptions;
use super::fault::{Fault, Meaning, meaning};
use super::plan::directories_above;

/// Makes the top directory and those above it, where they are missing; `client` sees the whole tree.
pub(super) async fn ensure_top(client: &Client, options: &ZooKeeperOptions) -> Result<(), Fault> {
    let chroot = options.address.chroot();
    let mut path = directories_above(chroot);
    path.push(chroot.clone());
    // Nearly always everything is there: one question, from the bottom.
    if exists(client, chroot).await? {
        return Ok(());
    }
    let list = options.access.of_directory(None);
    let mode = CreateMode::Persistent.with_acls(Acls::new(&list));
    for dir in path {
        if exists(client, &dir).await? {
            continue;
        }
        match client.create(&format!("/{dir}"), b"", &mode).await {
            Ok(_) | Err(Error::NodeExists) => {}
            Err(error) if meaning(&error) == Meaning::Denied => {
                let message = format!(
                    "/{dir} is not there and our credentials may not make it: \
                     let a master connect first, or an administrator prepare the access lists"
                );
                return Err(Fault::new(StoreErrorKind::Denied, message).caused_by(error));
            }
            Err(error) => return Err(Fault::of_read("making the top directory", error)),
        }
    }
    Ok(())
}

async fn exists(client: &Client, dir: &Key) -> Result<bool, Fault> {
    let stat = client.check_stat(&format!("/{dir}")).await;
    let stat = stat.map_err(|error| Fault::of_read("looking for the top directory", error))?;
    Ok(stat.is_some())
}
