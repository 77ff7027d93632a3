//! Where a master listens, and whom it lets in.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use helios_api::server::{
    MasterState, TlsIdentity, admin_router, router, serve, serve_beyond_loopback, serve_tls,
};
use helios_core::agent::{LinuxMachine, Machine};
use helios_core::cluster::Cluster;
use helios_core::runtime::Protocol;
use tokio::net::TcpListener;

use super::process::Shutdown;
use crate::Failure;
use crate::args::ListenArgs;

/// The listeners of a master.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    admin: Option<TcpListener>,
    tls: Option<TlsIdentity>,
    wants_tokens: bool,
}

impl Door {
    /// Listens as the options say, unless that would let in whoever comes by.
    pub(super) async fn open(args: &ListenArgs) -> Result<Self, Failure> {
        check(args)?;
        let tls = args.tls().map(|(certificate, key)| {
            TlsIdentity::from_pem_files(certificate, key)
                .map_err(|error| Failure::new(error.to_string()).advise("name two files in PEM"))
        });
        let tls = tls.transpose()?;
        let listener = listen(args.listen, "--listen").await?;
        let address = local_address(&listener)?;
        let admin = match args.admin {
            Some(address) => Some(listen(address, "--admin").await?),
            None => None,
        };
        Ok(Self {
            listener,
            address,
            admin,
            tls,
            wants_tokens: args.wants_tokens(),
        })
    }

    /// Where clients find the master.
    pub(super) fn url(&self) -> impl fmt::Display + use<> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves a cluster until shutdown.
    pub(super) async fn serve(self, cluster: &Cluster, shutdown: &Shutdown) -> io::Result<()> {
        let mut state = MasterState::new(cluster.clone());
        if self.wants_tokens {
            state = state.require_tokens();
        }
        let (asked, told) = (state.clone(), shutdown.wait());
        let admin = async {
            match self.admin {
                Some(listener) => serve_beyond_loopback(listener, admin_router(asked), told).await,
                None => Ok(()),
            }
        };
        let (listener, router, end) = (self.listener, router(state), shutdown.wait());
        let open = self.wants_tokens || !self.address.ip().is_loopback();
        let served = async {
            match self.tls {
                Some(tls) => serve_tls(listener, &tls, router, end).await,
                // No page in a browser can send a token: it may ask by any name.
                None if open => serve_beyond_loopback(listener, router, end).await,
                None => serve(listener, router, end).await,
            }
        };
        tokio::try_join!(served, admin)?;
        Ok(())
    }
}

/// Refuses what would let everybody do everything.
fn check(args: &ListenArgs) -> Result<(), Failure> {
    if args.listen.ip().is_loopback() || args.insecure || args.tls().is_some() {
        return Ok(());
    }
    let address = args.listen;
    Err(Failure::new(format!(
        "{address} can be reached from other machines, and whoever reaches a master may run anything on all \
         its hosts"
    ))
    .advise(
        "serve over TLS with --tls-cert and --tls-key; or listen on 127.0.0.1; or say --insecure, if something \
         in front of it asks who they are",
    ))
}

/// Where it listens.
pub(super) fn local_address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::new("the listener has no address").caused_by(error))
}

async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => format!(
                "stop what listens there (`ss -ltnp` shows it), or listen elsewhere with {option}"
            ),
            ErrorKind::PermissionDenied => format!("choose a port above 1023 with {option}"),
            _ => format!("choose an address of this machine with {option}"),
        };
        let holder = match error.kind() {
            ErrorKind::AddrInUse => holder(address.port()),
            _ => String::new(),
        };
        Failure::new(format!("cannot listen on {address}{holder}"))
            .caused_by(error)
            .advise(advice)
    })
}

/// Which process has the port, as far as this one may know.
fn holder(port: u16) -> String {
    let ports = LinuxMachine.ports_in_use();
    match ports.get(&(Protocol::Tcp, port)) {
        Some(Some(holder)) => format!(", which {holder} holds"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn args(listen: &str) -> ListenArgs {
        ListenArgs {
            listen: listen.parse().unwrap(),
            admin: None,
            tls_cert: None,
            tls_key: None,
            tokens: false,
            insecure: false,
        }
    }

    #[test]
    fn beyond_this_machine_there_is_tls_and_a_token_unless_it_is_called_insecure() {
        let tls = |listen| ListenArgs {
            tls_cert: Some(PathBuf::from("c")),
            tls_key: Some(PathBuf::from("k")),
            ..args(listen)
        };
        let insecure = |args| ListenArgs {
            insecure: true,
            ..args
        };
        let tokens = |args| ListenArgs {
            tokens: true,
            ..args
        };
        let (here, beyond) = ("127.0.0.1:0", "0.0.0.0:0");
        for (args, starts, wants_tokens) in [
            (args(here), true, false),
            (tokens(args(here)), true, true),
            (tls(here), true, false),
            (args("[::1]:0"), true, false),
            (args(beyond), false, true),
            (tokens(args(beyond)), false, true),
            (tls(beyond), true, true),
            (tls("[::]:0"), true, true),
            (insecure(args(beyond)), true, false),
            (insecure(tls(beyond)), true, false),
        ] {
            assert_eq!(check(&args).is_ok(), starts, "{args:?}");
            assert_eq!(args.wants_tokens(), wants_tokens, "{args:?}");
        }
    }
}
