//! Putting answers into JSON.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::fault::Fault;
use super::pieces::Pieces;

/// How long a client should wait before it asks a busy master again, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// An answer in JSON, in the master's dialect.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match to_json(value) {
        Ok(text) => json_text(status, text),
        Err(fault) => fault.into_response(),
    }
}

/// The text of a value in JSON, in the master's dialect.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|error| Fault::unexpected(&error))
}

/// An answer of that JSON text.
pub(super) fn json_text(status: StatusCode, text: impl Into<Pieces>) -> Response {
    let json = HeaderValue::from_static("application/json");
    let body = Body::new(text.into());
    (status, [(CONTENT_TYPE, json)], body).into_response()
}

/// The answer, with advice when to ask again.
pub(super) fn retry_after(mut response: Response) -> Response {
    let seconds = HeaderValue::from(RETRY_AFTER_SECONDS);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}
