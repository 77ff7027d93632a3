//! What an agent answers on its machine.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use helios_api::server::{AgentState, agent_router, serve};
use helios_core::agent::Agent;
use helios_core::runtime::Logs;
use tokio::net::TcpListener;

use super::listener::local_address;
use super::process::Shutdown;
use crate::Failure;
use crate::args::HttpOptions;

/// Where an agent listens.
#[derive(Debug)]
pub(super) struct AgentHttp {
    listener: TcpListener,
    /// Where masters reach it.
    advertised: String,
}

impl AgentHttp {
    /// Listens as told, or where nobody else does with `default`, or not at all.
    pub(super) async fn listen(
        options: &HttpOptions,
        default: Option<SocketAddr>,
    ) -> Result<Option<Self>, Failure> {
        let Some(address) = options.http.or(default) else {
            return Ok(None);
        };
        if !address.ip().is_loopback() {
            return Err(Failure::new(format!(
                "--http {address} can be reached from other machines, and an agent asks nobody who they are"
            ))
            .advise(
                "listen on 127.0.0.1, lead masters there by a tunnel or a proxy that knows them, and tell them of \
                 that with --http-advertise",
            ));
        }
        if let Some(url) = options
            .http_advertise
            .as_deref()
            .filter(|url| !is_plain(url))
        {
            return Err(Failure::new(format!(
                "--http-advertise {url} is not an address that masters can ask: they speak plain HTTP to agents"
            ))
            .advise("give it as http://HOST:PORT"));
        }
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::new(format!("the agent cannot listen on {address}"))
                .caused_by(error)
                .advise("choose another address with --http")
        })?;
        let advertised = match &options.http_advertise {
            Some(url) => url.clone(),
            None => format!("http://{}", local_address(&listener)?),
        };
        Ok(Some(Self {
            listener,
            advertised,
        }))
    }

    /// The agent, which tells of this, and what answers for it.
    pub(super) fn of(self, agent: Agent, logs: Arc<dyn Logs>) -> (Agent, Answering) {
        let state = AgentState::new(agent.host().clone(), agent.status()).logs(logs);
        let router = agent_router(state);
        let answering = Answering {
            listener: self.listener,
            router,
        };
        (agent.http(self.advertised), answering)
    }
}

fn is_plain(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some())
}

/// What answers for an agent.
#[derive(Debug)]
pub(super) struct Answering {
    listener: TcpListener,
    router: Router,
}

impl Answering {
    /// Answers until shutdown.
    pub(super) async fn run(self, shutdown: &Shutdown) -> Result<(), Failure> {
        let served = serve(self.listener, self.router, shutdown.wait()).await;
        served.map_err(|error| Failure::new("the agent cannot answer").caused_by(error))
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_an_address_that_masters_can_ask_is_told_to_them() {
        for (url, expected) in [
            ("http://10.0.0.5:5803", true),
            ("http://web1", true),
            ("https://web1:5803", false),
            ("web1:5803", false),
            ("/logs", false),
        ] {
            assert_eq!(is_plain(url), expected, "{url}");
        }
    }
}
