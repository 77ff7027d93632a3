//! Waiting for an answer that the client does not have yet.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::params::Params;

/// The longest that a request may wait.
const WAIT_MAX: Duration = Duration::from_secs(25);

/// How long a client wants to wait, and which answer it has already: `?wait=SECONDS`, and the `ETag` of
/// that answer as `If-None-Match`.
///
/// Such a request is answered at once if the answer is another one, else as soon as it becomes one, and
/// with 304 when the time is up. So a client that asks again and again sees every state it has time for, and
/// misses nothing that lasts.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// How long, if the client wants to wait at all.
    pub(super) longest: Option<Duration>,
    known: Option<HeaderValue>,
}

/// The mark of an answer, equal for equal answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag(HeaderValue);

impl Waiting {
    /// Whether the client has that answer already.
    pub(super) fn knows(&self, tag: &Tag) -> bool {
        self.known.as_ref() == Some(&tag.0)
    }
}

impl<S: Sync> FromRequestParts<S> for Waiting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let params = Params::from_request_parts(parts, state).await?;
        let seconds = params.get("wait").and_then(|wait| wait.parse().ok());
        let longest = seconds.map(|seconds| Duration::from_secs(seconds).min(WAIT_MAX));
        let known = parts.headers.get(IF_NONE_MATCH).cloned();
        Ok(Self { longest, known })
    }
}

impl Tag {
    /// Of an answer in pieces, whatever those are.
    pub(super) fn of<'a>(answer: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        for piece in answer {
            hasher.write(piece);
        }
        let text = format!("W/\"{:016x}\"", hasher.finish());
        HeaderValue::try_from(text).ok().map(Self)
    }

    /// The answer, with this as its mark.
    pub(super) fn on(self, mut response: Response) -> Response {
        response.headers_mut().insert(ETAG, self.0);
        response
    }

    /// Says that nothing changed.
    pub(super) fn unchanged(self) -> Response {
        self.on(StatusCode::NOT_MODIFIED.into_response())
    }
}
