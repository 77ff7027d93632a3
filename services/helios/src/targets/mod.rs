//! Which masters a command asks.

mod config;
mod credentials;

use std::time::Duration;

use helios_api::Client;

use crate::args::ClientOptions;
use crate::{Environment, Failure};

use config::Config;
use credentials::Credentials;

/// Where a master is if nobody says anything else: what `helios solo` listens on by default.
const DEFAULT_MASTER: &str = "http://127.0.0.1:5801";
const REQUEST_TIMEOUT_SECONDS: u64 = 60;
const TOTAL_TIMEOUT_SECONDS: u64 = 10;

/// A cluster that a command asks.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the user calls it.
    pub name: String,
    /// Asks its masters.
    pub client: Client,
}

/// The clusters that the command line names, or else `HELIOS_MASTER`, or else the configuration file; and
/// the master of this machine if none does.
///
/// # Errors
/// [`Failure`] when one of the addresses is none, a timeout is no number, or the configuration file is
/// malformed.
pub fn resolve(options: &ClientOptions, environment: &Environment) -> Result<Vec<Target>, Failure> {
    let masters = if options.master.is_empty() {
        configured(environment)?
    } else {
        options.master.clone()
    };
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
    let user = options
        .username
        .as_deref()
        .or_else(|| environment.user())
        .unwrap_or("unknown");
    let credentials = Credentials::find(options, environment)?;
    let target = |name: String| {
        let mut client = Client::builder()
            .request_timeout(request)
            .total_timeout(total)
            .user(user);
        for address in name.split(',') {
            client = client.endpoint(address.trim())?;
        }
        client = credentials.give_to(client)?;
        let client = client.build()?;
        Ok(Target { name, client })
    };
    masters.into_iter().map(target).collect()
}

fn configured(environment: &Environment) -> Result<Vec<String>, Failure> {
    if let Some(master) = environment.variable("HELIOS_MASTER") {
        return Ok(vec![master.to_owned()]);
    }
    let masters = Config::load(environment)?.masters;
    if masters.is_empty() {
        return Ok(vec![DEFAULT_MASTER.to_owned()]);
    }
    Ok(masters)
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

    fn names(options: ClientOptions, environment: &Environment) -> Vec<String> {
        let targets = resolve(&options, environment).unwrap();
        targets.into_iter().map(|target| target.name).collect()
    }

    fn asked(masters: &[&str]) -> ClientOptions {
        ClientOptions {
            master: masters.iter().map(ToString::to_string).collect(),
            ..ClientOptions::default()
        }
    }

    #[test]
    fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        std::fs::create_dir(home.path().join(".helios")).unwrap();
        let file = home.path().join(".helios/config");
        std::fs::write(file, "masterEndpoints = [\"http://file:1\"]").unwrap();
        let both = Environment::of_variables([("HELIOS_MASTER", "http://env:1"), ("HOME", path)]);
        let home = Environment::of_variables([("HOME", path)]);
        let nothing = Environment::default();

        assert_eq!(
            names(asked(&["http://a:1", "b:2"]), &both),
            ["http://a:1", "b:2"]
        );
        assert_eq!(names(asked(&[]), &both), ["http://env:1"]);
        assert_eq!(names(asked(&[]), &home), ["http://file:1"]);
        assert_eq!(names(asked(&[]), &nothing), ["http://127.0.0.1:5801"]);
    }

    #[test]
    fn several_masters_of_one_cluster_are_one_target() {
        let targets =
            resolve(&asked(&["http://a:1, http://b:2"]), &Environment::default()).unwrap();
        let endpoints: Vec<&str> = targets[0].client.endpoints().collect();
        assert_eq!(endpoints, ["http://a:1", "http://b:2"]);
    }

    #[test]
    fn says_what_is_wrong_with_an_address_or_a_timeout() {
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
            let failure = resolve(&options, &environment).unwrap_err().to_string();
            assert!(failure.contains(part), "{failure}");
        }
    }
}
