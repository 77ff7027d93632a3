//! How a master lets clients in.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Where a master listens, and whom it lets in.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of the master")]
pub struct ListenArgs {
    /// Where the master listens. Beyond this machine only over TLS and with access tokens, or --insecure
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5801")]
    pub listen: SocketAddr,
    /// Where operators and their tools ask for /healthz, /readyz and /metrics [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// The certificate to serve over TLS with, followed by those of its issuers, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Ask everybody for an access token, see `helios token`; beyond this machine that is the default
    #[arg(long, conflicts_with = "insecure")]
    pub tokens: bool,
    /// Let everybody who reaches the master do everything: where something in front of it asks who they are
    #[arg(long)]
    pub insecure: bool,
}

impl ListenArgs {
    /// Whether everybody is asked for an access token.
    #[must_use]
    pub fn wants_tokens(&self) -> bool {
        self.tokens || !(self.insecure || self.listen.ip().is_loopback())
    }

    /// Certificate and key, if clients are served over TLS.
    #[must_use]
    pub fn tls(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.tls_cert.as_ref().zip(self.tls_key.as_ref())
    }
}
