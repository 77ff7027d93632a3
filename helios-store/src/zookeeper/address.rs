//! Where the servers are.

use std::fmt;
use std::str::FromStr;

use helios_core::store::Key;
use thiserror::Error;

const PORT: u16 = 2181;
const CHROOT: &str = "helios";

/// The servers of an ensemble and the directory in it that holds the store, written
/// `zk://h1:2181,h2:2181,h3:2181/helios`.
///
/// The scheme may be left out, the port is 2181 and the directory `/helios` unless given. An IPv6
/// address stands in brackets.
///
/// ```
/// use helios_store::zookeeper::ZooKeeperAddress;
///
/// let address: ZooKeeperAddress = "zk://h1,h2:2182/prod/helios".parse()?;
/// assert_eq!(address.to_string(), "zk://h1:2181,h2:2182/prod/helios");
/// # Ok::<(), helios_store::zookeeper::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZooKeeperAddress {
    servers: Vec<Server>,
    chroot: Key,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
}

/// A text that names no ensemble.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is no ZooKeeper address such as zk://h1:2181,h2:2181/helios: {because}")]
pub struct AddressError {
    text: String,
    because: String,
}

impl ZooKeeperAddress {
    /// The directory that holds the store.
    #[must_use]
    pub fn chroot(&self) -> &Key {
        &self.chroot
    }

    /// `host:port` of each server, in the order given.
    pub fn servers(&self) -> impl Iterator<Item = String> {
        self.servers.iter().map(Server::to_string)
    }
}

impl FromStr for ZooKeeperAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = |because: String| AddressError {
            text: text.to_owned(),
            because,
        };
        let rest = text.strip_prefix("zk://").unwrap_or(text);
        let (servers, chroot) = match rest.split_once('/') {
            Some((servers, chroot)) => (servers, chroot.trim_end_matches('/')),
            None => (rest, ""),
        };
        let chroot = if chroot.is_empty() { CHROOT } else { chroot };
        let chroot = Key::new(chroot).map_err(|error| refuse(error.to_string()))?;
        if chroot.segments().next() == Some("zookeeper") {
            return Err(refuse(
                "/zookeeper belongs to the servers themselves".to_owned(),
            ));
        }
        let servers = servers
            .split(',')
            .map(|server| Server::parse(server).map_err(&refuse))
            .collect::<Result<_, _>>()?;
        Ok(Self { servers, chroot })
    }
}

impl Server {
    fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(legal) {
            return Err(format!("{text:?} has no host name or address"));
        }
        let port = match port {
            None => PORT,
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(format!("{port:?} is no port")),
            },
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for ZooKeeperAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("zk://")?;
        for (index, server) in self.servers.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{server}")?;
        }
        write!(f, "/{}", self.chroot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, read) in [
            ("zk://h1", "zk://h1:2181/helios"),
            ("h1:2182,h2", "zk://h1:2182,h2:2181/helios"),
            ("zk://10.0.0.1:2181/", "zk://10.0.0.1:2181/helios"),
            ("zk://h/a/b", "zk://h:2181/a/b"),
            ("zk://[::1]:2182,[::2]/a", "zk://[::1]:2182,[::2]:2181/a"),
        ] {
            let address: ZooKeeperAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), read);
            assert_eq!(read.parse(), Ok(address));
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for text in [
            "",
            "zk://",
            "zk://h1,,h2",
            "zk://h:0",
            "zk://h:99999",
            "zk://h:x",
            "zk://h:2181:1",
            "zk://user@h",
            "zk://h/a b",
            "zk://h/../x",
            "zk://h//x",
            "zk://h/zookeeper/x",
            "zk://[::1",
            "zk://tcp://h",
        ] {
            let refused: Result<ZooKeeperAddress, _> = text.parse();
            assert!(refused.is_err(), "{text:?} gave {refused:?}");
        }
    }
}
