//! `helios token --store`: for the first token, when no master lets anybody in yet.

use helios_api::server::{TokenRefused, Tokens};
use helios_core::cluster::{Cluster, ClusterError};

use super::login::Login;
use super::process::on_threads;
use super::store::StoreAddress;
use crate::args::{TokenCommand, TokenStoreArgs};
use crate::commands::{new_token, say_created, say_list};
use crate::job_source::now;
use crate::{Console, Environment, Failure, Outcome};

/// Does it in the store of that name.
pub(crate) fn run(
    command: &TokenCommand,
    store: &str,
    json: bool,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let address = StoreAddress::parse(store)?;
    let TokenStoreArgs { zookeeper, .. } = command.at();
    let login = Login::new(zookeeper, environment);
    on_threads(async {
        let store = address.open(&login).await?;
        let cluster = Cluster::on(store.handle()).map_err(|error| {
            Failure::new("the operating system gives no random numbers").caused_by(error)
        })?;
        let user = environment.user().unwrap_or("unknown");
        let tokens = Tokens::of(cluster.on_behalf_of(user));
        let outcome = in_store(command, &tokens, json, console).await;
        store.close().await;
        outcome.map(|()| Outcome::Done)
    })
}

async fn in_store(
    command: &TokenCommand,
    tokens: &Tokens,
    json: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => {
            let created = tokens
                .create(&new_token(args, now()))
                .await
                .map_err(refused)?;
            say_created(&created, json, console)
        }
        TokenCommand::List(_) => {
            let failed = |error| {
                Failure::new("the tokens cannot be read")
                    .caused_by(error)
                    .advise("see that the store answers, and that it is the masters'")
            };
            say_list(&tokens.list().await.map_err(failed)?, json, console)
        }
        TokenCommand::Revoke(args) => {
            tokens.revoke(&args.name).await.map_err(refused)?;
            console.say(format_args!("token {} is revoked", args.name));
            Ok(())
        }
    }
}

fn refused(error: ClusterError<TokenRefused>) -> Failure {
    Failure::of(error)
}
