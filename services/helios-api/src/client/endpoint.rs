//! Where a master is.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::{ClientError, ClientErrorKind};

/// The address of a master, with the path that comes before every request's.
#[derive(Clone)]
pub(super) struct Endpoint {
    given: String,
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Endpoint {
    pub(super) fn as_str(&self) -> &str {
        &self.given
    }

    /// Whether the master is asked over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The address of `path` (with its query) at this master.
    pub(super) fn uri(&self, path: &str) -> Result<Uri, ClientError> {
        let path = format!("{}{path}", self.prefix);
        let path = PathAndQuery::try_from(path).map_err(|error| self.refused().caused_by(error))?;
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|error| self.refused().caused_by(error))
    }

    fn refused(&self) -> ClientError {
        bad(&self.given, "nothing can be asked there")
    }
}

fn bad(given: &str, why: &str) -> ClientError {
    ClientError::new(
        ClientErrorKind::BadEndpoint,
        format!("{given:?} is not the address of a master: {why}"),
    )
}

impl FromStr for Endpoint {
    type Err = ClientError;

    fn from_str(given: &str) -> Result<Self, ClientError> {
        let with_scheme = if given.contains("://") {
            given.to_owned()
        } else {
            format!("http://{given}")
        };
        let uri: Uri = with_scheme
            .parse()
            .map_err(|error| bad(given, "use http://host:port").caused_by(error))?;
        let scheme = uri
            .scheme()
            .filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme))
            .ok_or_else(|| bad(given, "use http://host:port or https://host:port"))?;
        let authority = uri
            .authority()
            .filter(|authority| authority.port().is_some() && !authority.host().is_empty())
            .ok_or_else(|| bad(given, "the port is missing, use http://host:port"))?;
        Ok(Self {
            given: with_scheme.trim_end_matches('/').to_owned(),
            scheme: scheme.clone(),
            authority: authority.clone(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn puts_its_path_before_every_request() {
        for (given, expected) in [
            ("http://127.0.0.1:5801", "http://127.0.0.1:5801/jobs?q=a"),
            ("localhost:5801/", "http://localhost:5801/jobs?q=a"),
            ("http://proxy:80/helios/", "http://proxy:80/helios/jobs?q=a"),
            ("https://m:1", "https://m:1/jobs?q=a"),
            ("http://[::1]:5801", "http://[::1]:5801/jobs?q=a"),
        ] {
            let endpoint: Endpoint = given.parse().unwrap();
            assert_eq!(endpoint.uri("/jobs?q=a").unwrap().to_string(), expected);
        }
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        for (given, why) in [
            ("", "use http://host:port"),
            ("http://master", "the port is missing"),
            ("https://master", "the port is missing"),
            ("ftp://master:1", "use http://host:port"),
            ("http://a b:1", "use http://host:port"),
            ("http://:5801", ""),
        ] {
            let error = given.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(why), "{given:?}: {error}");
        }
    }
}
