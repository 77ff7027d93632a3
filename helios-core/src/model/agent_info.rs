//! What process an agent is.

use serde::Serialize;

/// The process an agent runs in. The members named after a virtual machine are those of the
/// original's runtime; ours may name its own, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AgentInfo {
    /// Process id and host, `pid@host`.
    pub name: Option<String>,
    /// Name of the language runtime.
    pub vm_name: Option<String>,
    /// Who made the language runtime.
    pub vm_vendor: Option<String>,
    /// Version of the language runtime.
    pub vm_version: Option<String>,
    /// Name of the runtime's specification.
    pub spec_name: Option<String>,
    /// Who wrote the runtime's specification.
    pub spec_vendor: Option<String>,
    /// Version of the runtime's specification.
    pub spec_version: Option<String>,
    /// The arguments the process was started with.
    pub input_arguments: Vec<String>,
    /// How long the process runs, in milliseconds.
    pub uptime: i64,
    /// When the process started, in milliseconds since 1970.
    pub start_time: i64,
    /// Version of the agent.
    pub version: Option<String>,
}

read_members!(AgentInfo {
    "name" => name,
    "vmName" => vm_name,
    "vmVendor" => vm_vendor,
    "vmVersion" => vm_version,
    "specName" => spec_name,
    "specVendor" => spec_vendor,
    "specVersion" => spec_version,
    "inputArguments" => input_arguments,
    "uptime" => uptime,
    "startTime" => start_time,
    "version" => version,
});

optional_member!(AgentInfo);
