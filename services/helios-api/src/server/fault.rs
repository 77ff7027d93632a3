//! Why a request gets no proper answer.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use helios_core::cluster::ClusterError;
use helios_core::store::{StoreError, StoreErrorKind};

use super::reply::{json, retry_after};
use crate::wire::Refusal;

/// Why a request gets no answer of its endpoint's own kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// With a reason for people.
    Because(StatusCode, String),
    /// Nothing was done, and it may work in a moment.
    Busy(String),
    /// Nothing was done: whoever asked has to slow down.
    TooFast(String),
    /// A job id in the path or body is no full one. A bare text that calls itself JSON, as deployed
    /// clients know it.
    InvalidId(String),
    /// A host selector is none. A bare text too.
    InvalidSelector(String),
    /// A body was needed.
    NoBody,
}

impl Fault {
    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::Because(StatusCode::BAD_REQUEST, reason.into())
    }

    /// Something that should not happen. The log says what; the client gets a mark to find it by.
    pub(super) fn unexpected(error: &(dyn Error + 'static)) -> Self {
        let mark = RandomState::new().build_hasher().finish();
        tracing::error!(error, "request failed: {mark:016x}");
        let message = format!("the master failed: its log says more beside {mark:016x}");
        Self::Because(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    pub(super) fn not_found(reason: impl Into<String>) -> Self {
        Self::Because(StatusCode::NOT_FOUND, reason.into())
    }
}

impl From<StoreError> for Fault {
    /// What a store says is for the log; the client learns what to do.
    fn from(error: StoreError) -> Self {
        let kind = error.kind();
        match kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
                tracing::warn!(
                    error = &error as &dyn Error,
                    "the store did not do its part"
                );
                Self::Busy("the store cannot be reached or is busy; nothing was changed".to_owned())
            }
            StoreErrorKind::LimitExceeded => Self::bad(error.to_string()),
            StoreErrorKind::Indeterminate => {
                let message =
                    "the connection to the store broke; it may be done or not, look first";
                Self::Because(StatusCode::GATEWAY_TIMEOUT, message.to_owned())
            }
            _ => Self::unexpected(&error),
        }
    }
}

impl From<ClusterError> for Fault {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Refused(refused) => Self::bad(refused.to_string()),
            ClusterError::Store(error) => error.into(),
            other => Self::unexpected(&other),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Because(status, message) => json(status, &Refusal { message }),
            Self::Busy(message) => {
                retry_after(json(StatusCode::SERVICE_UNAVAILABLE, &Refusal { message }))
            }
            Self::TooFast(message) => {
                retry_after(json(StatusCode::TOO_MANY_REQUESTS, &Refusal { message }))
            }
            Self::InvalidId(text) => {
                let json = HeaderValue::from_static("application/json");
                (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, json)], text).into_response()
            }
            Self::InvalidSelector(text) => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::NoBody => {
                let body = serde_json::json!({ "errors": [] });
                json(StatusCode::UNPROCESSABLE_ENTITY, &body)
            }
        }
    }
}
