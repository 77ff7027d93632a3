//! Requests to other services: a hook, a registry, a source of evidence.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use helios_core::with_causes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::authorities::Authorities;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The longest answer that is read unless said otherwise, in bytes.
const ANSWER_MAX: usize = 4 << 20;

/// Where a service is: `http://` or `https://` with host and port, and perhaps a path.
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
            (Some("http" | "https"), Some(_)) if uri.query().is_none() => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(format!(
                "{text:?} is not http://HOST:PORT/PATH or https://HOST:PORT/PATH"
            )),
        }
    }

    fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
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

type Tls = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Sends requests, and follows no redirects.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    plain: Client<HttpConnector, Full<Bytes>>,
    /// Made when it is first needed: the certificates of a machine take a while to read, and room.
    tls: OnceLock<Tls>,
    authorities: Authorities,
    timeout: Duration,
    answer_max: usize,
}

impl Outbound {
    /// Believes the services that those vouch for.
    pub(super) fn trusting(authorities: &Authorities) -> Self {
        Self {
            plain: Client::builder(TokioExecutor::new()).build_http(),
            tls: OnceLock::new(),
            authorities: authorities.clone(),
            timeout: TIMEOUT,
            answer_max: ANSWER_MAX,
        }
    }

    /// Waits for each answer as long as that.
    pub(super) fn waiting(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
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
            let response = if url.is_tls() {
                self.tls()?.request(request)
            } else {
                self.plain.request(request)
            };
            let response = response.await.map_err(|error| advised(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), self.answer_max).collect();
            let body = body.await.map_err(|error| error.to_string())?;
            Ok((status, body.to_bytes()))
        };
        let answer = timeout(self.timeout, answer).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.timeout)))
    }

    fn tls(&self) -> Result<&Tls, String> {
        if let Some(made) = self.tls.get() {
            return Ok(made);
        }
        let config = self.authorities.config();
        let config = config.map_err(|error| format!("this program cannot speak TLS: {error}"))?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        let made = Client::builder(TokioExecutor::new()).build(connector);
        Ok(self.tls.get_or_init(|| made))
    }
}

/// What went wrong, and what helps if nobody vouches for the service.
fn advised(error: &hyper_util::client::legacy::Error) -> String {
    let said = with_causes(error);
    // An authority may have the name of another.
    if ["UnknownIssuer", "BadSignature"]
        .iter()
        .any(|what| said.contains(what))
    {
        format!("{said}: --outbound-ca names who vouches for it")
    } else {
        said
    }
}

#[cfg(test)]
mod tests;
