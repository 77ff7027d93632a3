//! Answers to registering and deregistering a host.

use serde::{Deserialize, Serialize};

names! {
    /// What became of a deregistration.
    DeregisterStatus {
        /// Deregistered, and all its deployments with it.
        Ok = "OK",
        /// No such host is registered.
        NotFound = "NOT_FOUND",
        /// Never sent; deployed clients know it.
        JobsStillDeployed = "JOBS_STILL_DEPLOYED",
    }
}

names! {
    /// What became of a registration.
    RegisterStatus {
        /// Registered. Never sent in this form: success is the bare text `"OK"`.
        Ok = "OK",
        /// The agent id is missing, or the host's name is none.
        InvalidId = "INVALID_ID",
    }
}

/// The answer to `DELETE /hosts/{host}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostDeregisterResponse {
    /// What became of it.
    pub status: DeregisterStatus,
    /// The host as the request named it.
    pub host: String,
}

/// The answer to a `PUT /hosts/{host}` that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostRegisterResponse {
    /// What became of it.
    pub status: RegisterStatus,
    /// The host as the request named it.
    pub host: String,
}
