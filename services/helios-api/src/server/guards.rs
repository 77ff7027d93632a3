//! What happens to every request before and after its endpoint.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, SERVER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout};

use super::fault::Fault;
use super::state::MasterState;
use crate::version::{
    PROTOCOL_VERSION, SERVER_VERSION_HEADER, VERSION_HEADER, VERSION_STATUS_HEADER, VersionStatus,
};

/// How long an endpoint may take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a request asks for something, and changes nothing.
fn is_question(request: &Request) -> bool {
    let path = request.uri().path().trim_end_matches('/');
    match *request.method() {
        Method::GET | Method::HEAD | Method::OPTIONS => true,
        Method::POST => path.ends_with("/statuses"),
        _ => false,
    }
}

/// Finds out whether client and master understand each other, and says so in every answer.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let said = request.headers().get(VERSION_HEADER);
    let status = PROTOCOL_VERSION.judge_text(said.map(|value| value.to_str().unwrap_or_default()));
    let mut response = match status {
        VersionStatus::Invalid => {
            let message = "the header Helios-Version holds no version: use major.minor.patch";
            Fault::bad(message).into_response()
        }
        VersionStatus::Incompatible => {
            let message = format!(
                "this master speaks version {PROTOCOL_VERSION} of the protocol, the client another \
                 one: use a client of this version"
            );
            Fault::Because(StatusCode::UPGRADE_REQUIRED, message).into_response()
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    let server = concat!("helios/", env!("CARGO_PKG_VERSION"));
    headers.insert(SERVER, HeaderValue::from_static(server));
    let status_header = HeaderName::from_static(VERSION_STATUS_HEADER);
    headers.insert(status_header, HeaderValue::from_static(status.as_str()));
    if let Ok(version) = HeaderValue::try_from(PROTOCOL_VERSION.to_string()) {
        headers.insert(HeaderName::from_static(SERVER_VERSION_HEADER), version);
    }
    response
}

/// Gives answers that the router made by itself a reason that people can read.
pub(super) async fn explain(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let is_options = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    if response.headers().contains_key(CONTENT_TYPE) {
        return response;
    }
    let allowed = response.headers().get(ALLOW).cloned();
    let mut explained = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if is_options => StatusCode::NO_CONTENT.into_response(),
        status @ StatusCode::METHOD_NOT_ALLOWED => {
            let message = format!("{asked} is not possible; the header Allow says what is");
            Fault::Because(status, message).into_response()
        }
        StatusCode::NOT_FOUND => {
            Fault::not_found(format!("there is nothing at {asked}")).into_response()
        }
        _ => return response,
    };
    if let Some(allowed) = allowed {
        explained.headers_mut().insert(ALLOW, allowed);
    }
    explained
}

/// Puts changes off while too many are being made.
pub(super) async fn admit(
    State(state): State<MasterState>,
    request: Request,
    next: Next,
) -> Response {
    if is_question(&request) {
        return next.run(request).await;
    }
    match state.changes.try_acquire() {
        Ok(_turn) => next.run(request).await,
        Err(_) => Fault::Busy("too many changes at a time; nothing was changed".to_owned())
            .into_response(),
    }
}

/// Ends what takes too long.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    let question = is_question(&request);
    match timeout(HANDLER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) if question => Fault::Busy("this took too long".to_owned()).into_response(),
        Err(_) => {
            let message = "this took too long; it may be done or not, look before you repeat it";
            Fault::Because(StatusCode::GATEWAY_TIMEOUT, message.to_owned()).into_response()
        }
    }
}

/// Counts requests and how long they take.
pub(super) async fn count(
    State(state): State<MasterState>,
    request: Request,
    next: Next,
) -> Response {
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().trim_end_matches('/').to_owned(),
        None => "none".to_owned(),
    };
    let method = request.method().clone();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    state.metrics.count(&method, route, status, begun.elapsed());
    response
}
