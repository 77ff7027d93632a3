//! Answers to creating and removing a job.

use serde::{Deserialize, Serialize};

use super::null_as_default;

names! {
    /// What became of the creation of a job.
    CreateStatus {
        /// Created.
        Ok = "OK",
        /// Never sent: a wrong hash is an invalid definition. Deployed clients know it.
        IdMismatch = "ID_MISMATCH",
        /// A job of that name and version exists, with whatever hash.
        JobAlreadyExists = "JOB_ALREADY_EXISTS",
        /// The job breaks rules; the errors say which.
        InvalidJobDefinition = "INVALID_JOB_DEFINITION",
        /// No job matches. Made by clients only.
        UnknownJob = "UNKNOWN_JOB",
        /// More than one job matches. Made by clients only.
        AmbiguousJobReference = "AMBIGUOUS_JOB_REFERENCE",
    }
}

names! {
    /// What became of the removal of a job.
    DeleteStatus {
        /// Removed, and its history with it.
        Ok = "OK",
        /// It is deployed somewhere.
        StillInUse = "STILL_IN_USE",
        /// There is no such job.
        JobNotFound = "JOB_NOT_FOUND",
        /// The job's token is another one.
        Forbidden = "FORBIDDEN",
    }
}

/// The answer to `POST /jobs`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct CreateJobResponse {
    /// What became of it.
    pub status: CreateStatus,
    /// Every rule that the job breaks.
    #[serde(default, deserialize_with = "null_as_default")]
    pub errors: Vec<String>,
    /// The id of the new job, as far as it could be computed.
    pub id: Option<String>,
}

/// The answer to `DELETE /jobs/{job}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct JobDeleteResponse {
    /// What became of it.
    pub status: DeleteStatus,
}
