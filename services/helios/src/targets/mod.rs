//! Which masters a command asks.

mod choice;
mod config;
mod credentials;
mod document;
mod refresh;
mod srv;

use std::time::Duration;

use helios_api::Client;

use crate::args::ClientOptions;
use crate::{Environment, Failure};

use choice::{Choice, Cluster};
use credentials::Credentials;
pub(crate) use refresh::keep_fresh;

const REQUEST_TIMEOUT_SECONDS: u64 = 60;
const TOTAL_TIMEOUT_SECONDS: u64 = 10;

/// A cluster that a command asks.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the user calls it.
    pub name: String,
    /// Asks its masters.
    pub client: Client,
    /// What the masters are called in the name service, if that is where they were found.
    service: Option<String>,
}

/// The clusters that the command line names, or else `HELIOS_MASTER`, or else the configuration file; and
/// the master of this machine if none does. Domains are looked up in the name service.
///
/// # Errors
/// [`Failure`] when one of the addresses is none, a domain has no masters, a timeout is no number, or the
/// configuration file is malformed.
pub async fn resolve(
    options: &ClientOptions,
    environment: &Environment,
) -> Result<Vec<Target>, Failure> {
    let choice = Choice::find(options, environment)?;
    let request = timeout(
        options.http_timeout,
        environment,
        "HELIOS_CLI_HTTP_TIMEOUT",
        REQUEST_TIMEOUT_SECONDS,
    )?;
    let total = timeout(
        options.retry_timeout,
        environment,
        "HELIOS_CLI_TOTAL_TIMEOUT",
        TOTAL_TIMEOUT_SECONDS,
    )?;
    let user = options.username.as_deref();
    let user = user.or(choice.credentials.username.as_deref());
    let user = user.or_else(|| environment.user()).unwrap_or("unknown");
    let credentials = Credentials::find(options, environment, &choice.credentials)?;
    let mut targets = Vec::new();
    for cluster in choice.clusters {
        let mut client = Client::builder()
            .request_timeout(request)
            .total_timeout(total)
            .user(user);
        let (name, addresses, service) = match cluster {
            Cluster::At(name) => {
                let addresses = name.split(',').map(|address| address.trim().to_owned());
                (name.clone(), addresses.collect(), None)
            }
            Cluster::In(domain) => {
                let found = srv::masters_of(&domain, &choice.service, environment).await?;
                (domain, found, Some(choice.service.clone()))
            }
        };
        for address in addresses {
            client = client.endpoint(&address)?;
        }
        let client = credentials.give_to(client)?.build()?;
        targets.push(Target {
            name,
            client,
            service,
        });
    }
    Ok(targets)
}

fn timeout(
    given: Option<u64>,
    environment: &Environment,
    variable: &str,
    default: u64,
) -> Result<Duration, Failure> {
    let seconds = match (given, environment.variable(variable)) {
        (Some(seconds), _) => seconds,
        (None, None) => default,
        (None, Some(text)) => text.parse().map_err(|_| {
            Failure::new(format!("{variable}={text:?} is no number of seconds"))
                .advise(format!("set it to a number such as {default}, or unset it"))
        })?,
    };
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(masters: &[&str]) -> ClientOptions {
        ClientOptions {
            master: masters.iter().map(ToString::to_string).collect(),
            ..ClientOptions::default()
        }
    }

    #[tokio::test]
    async fn several_masters_of_one_cluster_are_one_target() {
        let options = asked(&["http://a:1, http://b:2"]);
        let targets = resolve(&options, &Environment::default()).await.unwrap();
        let endpoints = targets[0].client.endpoints();
        assert_eq!(endpoints, ["http://a:1", "http://b:2"]);
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_an_address_or_a_timeout() {
        for (options, environment, part) in [
            (
                asked(&["http://a"]),
                Environment::default(),
                "the port is missing",
            ),
            (
                asked(&["http://a:1"]),
                Environment::of_variables([("HELIOS_CLI_HTTP_TIMEOUT", "soon")]),
                "HELIOS_CLI_HTTP_TIMEOUT=\"soon\"",
            ),
        ] {
            let failure = resolve(&options, &environment).await.unwrap_err();
            let failure = failure.to_string();
            assert!(failure.contains(part), "{failure}");
        }
    }
}
