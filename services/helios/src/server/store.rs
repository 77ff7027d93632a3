//! Where state lives.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use helios_core::store::StoreError;
use helios_core::{HostName, Store};
#[cfg(feature = "zookeeper")]
use helios_store::zookeeper::{ZooKeeperAddress, ZooKeeperStore};
use helios_store::{FileStore, MemoryStore};

use super::login::Login;
use crate::Failure;

/// How a store is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoreAddress {
    /// In this process, for as long as it lives.
    Memory,
    /// In a directory of this machine, for one process at a time.
    File(PathBuf),
    /// In an ensemble, for any number of processes.
    #[cfg(feature = "zookeeper")]
    ZooKeeper(ZooKeeperAddress),
}

impl StoreAddress {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(dir) = text.strip_prefix("file:").filter(|dir| !dir.is_empty()) {
            return Ok(Self::File(PathBuf::from(dir)));
        }
        #[cfg(feature = "zookeeper")]
        if text.starts_with("zk://") {
            let address =
                text.parse()
                    .map_err(|error: helios_store::zookeeper::AddressError| {
                        Failure::new(error.to_string())
                            .advise("write it like this: zk://h1:2181,h2:2181/helios")
                    })?;
            return Ok(Self::ZooKeeper(address));
        }
        Err(Failure::new(format!("--store {text:?} names no store"))
            .advise(format!("use one of {}", known())))
    }

    pub(super) fn in_dir(dir: &Path) -> Self {
        Self::File(dir.to_owned())
    }

    /// Opens it for a master, and says at once if that fails.
    pub(super) async fn open(&self, login: &Login<'_>) -> Result<OpenStore, Failure> {
        if matches!(self, Self::Memory | Self::File(_)) {
            login.is_for_none(self)?;
        }
        let opened = match self {
            Self::Memory => Ok(OpenStore::Memory(MemoryStore::new())),
            Self::File(dir) => FileStore::open(dir).map(OpenStore::File),
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(address) => ZooKeeperStore::connect(login.master(address.clone())?)
                .await
                .map(OpenStore::ZooKeeper),
        };
        opened.map_err(|error| self.refused(error))
    }

    /// Opens it for an agent, which keeps its containers running also while the store is away.
    #[cfg_attr(
        not(feature = "zookeeper"),
        expect(unused_variables, reason = "no store can be joined")
    )]
    pub(super) fn join(&self, login: &Login<'_>, host: &HostName) -> Result<OpenStore, Failure> {
        match self {
            Self::Memory | Self::File(_) => Err(Failure::new(format!(
                "the store {self} is for one process, and an agent needs a master beside it"
            ))
            .advise("on one machine `helios solo` is both; for more name a store that they share")),
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(address) => {
                let options = login.agent(address.clone(), host)?;
                Ok(OpenStore::ZooKeeper(ZooKeeperStore::start(options)))
            }
        }
    }

    fn refused(&self, error: StoreError) -> Failure {
        let failure = Failure::new(format!("the store {self} cannot be opened")).caused_by(error);
        match self {
            Self::Memory => failure,
            Self::File(_) => failure.advise(
                "check that no other process uses the directory, and that this user may write in it",
            ),
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(_) => failure.advise("check the address, and that the servers are up"),
        }
    }
}

fn known() -> &'static str {
    if cfg!(feature = "zookeeper") {
        "file:DIR, memory: or zk://h1:2181,h2:2181/helios"
    } else {
        "file:DIR or memory:"
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::File(dir) => write!(f, "file:{}", dir.display()),
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(address) => write!(f, "{address}"),
        }
    }
}

/// An open store, which is to be closed in order.
#[derive(Clone, Debug)]
pub(super) enum OpenStore {
    Memory(MemoryStore),
    File(FileStore),
    #[cfg(feature = "zookeeper")]
    ZooKeeper(ZooKeeperStore),
}

impl OpenStore {
    pub(super) fn handle(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::File(store) => Arc::new(store.clone()),
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(store) => Arc::new(store.clone()),
        }
    }

    /// Takes what is only there while this process lives out of the store.
    pub(super) async fn close(&self) {
        match self {
            Self::Memory(store) => store.close(),
            Self::File(store) => store.close().await,
            #[cfg(feature = "zookeeper")]
            Self::ZooKeeper(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;
    use crate::args::ZooKeeperArgs;

    #[test]
    fn a_store_is_named_by_its_kind() {
        for text in ["memory:", "file:/var/lib/helios", "file:dir"] {
            assert_eq!(StoreAddress::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "memory", "file:", "/var/lib/helios", "etcd://h"] {
            let failure = StoreAddress::parse(text).unwrap_err();
            assert!(failure.advice().unwrap().contains("file:DIR"), "{text}");
        }
    }

    #[cfg(feature = "zookeeper")]
    #[test]
    fn an_ensemble_is_named_by_its_servers() {
        let address = StoreAddress::parse("zk://h1,h2:2182/x").unwrap();
        assert_eq!(address.to_string(), "zk://h1:2181,h2:2182/x");
        assert!(StoreAddress::parse("zk://").is_err());
    }

    #[test]
    fn an_agent_refuses_a_store_that_no_master_can_share() {
        let args = ZooKeeperArgs::default();
        let environment = Environment::default();
        let login = Login::new(&args, &environment);
        let host = "web1".parse().unwrap();
        let failure = StoreAddress::Memory.join(&login, &host).unwrap_err();
        let failure = failure.to_string();
        assert!(failure.contains("is for one process"), "{failure}");
    }
}
