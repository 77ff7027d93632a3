//! Where the engine listens.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The address of a Docker engine.
///
/// Written as Docker writes it: `unix:///var/run/docker.sock`, `tcp://host:2375` or
/// `http://host:2375`. The default is the local socket.
///
/// ```
/// use helios_docker::DockerEndpoint;
///
/// let endpoint: DockerEndpoint = "tcp://10.0.0.7".parse().unwrap();
/// assert_eq!(endpoint.to_string(), "tcp://10.0.0.7:2375");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerEndpoint {
    /// A Unix socket, by its absolute path.
    Unix(String),
    /// A host and port, without encryption.
    Tcp(String),
}

/// A text that is no address of an engine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no address of a Docker engine: write unix:///path/to/socket or tcp://host:port \
     (https needs a client of your own)"
)]
pub struct EndpointError {
    text: String,
}

const TCP_PORT: u16 = 2375;

impl Default for DockerEndpoint {
    fn default() -> Self {
        Self::Unix("/var/run/docker.sock".to_owned())
    }
}

impl FromStr for DockerEndpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError {
            text: text.to_owned(),
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.to_owned())),
            "tcp" | "http" => {
                let host = rest.trim_end_matches('/');
                let port_given = host
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
                match host {
                    "" => Err(wrong()),
                    _ if host.contains('/') => Err(wrong()),
                    _ if port_given => Ok(Self::Tcp(host.to_owned())),
                    _ if host.contains(':') && !host.ends_with(']') => Err(wrong()),
                    _ => Ok(Self::Tcp(format!("{host}:{TCP_PORT}"))),
                }
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for DockerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_writes_them() {
        for (text, read) in [
            ("unix:///run/docker.sock", Some("unix:///run/docker.sock")),
            ("tcp://host:1234", Some("tcp://host:1234")),
            ("http://host:1234/", Some("tcp://host:1234")),
            ("tcp://host", Some("tcp://host:2375")),
            ("tcp://[::1]", Some("tcp://[::1]:2375")),
            ("unix://relative", None),
            ("https://host:1234", None),
            ("ssh://host", None),
            ("tcp://", None),
            ("tcp://host:99999", None),
            ("tcp://host/path", None),
            ("/var/run/docker.sock", None),
            ("", None),
        ] {
            let got = text.parse::<DockerEndpoint>().ok().map(|e| e.to_string());
            assert_eq!(got.as_deref(), read, "{text}");
        }
    }
}
