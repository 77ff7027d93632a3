//! What is asked.

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Serialize;

use super::query::Target;
use super::{ClientError, ClientErrorKind};

/// What is asked of whichever master answers.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) body: Option<Bytes>,
    /// What kind of answer is wanted.
    pub(super) accept: HeaderValue,
    /// The mark of the answer that is known already.
    pub(super) known: Option<HeaderValue>,
    /// Whether asking twice makes no difference.
    pub(super) repeatable: bool,
}

impl Request {
    /// Asks for something.
    pub(super) fn get(target: Target) -> Self {
        Self {
            method: Method::GET,
            target,
            body: None,
            accept: HeaderValue::from_static("application/json"),
            known: None,
            repeatable: true,
        }
    }

    /// Asks for something that takes a body to say.
    pub(super) fn query(target: Target, body: &impl Serialize) -> Result<Self, ClientError> {
        let request = Self::change(Method::POST, target).with_body(body)?;
        Ok(Self {
            repeatable: true,
            ..request
        })
    }

    /// Asks for a change.
    pub(super) fn change(method: Method, target: Target) -> Self {
        Self {
            method,
            target,
            body: None,
            accept: HeaderValue::from_static("application/json"),
            known: None,
            repeatable: false,
        }
    }

    pub(super) fn with_body(self, body: &impl Serialize) -> Result<Self, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| {
            let message = format!("the body of {self} cannot be written as JSON");
            ClientError::new(ClientErrorKind::Refused, message).caused_by(error)
        })?;
        Ok(Self {
            body: Some(body.into()),
            ..self
        })
    }

    /// Names the user, as the last parameter.
    pub(super) fn signed_by(self, user: Option<&str>) -> Self {
        Self {
            target: self.target.with_any("user", user),
            ..self
        }
    }
}

/// Without the query, which may hold a token.
impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.target.as_str().split('?').next().unwrap_or_default();
        write!(f, "{} {path}", self.method)
    }
}
