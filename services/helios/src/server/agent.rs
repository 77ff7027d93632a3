//! `helios agent`.

use helios_core::agent::AgentError;

use super::agent_http::AgentHttp;
use super::host::{Host, Serving, host_name};
use super::log::{SERVER_LEVEL, log_to_stderr};
use super::login::Login;
use super::process::{Shutdown, on_threads};
use super::store::StoreAddress;
use crate::args::AgentArgs;
use crate::{Console, Environment, Failure, Outcome};

pub(crate) fn run(
    args: &AgentArgs,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    log_to_stderr(environment, SERVER_LEVEL);
    let address = StoreAddress::parse(&args.store.name())?;
    let login = Login::new(&args.store.zookeeper, environment);
    let name = host_name(args.agent.name.as_deref(), environment)?;
    on_threads(async {
        let shutdown = Shutdown::on_signals()?;
        let store = address.join(&login, &name)?;
        let host = Host::open(&args.agent, environment)?;
        let engine = host.engine.clone();
        let http = AgentHttp::listen(&args.agent.http, None).await?;
        let agent = host.agent(store.handle(), http).await?;
        console.say(format_args!(
            "helios agent {name} ready, store {address}, engine {engine}"
        ));
        console.flush();
        let outcome = run_agent(agent, &shutdown).await;
        store.close().await;
        outcome.map(|()| Outcome::Done)
    })
}

/// Runs the agent until shutdown. Its containers keep running.
pub(super) async fn run_agent(serving: Serving, shutdown: &Shutdown) -> Result<(), Failure> {
    let agent = async {
        let ended = serving.agent.run(shutdown.wait()).await;
        ended.map_err(|error: AgentError| Failure::new("the agent cannot run").caused_by(error))
    };
    match serving.answering {
        Some(answering) => tokio::try_join!(agent, answering.run(shutdown)).map(drop),
        None => agent.await,
    }
}
