//! Putting answers into JSON.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How long a client should wait before it asks a busy master again, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// An answer in JSON, in the master's dialect.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let json = HeaderValue::from_static("application/json");
            (status, [(CONTENT_TYPE, json)], Body::from(text)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The answer, with advice when to ask again.
pub(super) fn retry_after(mut response: Response) -> Response {
    let seconds = HeaderValue::from(RETRY_AFTER_SECONDS);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}
