//! What a master answered.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::{ClientError, ClientErrorKind};
use crate::version::{PROTOCOL_VERSION, SERVER_VERSION_HEADER};
use crate::wire::Refusal;

/// The longest part of an answer that is shown to people, in characters.
const SHOWN_CHARS_MAX: usize = 500;

/// What a master answered to which request.
#[derive(Debug)]
pub(super) struct Reply {
    /// The request and whom it was sent to, for people.
    pub(super) what: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    /// What was asked for.
    pub(super) fn found<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        if self.status.is_success() {
            self.decode()
        } else {
            Err(self.into_error())
        }
    }

    /// What was asked for, or nothing if the master does not have it.
    pub(super) fn found_or_absent<T: DeserializeOwned>(self) -> Result<Option<T>, ClientError> {
        if self.status == StatusCode::NOT_FOUND {
            Ok(None)
        } else {
            self.found().map(Some)
        }
    }

    /// What became of a change. An answer of the endpoint's own kind is one, whatever its code; a refusal
    /// by something before the endpoint is an error.
    pub(super) fn outcome<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        if self.status.is_success() {
            return self.decode();
        }
        let answered = self.status.is_client_error();
        match serde_json::from_slice(&self.body) {
            Ok(outcome) if answered => Ok(outcome),
            _ => Err(self.into_error()),
        }
    }

    fn decode<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!(
                "the answer to {} cannot be understood: is this a Helios master?",
                self.what
            );
            ClientError::new(ClientErrorKind::BadReply, message).caused_by(error)
        })
    }

    /// Why there is no better answer.
    pub(super) fn into_error(self) -> ClientError {
        let (what, status) = (&self.what, self.status);
        let said = self.said();
        let reason = self.reason(said.as_deref());
        let (kind, message) = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                ClientErrorKind::Denied,
                format!("{what} was denied{reason}: give a token that may do this"),
            ),
            StatusCode::UPGRADE_REQUIRED => {
                let server = self
                    .header(SERVER_VERSION_HEADER)
                    .unwrap_or("another version");
                (
                    ClientErrorKind::WrongVersion,
                    format!(
                        "{what} was refused: the master speaks {server} of the protocol, this client \
                         {PROTOCOL_VERSION}; use a client of the master's version"
                    ),
                )
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => (
                ClientErrorKind::Busy,
                format!("{what} was put off{reason}: try again in a moment"),
            ),
            _ if status.is_server_error() => (
                ClientErrorKind::MasterFailed,
                format!("{what} failed with {status}{reason}: the master's log says more"),
            ),
            _ => (
                ClientErrorKind::Refused,
                format!("{what} was refused with {status}{reason}"),
            ),
        };
        ClientError::new(kind, message).said_by_master(said)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the master said, if it is a master.
    fn said(&self) -> Option<String> {
        let refusal = serde_json::from_slice::<Refusal>(&self.body).ok()?;
        Some(shown(&refusal.message))
    }

    /// That, or what else answered, as far as people can read it.
    fn reason(&self, said: Option<&str>) -> String {
        let text = match (said, std::str::from_utf8(&self.body)) {
            (Some(said), _) => said.to_owned(),
            (None, Ok(text)) if !text.starts_with('<') => shown(text.trim()),
            _ => String::new(),
        };
        if text.is_empty() {
            text
        } else {
            format!(" ({text})")
        }
    }
}

/// A text from elsewhere, fit for a terminal.
fn shown(text: &str) -> String {
    let chars = text.chars();
    let chars = chars.map(|c| if c.is_control() { ' ' } else { c });
    chars.take(SHOWN_CHARS_MAX).collect()
}
