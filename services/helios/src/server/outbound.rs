//! Requests to other services: a hook, a registry, a source of evidence.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use helios_core::with_causes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The longest answer that is read unless said otherwise, in bytes.
const ANSWER_MAX: usize = 4 << 20;

/// Where a service is: `http://` with host and port, and perhaps a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url(String);

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text
            .parse()
            .map_err(|error| format!("{text:?} is no URL: {error}"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(_)) if uri.query().is_none() => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(format!(
                "{text:?} is not http://HOST:PORT/PATH: for https, name a proxy on this machine"
            )),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(String),
    Form(String),
}

/// Sends requests, and follows no redirects.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    client: Client<HttpConnector, Full<Bytes>>,
    timeout: Duration,
    answer_max: usize,
}

impl Outbound {
    pub(super) fn new() -> Self {
        Self::patient(TIMEOUT)
    }

    /// Waits for each answer as long as that.
    pub(super) fn patient(timeout: Duration) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            timeout,
            answer_max: ANSWER_MAX,
        }
    }

    /// Reads answers of up to so many bytes.
    pub(super) fn reading(self, answer_max: usize) -> Self {
        Self { answer_max, ..self }
    }

    /// The status and the body of what is answered.
    ///
    /// # Errors
    /// Why there is no answer, for people.
    pub(super) async fn send(
        &self,
        method: &str,
        url: &Url,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<(StatusCode, Bytes), String> {
        let (kind, body) = match body {
            Body::Json(text) => ("application/json", text),
            Body::Form(text) => ("application/x-www-form-urlencoded", text),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{url}{path}"))
            .header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let answer = async {
            let response = self
                .client
                .request(request)
                .await
                .map_err(|error| with_causes(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), self.answer_max).collect();
            let body = body.await.map_err(|error| error.to_string())?;
            Ok((status, body.to_bytes()))
        };
        let answer = timeout(self.timeout, answer).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.timeout)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_spoken() {
        for text in ["http://127.0.0.1:8500", "http://hooks.local/helios/"] {
            assert!(Url::parse(text).is_ok(), "{text}");
        }
        for text in [
            "https://h",
            "h:80",
            "http://",
            "ftp://h/",
            "http://h/?q",
            "",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
