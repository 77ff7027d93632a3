//! Why a change of a group is not made.

use helios_core::model::{HostName, JobId};
use thiserror::Error;

/// Why something that was asked of a deployment group is not done. Nothing was changed.
///
/// The message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GroupRefused {
    /// No group can be called that.
    #[error(
        "a group cannot be called {name:?}: use 1 to 128 letters, digits, dots, hyphens and underscores"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// There is no such group.
    #[error(
        "there is no deployment group {group}: create it, or look for its name among those there are"
    )]
    GroupNotFound {
        /// The group that was asked for.
        group: String,
    },
    /// The name is taken by a group with other selectors.
    #[error("deployment group {group} exists with other selectors: edit it, or use another name")]
    GroupExists {
        /// The group.
        group: String,
    },
    /// There is no such job.
    #[error("there is no job {job}: create it, or look for its id among the jobs there are")]
    JobNotFound {
        /// The job that was asked for.
        job: JobId,
    },
    /// An option is no use.
    #[error("{fault}")]
    BadOption {
        /// Which, and what would be right.
        fault: String,
    },
    /// Old and new job cannot run beside each other.
    #[error(
        "with overlap, {host} would run both jobs for a while: {conflict}, or roll out without overlap"
    )]
    OverlappingPorts {
        /// The first such host.
        host: HostName,
        /// Which port.
        conflict: String,
    },
    /// There is nothing to pause, resume or take back.
    #[error(
        "deployment group {group} has no rollout {what}: `helios deployment-group-status {group}` shows how it is"
    )]
    NoRollout {
        /// The group.
        group: String,
        /// What would be needed, as `under way`.
        what: &'static str,
    },
    /// There is nothing to go back to.
    #[error("deployment group {group} had no other job before: roll out the one it should have")]
    NothingBefore {
        /// The group.
        group: String,
    },
}
