//! Getting a request to a master and its answer back.

use std::error::Error as StdError;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_NONE_MATCH, USER_AGENT};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, sleep, timeout};

use super::endpoint::Endpoint;
use super::reply::Reply;
use super::request::Request;
use super::retry::{Failure, Next, after};
use super::tls::{Tls, connector};
use super::trouble::Trouble;
use super::{ClientError, ClientErrorKind};
use crate::version::{PROTOCOL_VERSION, VERSION_HEADER};

/// The longest answer that is read, in bytes. The status of 10,000 hosts is a tenth of it.
const REPLY_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How long a connection is kept without use. Less than masters keep theirs, so that no change is sent
/// over one that is about to end.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// One attempt, connecting included.
    pub(super) request: Duration,
    /// All attempts and the pauses between them.
    pub(super) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            total: Duration::from_secs(60),
        }
    }
}

/// The connections to the masters, and where to begin asking.
#[derive(Debug)]
pub(super) struct Transport {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoints: RwLock<Arc<[Endpoint]>>,
    /// The endpoint that answered last: the first to be asked.
    preferred: AtomicUsize,
    authorization: Option<HeaderValue>,
    timeouts: Timeouts,
}

/// An attempt without an answer that ends the call.
struct Attempt {
    failure: Failure,
    error: ClientError,
}

