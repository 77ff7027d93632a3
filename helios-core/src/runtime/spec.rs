//! What a container is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha1_smol::Sha1;

/// Everything a runtime needs to make one container; nothing is left for it to decide.
///
/// The name identifies the container within its owner: a runtime never holds two of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// The name, unique within the owner: 1 to 200 of `A-Z a-z 0-9 _ . -`, a letter or digit first.
    pub name: String,
    /// The image reference, as the engine understands it.
    pub image: String,
    /// The command and its arguments; empty for the image's own.
    pub command: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Labels, beside those by which the runtime recognises its own.
    pub labels: BTreeMap<String, String>,
    /// Ports opened on the host.
    pub ports: Vec<PublishedPort>,
    /// What is mounted where.
    pub mounts: Vec<Mount>,
    /// The container's host name.
    pub hostname: Option<String>,
    /// `bridge`, `host`, `container:NAME`, or `None` for the engine's default.
    pub network_mode: Option<String>,
    /// Memory limit in bytes.
    pub memory_bytes: Option<i64>,
    /// Limit of memory and swap together in bytes; -1 for no limit.
    pub memory_swap_bytes: Option<i64>,
    /// Relative weight of the container's share of the processors.
    pub cpu_shares: Option<i64>,
    /// The processors it may use, as `0-2,4`.
    pub cpuset: Option<String>,
    /// Kernel capabilities added.
    pub add_capabilities: BTreeSet<String>,
    /// Kernel capabilities taken away.
    pub drop_capabilities: BTreeSet<String>,
    /// Security options, as `label:disable`.
    pub security_options: Vec<String>,
    /// The low-level runtime, as `runc`.
    pub runtime: Option<String>,
    /// Name servers.
    pub dns: Vec<String>,
    /// More lines for the container's hosts file, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// Where the engine sends what the container writes; `None` for where it sends it anyhow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_driver: Option<LogDriver>,
}

/// Where and how an engine sends what a container writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDriver {
    /// Its name with the engine, as `syslog`.
    pub name: String,
    /// What it is told.
    pub options: BTreeMap<String, String>,
}

/// A port of the container that is open on the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedPort {
    /// The port inside the container.
    pub container_port: u16,
    /// The port on the host; never 0.
    pub host_port: u16,
    /// The host address to bind, or `None` for all.
    pub host_ip: Option<IpAddr>,
    /// `tcp` or `udp`.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// Something mounted into the container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mount {
    /// The absolute path inside the container.
    pub path: String,
    /// What is mounted there.
    pub source: MountSource,
    /// Options of a bind or volume, as `ro`; options of a tmpfs, as `size=64m`.
    pub options: Option<String>,
}

/// What a [`Mount`] mounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MountSource {
    /// An anonymous volume that goes with the container.
    Anonymous,
    /// A path of the host or the name of a volume.
    Bind(String),
    /// Memory.
    Tmpfs,
}

impl ContainerSpec {
    /// A spec of that name and image, and nothing else.
    #[must_use]
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            image: image.into(),
            ..Self::default()
        }
    }

    /// The digest of all that the spec says: equal for equal specs, on every machine.
    #[must_use]
    pub fn digest(&self) -> SpecDigest {
        // All members are maps, lists and texts, which always serialise; were that ever to change, specs
        // would only look alike, and a container would be kept rather than replaced.
        let text = serde_json::to_vec(self).unwrap_or_default();
        SpecDigest(Sha1::from(text).digest().to_string())
    }
}

/// A fingerprint of a [`ContainerSpec`], kept with the container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecDigest(String);

impl SpecDigest {
    /// A digest as it was read back from a container.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to keep with the container.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}
