//! Who an agent tells what happens on its host.

use std::path::PathBuf;

use clap::Args;

/// How other services are reached: hooks, Consul, Prometheus.
#[derive(Clone, Debug, Default, Args)]
pub struct OutboundArgs {
    /// Who vouches for hooks, Consul and Prometheus at https addresses: certificates in PEM [default: those that
    /// this machine trusts]
    #[arg(long, value_name = "FILE")]
    pub outbound_ca: Option<PathBuf>,
}

/// Who is told what happens on a host, beside the store.
#[derive(Clone, Debug, Default, Args)]
pub struct OutletOptions {
    /// Append what happens to jobs here to that file, as lines of JSON
    #[arg(long, value_name = "PATH")]
    pub events_file: Option<PathBuf>,
    /// Post what happens to jobs here to that address, as JSON
    #[arg(long, value_name = "URL")]
    pub events_webhook: Option<String>,
    /// Where services are registered: file:PATH, or consul:http://127.0.0.1:8500
    #[arg(long, value_name = "REGISTRY")]
    pub service_registry: Option<String>,
    /// The domain that services are registered under
    #[arg(long)]
    pub domain: Option<String>,
    /// How they are reached
    #[command(flatten)]
    pub outbound: OutboundArgs,
}
