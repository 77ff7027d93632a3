//! The first connection: each step by itself, so that a failure says what is wrong.

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::ZooKeeperOptions;
use super::fault::Fault;

/// Resolves the servers' names and opens a TCP connection to one of them.
///
/// The client reports whatever goes wrong before a session as a timeout; this tells more.
pub(super) async fn check(options: &ZooKeeperOptions) -> Result<(), Fault> {
    let mut found = Vec::new();
    for server in options.address.servers() {
        match reach(&server, options).await {
            Ok(()) => return Ok(()),
            Err(because) => found.push(format!("{server}: {because}")),
        }
    }
    let message = format!("no ZooKeeper server can be reached; {}", found.join("; "));
    Err(Fault::unavailable(message))
}

async fn reach(server: &str, options: &ZooKeeperOptions) -> Result<(), String> {
    let limit = options.session_timeout / 5;
    let addresses = match timeout(limit, lookup_host(server)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(format!("the name does not resolve: {error}")),
        Err(_) => return Err("the name service does not answer".to_owned()),
    };
    let mut because = "the name has no address".to_owned();
    for address in addresses {
        because = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => format!("no TCP connection to {address}: {error}"),
            Err(_) => format!("no TCP connection to {address} within {limit:?}"),
        };
    }
    Err(because)
}
