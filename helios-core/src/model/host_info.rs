//! What machine a host is.

use serde::Serialize;

use super::DockerVersion;
use crate::time::Timestamp;

/// The machine an agent runs on, as the agent sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HostInfo {
    /// Its own name.
    pub hostname: Option<String>,
    /// The output of `uname -a`.
    pub uname: Option<String>,
    /// Processor architecture.
    pub architecture: Option<String>,
    /// Name of the operating system.
    pub os_name: Option<String>,
    /// Version of the operating system.
    pub os_version: Option<String>,
    /// Number of processors.
    pub cpus: i32,
    /// Load average over the last minute.
    pub load_avg: f64,
    /// Memory, in bytes.
    pub memory_total_bytes: i64,
    /// Memory that nothing uses, in bytes.
    pub memory_free_bytes: i64,
    /// Swap space, in bytes.
    pub swap_total_bytes: i64,
    /// Swap space that nothing uses, in bytes.
    pub swap_free_bytes: i64,
    /// The container engine, if the agent reached it.
    pub docker_version: Option<DockerVersion>,
    /// Where the container engine listens: `unix://...` or `tcp://host:port`.
    pub docker_host: Option<String>,
    /// Where the agent has the engine's certificates.
    pub docker_cert_path: Option<String>,
    /// Which boot of the machine this is: another id after every reboot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// When the machine booted, by its own wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
    /// Whether the operating system asks for a reboot, as after an update of its kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reboot_required: Option<bool>,
}

read_members!(HostInfo {
    "hostname" => hostname,
    "uname" => uname,
    "architecture" => architecture,
    "osName" => os_name,
    "osVersion" => os_version,
    "cpus" => cpus,
    "loadAvg" => load_avg,
    "memoryTotalBytes" => memory_total_bytes,
    "memoryFreeBytes" => memory_free_bytes,
    "swapTotalBytes" => swap_total_bytes,
    "swapFreeBytes" => swap_free_bytes,
    "dockerVersion" => docker_version,
    "dockerHost" => docker_host,
    "dockerCertPath" => docker_cert_path,
    "bootId" => boot_id,
    "upSince" => up_since,
    "rebootRequired" => reboot_required,
});

optional_member!(HostInfo);
