//! How a command can end.

use std::error::Error as StdError;
use std::fmt;

use helios_api::ClientError;
use helios_api::client::ClientErrorKind;

/// How a command ended that could tell for itself what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// As wanted.
    Done,
    /// Not as wanted, and that has been said.
    NotDone,
}

impl Outcome {
    /// Done only if both are.
    pub fn and(self, other: Self) -> Self {
        if self == Self::Done { other } else { self }
    }
}

/// Why a command cannot go on: what is wrong, what caused it, and what to do next.
#[derive(Debug)]
pub struct Failure {
    message: String,
    advice: Option<String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// A failure; `message` says what is wrong with what.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            advice: None,
            cause: None,
        }
    }

    /// What somebody says who puts what to do next after the last colon.
    #[must_use]
    pub fn of(said: impl fmt::Display) -> Self {
        let said = said.to_string();
        match last_colon(&said) {
            Some((what, next)) => Self::new(what).advise(next),
            None => Self::new(said),
        }
    }

    /// This failure, with what to do next.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    /// This failure, caused by that error.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..self
        }
    }

    /// What to do next, if there is something to say.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        // A master says it better than what carries its words: what is wrong, and what to do next.
        if let Some(said) = error.said().filter(|said| said.contains(": ")) {
            return Self::of(said);
        }
        Self {
            message: error.to_string(),
            advice: advice(error.kind()).map(str::to_owned),
            cause: error.source().map(|cause| chain(cause).into()),
        }
    }
}

/// What to do about an error of that kind, where the message does not say so.
fn advice(kind: ClientErrorKind) -> Option<&'static str> {
    match kind {
        ClientErrorKind::BadEndpoint => {
            Some("name a master as in -z http://127.0.0.1:5801, or a profile with --profile")
        }
        ClientErrorKind::Denied => Some(
            "an admin creates tokens with `helios token create`; give one with --access-token or HELIOS_TOKEN",
        ),
        ClientErrorKind::OutcomeUnknown | ClientErrorKind::MasterFailed => {
            Some("`helios status` shows what became of it")
        }
        ClientErrorKind::BadReply => Some("`helios version` shows who answers there"),
        _ => None,
    }
}

/// What stands before and behind the last colon that is part of no quotation.
fn last_colon(said: &str) -> Option<(&str, &str)> {
    let is_quoted = |before: &str| {
        ['`', '"']
            .iter()
            .any(|mark| before.matches(*mark).count() % 2 == 1)
    };
    let mut colons = said.rmatch_indices(": ").map(|(at, _)| said.split_at(at));
    let (what, rest) = colons.find(|(what, _)| !is_quoted(what))?;
    Some((what, rest.trim_start_matches(": ")))
}

/// The message with all its causes, in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " ({})", chain(cause.as_ref())),
            None => Ok(()),
        }
    }
}

/// What an error says, and what its causes say, unless one repeats another.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_next_stands_behind_the_last_colon_that_is_not_quoted() {
        for (said, what, next) in [
            ("a is b: do c", "a is b", Some("do c")),
            ("a: is b: do c", "a: is b", Some("do c")),
            ("a is b: say `x: y`", "a is b", Some("say `x: y`")),
            ("no job \"a: b\"", "no job \"a: b\"", None),
        ] {
            let failure = Failure::of(said);
            assert_eq!(
                (failure.to_string().as_str(), failure.advice()),
                (what, next)
            );
        }
    }
}
