//! What an error of the client means to us.

use std::sync::Arc;

use helios_core::store::{StoreError, StoreErrorKind};
use zookeeper_client::Error;

/// What an error says about the request that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The node is not there.
    Missing,
    /// The node is there already.
    Present,
    /// The node has another version.
    OtherVersion,
    /// The node has children.
    HasChildren,
    /// The parent is ephemeral and can have no children.
    UnderEphemeral,
    /// Our credentials do not allow it.
    Denied,
    /// A quota on the servers is used up.
    OverQuota,
    /// A server declined for another reason, and did nothing.
    Declined,
    /// No answer: the request may have been carried out.
    Unknown,
}

/// Judges an error. What is not surely an answer of a server is `Unknown`: the client reports one
/// and the same lost connection in several ways, also as the end of the session.
pub(super) fn meaning(error: &Error) -> Meaning {
    match error {
        Error::NoNode => Meaning::Missing,
        Error::NodeExists => Meaning::Present,
        Error::BadVersion => Meaning::OtherVersion,
        Error::NotEmpty => Meaning::HasChildren,
        Error::NoChildrenForEphemerals => Meaning::UnderEphemeral,
        Error::NoAuth => Meaning::Denied,
        Error::QuotaExceeded => Meaning::OverQuota,
        Error::Throttled | Error::NotReadOnly => Meaning::Declined,
        Error::InvalidAcl | Error::Unimplemented | Error::BadArguments(_) => Meaning::Declined,
        _ => Meaning::Unknown,
    }
}

/// Trouble that can be told to several callers.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    kind: StoreErrorKind,
    message: Arc<str>,
    cause: Option<Error>,
}

impl Fault {
    pub(super) fn new(kind: StoreErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
        }
    }

    pub(super) fn unavailable(message: impl Into<Arc<str>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    pub(super) fn caused_by(mut self, cause: Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The fault of a read that met this error. A read never leaves anything behind, so that no answer
    /// is no more than being unavailable.
    pub(super) fn of_read(what: &str, error: Error) -> Self {
        let kind = match meaning(&error) {
            Meaning::Denied => StoreErrorKind::Denied,
            _ => StoreErrorKind::Unavailable,
        };
        Self::new(kind, what).caused_by(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let error = Self::new(fault.kind, &*fault.message);
        match fault.cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_of_a_lost_connection_is_unknown() {
        for error in [
            Error::ConnectionLoss,
            Error::Timeout,
            Error::SessionExpired,
            Error::SessionMoved,
            Error::ClientClosed,
            Error::AuthFailed,
            Error::UnexpectedError("BUG: expect response".to_owned()),
        ] {
            assert_eq!(meaning(&error), Meaning::Unknown, "{error}");
        }
    }

    #[test]
    fn the_cause_is_the_source_and_not_in_the_message() {
        let error = StoreError::from(Fault::of_read("hosts/a", Error::NoAuth));
        assert_eq!(error.kind(), StoreErrorKind::Denied);
        assert!(!error.to_string().contains("not authorized"));
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "not authorized");
    }
}
