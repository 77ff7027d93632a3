//! The answer to a question about versions.

use serde::{Deserialize, Serialize};

use crate::version::{ProtocolVersion, VersionStatus};

/// The answer to `GET /version/check`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VersionCheckResponse {
    /// Whether client and master understand each other.
    pub status: VersionStatus,
    /// The version that a client should have.
    pub recommended_version: String,
    /// The version of the protocol that the master speaks.
    pub server_version: ServerVersion,
}

/// A version of the protocol, member by member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ServerVersion {
    /// Whether it is on its way to that version.
    pub snapshot: bool,
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl From<ProtocolVersion> for ServerVersion {
    fn from(version: ProtocolVersion) -> Self {
        Self {
            snapshot: version.snapshot,
            major: version.major,
            minor: version.minor,
            patch: version.patch,
        }
    }
}
