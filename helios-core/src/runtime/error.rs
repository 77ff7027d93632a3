//! What can go wrong with a runtime.

use std::error::Error as StdError;
use std::fmt;

/// What a caller branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RuntimeErrorKind {
    /// No such image, here or in its registry. Trying again soon does not help.
    ImageUnknown,
    /// The registry did not answer. Trying again may help.
    RegistryUnreachable,
    /// The registry refused the credentials, or wants some.
    RegistryDenied,
    /// A container that was made from another spec, or by somebody else, has the name.
    NameInUse,
    /// A port of the spec is taken on this host.
    PortInUse,
    /// The engine refuses the spec; only another spec helps.
    BadSpec,
    /// There is no such container.
    NotFound,
    /// The engine cannot be reached, or went away during the call. The call may still take effect.
    Unavailable,
    /// The engine did not answer in time. The call may still take effect.
    TimedOut,
    /// The engine failed in a way that has no kind of its own.
    Failed,
}

/// A call that a runtime did not fulfil.
///
/// The message names the container or image, what was tried, and what to do about it; the cause, if
/// any, is in [`source`](StdError::source) and not repeated in the message.
#[derive(Debug)]
pub struct RuntimeError {
    kind: RuntimeErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl RuntimeError {
    /// An error of that kind and message.
    #[must_use]
    pub fn new(kind: RuntimeErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// This error, caused by that one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> RuntimeErrorKind {
        self.kind
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for RuntimeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