impl Transport {
    pub(super) fn new(
        endpoints: Vec<Endpoint>,
        bearer: Option<&str>,
        tls: &Tls,
        timeouts: Timeouts,
    ) -> Result<Self, ClientError> {
        let authorization = bearer.map(bearer_header).transpose()?;
        let connector = connector(tls)?;
        Ok(Self {
            http: HttpClient::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_MAX)
                .build(connector),
            endpoints: RwLock::new(endpoints.into()),
            preferred: AtomicUsize::new(0),
            authorization,
            timeouts,
        })
    }

    /// How long one master may take to answer.
    pub(super) fn request_timeout(&self) -> Duration {
        self.timeouts.request
    }

    pub(super) fn endpoints(&self) -> Arc<[Endpoint]> {
        let endpoints = self.endpoints.read();
        Arc::clone(&endpoints.unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks these masters from the next call on.
    pub(super) fn move_to(&self, endpoints: Vec<Endpoint>) {
        let mut current = self
            .endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = endpoints.into();
    }

    /// Asks one master after the other until one answers or the time is up.
    pub(super) async fn send(&self, request: &Request) -> Result<Reply, ClientError> {
        let end = Instant::now() + self.timeouts.total;
        let endpoints = self.endpoints();
        let masters = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        let first = self.preferred.load(Ordering::Relaxed);
        let turns = endpoints.iter().enumerate().cycle().skip(first);
        for (attempt, (index, endpoint)) in (0..u32::MAX).zip(turns) {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.message(endpoint, request)?;
            let failed = match self.ask(endpoint, request, message, left).await {
                Ok(reply) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(failed) => failed,
            };
            let left = end.saturating_duration_since(Instant::now());
            let jitter = RandomState::new().build_hasher().finish().to_le_bytes()[0];
            let repeatable = request.repeatable;
            match after(failed.failure, repeatable, attempt, masters, left, jitter) {
                Next::GiveUp => return Err(failed.error),
                Next::Retry(pause) => {
                    tracing::debug!(error = %failed.error, ?pause, "asking the next master");
                    sleep(pause).await;
                }
            }
        }
        Err(no_master())
    }

    /// Asks for an answer that is read piece by piece: the first master that can be reached gives it.
    pub(super) async fn open(&self, request: &Request) -> Result<Incoming, ClientError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let endpoints = self.endpoints();
        let turns = endpoints.iter().cycle().skip(first);
        let mut error = no_master();
        for endpoint in turns.take(endpoints.len()) {
            let message = self.message(endpoint, request)?;
            let limit = self.timeouts.request;
            let response = match timeout(limit, self.http.request(message)).await {
                Ok(Ok(response)) => response,
                Ok(Err(cause)) => {
                    error = lost(Failure::NotSent, endpoint, request, cause);
                    continue;
                }
                Err(_) => {
                    error = too_slow(endpoint, request, limit);
                    continue;
                }
            };
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            let what = format!("{request} at {}", endpoint.as_str());
            let reply = read(what, response)
                .await
                .map_err(|cause| lost(Failure::Lost, endpoint, request, cause))?;
            return Err(reply.into_error());
        }
        Err(error)
    }

    /// Asks one master once.
    async fn ask(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        message: http::Request<Full<Bytes>>,
        left: Duration,
    ) -> Result<Reply, Attempt> {
        let what = format!("{request} at {}", endpoint.as_str());
        let limit = left.min(self.timeouts.request);
        let exchange = async {
            let response = self.http.request(message).await.map_err(|error| {
                let failure = if Trouble::of(&error).lasts() {
                    Failure::Lasting
                } else if error.is_connect() {
                    Failure::NotSent
                } else {
                    Failure::Lost
                };
                Attempt {
                    failure,
                    error: lost(failure, endpoint, request, error),
                }
            })?;
            read(what, response).await.map_err(|error| Attempt {
                failure: Failure::Lost,
                error: lost(Failure::Lost, endpoint, request, error),
            })
        };
        let reply = timeout(limit, exchange).await.map_err(|_| Attempt {
            failure: Failure::Lost,
            error: too_slow(endpoint, request, limit),
        })??;
        match reply.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(Attempt {
                failure: Failure::PutOff,
                error: reply.into_error(),
            }),
            // A proxy's words: what is behind it may have got the request.
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Err(Attempt {
                failure: Failure::Lost,
                error: lost(Failure::Lost, endpoint, request, reply.into_error()),
            }),
            _ => Ok(reply),
        }
    }

    fn message(
        &self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<http::Request<Full<Bytes>>, ClientError> {
        let mut message = http::Request::builder()
            .method(request.method.clone())
            .uri(endpoint.uri(request.target.as_str())?)
            .header(ACCEPT, &request.accept)
            .header(USER_AGENT, concat!("helios/", env!("CARGO_PKG_VERSION")))
            .header(VERSION_HEADER, PROTOCOL_VERSION.to_string());
        if let Some(authorization) = &self.authorization {
            message = message.header(AUTHORIZATION, authorization);
        }
        if let Some(known) = &request.known {
            message = message.header(IF_NONE_MATCH, known);
        }
        if request.body.is_some() {
            message = message.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(request.body.clone().unwrap_or_default());
        message.body(body).map_err(|error| {
            let message = format!("{request} cannot be sent");
            ClientError::new(ClientErrorKind::Refused, message).caused_by(error)
        })
    }
}

fn bearer_header(token: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| {
        let message = "the bearer token holds characters that cannot be sent";
        ClientError::new(ClientErrorKind::BadEndpoint, message).caused_by(error)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(
    what: String,
    response: Response<Incoming>,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, REPLY_BYTES_MAX).collect().await?;
    Ok(Reply {
        what,
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

fn lost(
    failure: Failure,
    endpoint: &Endpoint,
    request: &Request,
    cause: impl Into<Box<dyn StdError + Send + Sync>>,
) -> ClientError {
    let (master, cause) = (endpoint.as_str(), cause.into());
    let trouble = Trouble::of(&*cause);
    let error = if failure == Failure::NotSent || trouble.lasts() {
        let advice = trouble.advice(endpoint.is_tls());
        let message = format!("cannot reach the master at {master}: {advice}");
        ClientError::new(ClientErrorKind::Unreachable, message)
    } else {
        let what = format!("the connection to the master at {master} broke");
        unknown(request, &what)
    };
    error.caused_by(cause)
}

fn too_slow(endpoint: &Endpoint, request: &Request, limit: Duration) -> ClientError {
    let master = endpoint.as_str();
    unknown(
        request,
        &format!("the master at {master} did not answer within {limit:.0?}"),
    )
}

fn unknown(request: &Request, what: &str) -> ClientError {
    if request.repeatable {
        let message = format!("{request}: {what}, try again in a moment");
        return ClientError::new(ClientErrorKind::Unreachable, message);
    }
    let message = format!("{request}: {what}; it may be done or not, look before you repeat it");
    ClientError::new(ClientErrorKind::OutcomeUnknown, message)
}

/// That there is nobody to be asked.
pub(super) fn no_master() -> ClientError {
    ClientError::new(
        ClientErrorKind::BadEndpoint,
        "no master is named: set -z or HELIOS_MASTER",
    )
}
