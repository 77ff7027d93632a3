//! What container engine a host has.

use serde::Serialize;

/// The version of a host's container engine, as the engine tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DockerVersion {
    /// Version of the engine's API.
    pub api_version: Option<String>,
    /// Processor architecture, such as `amd64`.
    pub arch: Option<String>,
    /// The commit the engine was built from.
    pub git_commit: Option<String>,
    /// The Go version the engine was built with.
    pub go_version: Option<String>,
    /// Version of the host's kernel.
    pub kernel_version: Option<String>,
    /// Operating system, such as `linux`.
    pub os: Option<String>,
    /// Version of the engine.
    pub version: Option<String>,
}

read_members!(DockerVersion {
    "apiVersion" => api_version,
    "arch" => arch,
    "gitCommit" => git_commit,
    "goVersion" => go_version,
    "kernelVersion" => kernel_version,
    "os" => os,
    "version" => version,
});

optional_member!(DockerVersion);
