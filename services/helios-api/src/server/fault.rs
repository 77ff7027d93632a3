//! Why a request gets no proper answer.

use std::error::Error;
use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use helios_core::cluster::ClusterError;
use helios_core::store::{StoreError, StoreErrorKind};
use schemars::JsonSchema;
use serde::Serialize;

use super::reply::{json, retry_after};
use crate::wire::Refusal;

/// Why a request gets no answer of its endpoint's own kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// With a reason for people.
    Because(StatusCode, Reason),
    /// Nothing was done, and it may work in a moment.
    Busy(Reason),
    /// Nothing was done: whoever asked has to slow down.
    TooFast(Reason),
    /// A job id in the path or body is no full one. A bare text that calls itself JSON, as deployed
    /// clients know it.
    InvalidId(String),
    /// A host selector is none. A bare text too.
    InvalidSelector(String),
    /// A body was needed.
    NoBody,
}

/// That a body is needed and was not there.
#[derive(Default, JsonSchema, Serialize)]
pub(super) struct NoBody {
    /// Always empty.
    errors: Vec<String>,
}

/// What is wrong with what, and what to do next. Whoever makes one has to say both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn new(what: impl Display, next: impl Display) -> Self {
        Self(format!("{what}: {next}"))
    }
}

impl Fault {
    pub(super) fn because(status: StatusCode, what: impl Display, next: impl Display) -> Self {
        Self::Because(status, Reason::new(what, next))
    }

    pub(super) fn bad(what: impl Display, next: impl Display) -> Self {
        Self::because(StatusCode::BAD_REQUEST, what, next)
    }

    pub(super) fn not_found(what: impl Display, next: impl Display) -> Self {
        Self::because(StatusCode::NOT_FOUND, what, next)
    }

    /// Too much is going on, and a moment later it will be less.
    pub(super) fn busy(what: impl Display) -> Self {
        Self::Busy(Reason::new(what, "ask again in a moment"))
    }

    /// What a library says of a request, which ends with what to do next; its own tests see to that.
    pub(super) fn said(status: StatusCode, by: impl Display) -> Self {
        Self::Because(status, Reason(by.to_string()))
    }

    /// Something that should not happen. The log says what; the client gets a mark to find it by.
    pub(super) fn unexpected(error: &(dyn Error + 'static)) -> Self {
        let mark = RandomState::new().build_hasher().finish();
        tracing::error!(error, "request failed: {mark:016x}");
        let next = format!("look into its log, which says more beside {mark:016x}");
        Self::because(StatusCode::INTERNAL_SERVER_ERROR, "the master failed", next)
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
                Self::busy("the store cannot be reached or is busy; nothing was changed")
            }
            StoreErrorKind::LimitExceeded => Self::bad(
                error,
                "make it smaller, or remove what is not needed any more",
            ),
            StoreErrorKind::Indeterminate => Self::because(
                StatusCode::GATEWAY_TIMEOUT,
                "the connection to the store broke; it may be done or not",
                "look before you repeat it",
            ),
            _ => Self::unexpected(&error),
        }
    }
}

impl From<ClusterError> for Fault {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Refused(refused) => Self::said(StatusCode::BAD_REQUEST, refused),
            ClusterError::Store(error) => error.into(),
            other => Self::unexpected(&other),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Because(status, Reason(message)) => json(status, &Refusal { message }),
            Self::Busy(Reason(message)) => {
                retry_after(json(StatusCode::SERVICE_UNAVAILABLE, &Refusal { message }))
            }
            Self::TooFast(Reason(message)) => {
                retry_after(json(StatusCode::TOO_MANY_REQUESTS, &Refusal { message }))
            }
            Self::InvalidId(text) => {
                let json = HeaderValue::from_static("application/json");
                (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, json)], text).into_response()
            }
            Self::InvalidSelector(text) => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::NoBody => json(StatusCode::UNPROCESSABLE_ENTITY, &NoBody::default()),
        }
    }
}
