//! What has been seen of an objective, and what has not.

use std::fmt;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Counts, Evidence};

/// Why there is no evidence. It is never taken for evidence of anything.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("there is no evidence: {why}")]
#[serde(deny_unknown_fields)]
pub struct NoEvidence {
    /// What is the matter.
    pub kind: Missing,
    /// The same in words, with names.
    pub why: String,
}

/// What is the matter with a source of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// It does not answer.
    Unreachable,
    /// It refuses the question.
    Refused,
    /// It answers with what is no count, as `NaN`.
    NoCount,
    /// It counted nothing, or nothing on any host that is known.
    NobodyKnown,
    /// This master has nobody to ask that.
    NobodyToAsk,
}

impl NoEvidence {
    /// That is the matter, in these words.
    pub fn new(kind: Missing, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { kind, why }
    }
}

/// What has been seen of an objective since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// What was counted with the new value, in all looks.
    pub new: Counts,
    /// What was counted with the old value.
    pub old: Counts,
    /// The last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Glance>,
    /// Since that look there has been no evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
}

/// One look, all strata together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Glance {
    /// When.
    pub at: Timestamp,
    /// What was counted with the new value since the look before.
    pub new: Counts,
    /// What was counted with the old value.
    pub old: Counts,
}

/// That there is no evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Since when that has been noted.
    pub since: Timestamp,
    /// Why.
    pub because: NoEvidence,
}

/// Why it is not known whether the new value does harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// Nobody has looked yet.
    NotLooked,
    /// There is no evidence, and has been none since then.
    NoEvidence(Silence),
    /// Nothing has gone wrong anywhere, which tells nothing about a difference.
    NothingHappened,
    /// What has gone wrong so far can be chance.
    TooLittle,
}

impl Sight {
    pub(super) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn look(&mut self, evidence: &Evidence) {
        let last = self.last.filter(|last| last.at == evidence.at);
        let mut last = last.unwrap_or(Glance {
            at: evidence.at,
            new: Counts::default(),
            old: Counts::default(),
        });
        for (sum, counts) in [
            (&mut self.new, evidence.new),
            (&mut self.old, evidence.old),
            (&mut last.new, evidence.new),
            (&mut last.old, evidence.old),
        ] {
            sum.add(counts);
        }
        (self.last, self.silence) = (Some(last), None);
    }

    pub(super) fn miss(&mut self, at: Timestamp, because: NoEvidence) {
        let since = self.silence.as_ref().map_or(at, |silence| silence.since);
        self.silence = Some(Silence { since, because });
    }

    /// Why it is not known yet whether there is harm, if it is not.
    #[must_use]
    pub fn doubt(&self) -> Doubt {
        match (&self.silence, &self.last) {
            (Some(silence), _) => Doubt::NoEvidence(silence.clone()),
            (None, None) => Doubt::NotLooked,
            (None, Some(_)) if self.new.events + self.old.events == 0 => Doubt::NothingHappened,
            (None, Some(_)) => Doubt::TooLittle,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLooked => f.write_str("nobody has looked yet"),
            Self::NoEvidence(Silence { because, .. }) => because.fmt(f),
            Self::NothingHappened => {
                f.write_str("nothing has gone wrong anywhere, which tells nothing")
            }
            Self::TooLittle => f.write_str("what has gone wrong so far can be chance"),
        }
    }
}
