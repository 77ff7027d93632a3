//! What can go wrong with a request to a master.

use std::error::Error as StdError;
use std::fmt;

/// What a caller branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// No master was named, or not in a way that can be asked. Only another address helps.
    BadEndpoint,
    /// No master could be reached in time. Nothing happened. Trying again later may help.
    Unreachable,
    /// A master may have got the request, but its answer did not arrive. A change may have happened;
    /// only a look at the state decides.
    OutcomeUnknown,
    /// The masters are busy, or not ready. Nothing happened. Trying again later may help.
    Busy,
    /// The master does not let this client do that.
    Denied,
    /// The master does not speak this client's version of the protocol.
    WrongVersion,
    /// The master found fault with the request, or does not know such a request.
    Refused,
    /// The master failed. A change may have happened.
    MasterFailed,
    /// The answer cannot be understood. What sent it may be no master.
    BadReply,
}

/// A request that was not answered.
///
/// The message says what was asked of whom and what to do next; the cause, if any, is in
/// [`source`](StdError::source) and not repeated in the message.
#[derive(Debug)]
pub struct ClientError {
    kind: ClientErrorKind,
    message: String,
    said: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ClientError {
    pub(super) fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            said: None,
            source: None,
        }
    }

    pub(super) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(super) fn said_by_master(self, said: Option<String>) -> Self {
        Self { said, ..self }
    }

    /// What the master itself said, if it said why: what is wrong and, after a colon, what to do next.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ClientError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
