//! `helios solo`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use helios_core::HostName;
use helios_core::cluster::Cluster;
use tokio::time::sleep;

use super::agent::run_agent;
use super::agent_http::AgentHttp;
use super::authorities::Authorities;
use super::host::Host;
use super::listener::Door;
use super::log::{SERVER_LEVEL, log_to_stderr};
use super::login::Login;
use super::master::{Asking, Master};
use super::process::{Shutdown, on_threads};
use super::reset_action;
use super::store::StoreAddress;
use crate::args::{MasterResetOptions, SoloArgs};
use crate::{Console, Environment, Failure, Outcome};

/// Where the agent answers its own master, which nobody has to know.
const ANY_LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How often it is looked whether the host is up at the start.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Master and agent in one process, over one store.
pub(crate) fn run(
    args: &SoloArgs,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    log_to_stderr(environment, SERVER_LEVEL);
    on_threads(async {
        let shutdown = Shutdown::on_signals()?;
        // The state directory first: it is what a second start is refused by.
        let host = Host::open(&args.agent, environment)?;
        let address = match &args.store {
            Some(store) => StoreAddress::parse(store)?,
            None => StoreAddress::in_dir(&host.store_dir()),
        };
        let door = Door::open(&args.door).await?;
        let url = door.url();
        let store = address
            .open(&Login::new(&args.zookeeper, environment))
            .await?;
        let (name, engine) = (host.name.clone(), host.engine.clone());
        let http = AgentHttp::listen(&args.agent.http, Some(ANY_LOOPBACK)).await?;
        let agent = host.agent(store.handle(), http).await?;
        // The one host of a solo is reset by itself.
        let authorities = Authorities::read(&args.agent.outlets.outbound)?;
        let reset = reset_action::action(&MasterResetOptions::default(), &authorities)?;
        let asking = Asking { reset, authorities };
        let master =
            Master::over(&store, name.to_string(), door, args.reap.rules(), asking).await?;
        let cluster = master.cluster().clone();
        let ready = async {
            tokio::select! {
                () = until_up(&cluster, &name) => {
                    console.say(format_args!(
                        "helios solo ready at {url}, host {name}, store {address}, engine {engine}"
                    ));
                    console.flush();
                }
                () = shutdown.wait() => {}
            }
            Ok(())
        };
        let outcome = tokio::try_join!(run_agent(agent, &shutdown), master.run(&shutdown), ready);
        store.close().await;
        outcome.map(|_| Outcome::Done)
    })
}

/// Waits until the agent has registered its host: from then on jobs can be deployed to it. A store that cannot
/// be read now is the agent's to complain about, and to wait for.
async fn until_up(cluster: &Cluster, name: &HostName) {
    loop {
        if let Ok(fleet) = cluster.fleet().await
            && fleet.host(name).is_some_and(|host| host.up)
        {
            return;
        }
        sleep(LOOK_AGAIN_AFTER).await;
    }
}
