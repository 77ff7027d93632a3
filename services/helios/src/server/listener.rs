//! Where a master listens.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::Failure;

/// Listens on that address, which must be one of this machine only.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::new(format!(
            "{address} can be reached from other machines, and whoever reaches a master may run anything on \
             all its hosts"
        ))
        .advise("listen on 127.0.0.1, and let a proxy with TLS and passwords in front of it"));
    }
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                "stop what listens there (`ss -ltnp` shows it), or listen elsewhere with --listen"
            }
            ErrorKind::PermissionDenied => "choose a port above 1023 with --listen",
            _ => "choose an address of this machine with --listen",
        };
        Failure::new(format!("cannot listen on {address}"))
            .caused_by(error)
            .advise(advice)
    })
}
