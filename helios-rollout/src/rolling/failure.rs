//! Why a host failed.

use std::fmt;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest reason that is stored, in bytes: an engine's own words can be long.
const REASON_BYTES_MAX: usize = 300;

/// Why a host failed in a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In a word.
    pub code: FailureCode,
    /// For people.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why a host failed, in a word that programs know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum FailureCode {
    /// The job did not get healthy in time.
    TimedOutWaitingForJobToReachRunning,
    /// It did not, because its image does not exist.
    ImageMissing,
    /// It did not, because its image could not be fetched.
    ImagePullFailed,
    /// The agent never said anything about the job.
    TimedOutRetrievingJobStatus,
    /// An old job did not go away in time.
    TimedOutWaitingForJobToUndeploy,
    /// Somebody undeployed the job in the middle.
    JobUnexpectedlyUndeployed,
    /// Somebody else, or another group, has deployed the job there.
    JobAlreadyDeployed,
    /// Somebody else's job has one of its ports.
    PortConflict,
    /// The token of the rollout is not that of a job.
    TokenVerificationError,
    /// The agent of the host is not there.
    HostDown,
}

impl FailureCode {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimedOutWaitingForJobToReachRunning => {
                "TIMED_OUT_WAITING_FOR_JOB_TO_REACH_RUNNING"
            }
            Self::ImageMissing => "IMAGE_MISSING",
            Self::ImagePullFailed => "IMAGE_PULL_FAILED",
            Self::TimedOutRetrievingJobStatus => "TIMED_OUT_RETRIEVING_JOB_STATUS",
            Self::TimedOutWaitingForJobToUndeploy => "TIMED_OUT_WAITING_FOR_JOB_TO_UNDEPLOY",
            Self::JobUnexpectedlyUndeployed => "JOB_UNEXPECTEDLY_UNDEPLOYED",
            Self::JobAlreadyDeployed => "JOB_ALREADY_DEPLOYED",
            Self::PortConflict => "PORT_CONFLICT",
            Self::TokenVerificationError => "TOKEN_VERIFICATION_ERROR",
            Self::HostDown => "HOST_DOWN",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason, not longer than it may be.
pub(super) fn shortened(reason: &str) -> String {
    if reason.len() <= REASON_BYTES_MAX {
        return reason.to_owned();
    }
    let end = (0..=REASON_BYTES_MAX)
        .rev()
        .find(|end| reason.is_char_boundary(*end));
    let kept = reason.get(..end.unwrap_or(0)).unwrap_or_default();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let long = "é".repeat(REASON_BYTES_MAX);
        let short = shortened(&long);
        assert_eq!(short, format!("{}...", "é".repeat(REASON_BYTES_MAX / 2)));
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn the_word_is_what_is_stored() {
        let code = FailureCode::TimedOutWaitingForJobToReachRunning;
        let stored = serde_json::to_string(&code).unwrap();
        assert_eq!(stored, format!("\"{code}\""));
    }
}
