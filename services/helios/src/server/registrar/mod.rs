//! The service registry that an agent is told to use.

mod consul;

use std::sync::Arc;

use helios_core::registrar::{FileRegistrar, Registrar};

use self::consul::ConsulRegistrar;
use super::authorities::Authorities;
use super::outbound::{Outbound, Url};
use crate::{Environment, Failure};

/// What a registry is named as.
const EXAMPLES: &str = "write file:PATH, or consul:http://127.0.0.1:8500";

/// Which registry: `file:PATH`, or `consul:http://HOST:PORT`, Consul's agent on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Registry {
    File(String),
    Consul { url: Url, token: Option<String> },
}

impl Registry {
    /// Reads the option.
    pub(super) fn read(text: &str, environment: &Environment) -> Result<Self, Failure> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(("consul", url)) => {
                let url = Url::parse(url).map_err(|error| {
                    Failure::new(format!("--service-registry {error}")).advise(EXAMPLES)
                })?;
                let token = environment.variable("CONSUL_HTTP_TOKEN").map(str::to_owned);
                Ok(Self::Consul { url, token })
            }
            _ => Err(
                Failure::new(format!("--service-registry {text:?} is no registry"))
                    .advise(EXAMPLES),
            ),
        }
    }

    /// The registry, for the agent of that id.
    pub(super) fn open(self, agent_id: &str, authorities: &Authorities) -> Arc<dyn Registrar> {
        match self {
            Self::File(path) => Arc::new(FileRegistrar::new(path)),
            Self::Consul { url, token } => {
                let outbound = Outbound::trusting(authorities);
                Arc::new(ConsulRegistrar::new(outbound, url, token, agent_id))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_by_its_kind() {
        let environment = Environment::of_variables([("CONSUL_HTTP_TOKEN", "t")]);
        let read = |text| Registry::read(text, &environment);
        assert_eq!(
            read("file:/run/services.json").unwrap(),
            Registry::File("/run/services.json".to_owned())
        );
        let Registry::Consul { url, token } = read("consul:http://127.0.0.1:8500").unwrap() else {
            panic!("it is Consul");
        };
        assert_eq!(
            (url.to_string().as_str(), token.as_deref()),
            ("http://127.0.0.1:8500", Some("t"))
        );
        for text in ["etcd:http://h", "file:", "consul:8500", ""] {
            let failure = read(text).unwrap_err().to_string();
            assert!(failure.contains("--service-registry"), "{failure}");
        }
    }
}
