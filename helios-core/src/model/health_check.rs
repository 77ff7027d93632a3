//! How an agent finds out whether a job is well.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::ParseError;
use super::read::Members;

/// How an agent finds out whether a container is ready, before it reports the job as running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "type", rename_all = "lowercase")
)]
pub enum HealthCheck {
    /// A GET request that has to be answered with success.
    Http {
        /// The path to request.
        path: Option<String>,
        /// The *name* of the port in the job.
        port: Option<String>,
    },
    /// A TCP connection that has to be accepted.
    Tcp {
        /// The *name* of the port in the job.
        port: Option<String>,
    },
    /// A command that has to end with code 0 inside the container.
    Exec {
        /// The command and its arguments.
        command: Vec<String>,
    },
}

impl HealthCheck {
    /// A GET of `path` on the port of that name.
    #[must_use]
    pub fn http(port: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Http {
            path: Some(path.into()),
            port: Some(port.into()),
        }
    }

    /// A connection to the port of that name.
    #[must_use]
    pub fn tcp(port: impl Into<String>) -> Self {
        Self::Tcp {
            port: Some(port.into()),
        }
    }

    /// That command inside the container.
    #[must_use]
    pub fn exec<T: Into<String>>(command: impl IntoIterator<Item = T>) -> Self {
        Self::Exec {
            command: command.into_iter().map(Into::into).collect(),
        }
    }

    /// The name of the kind of check, as written in JSON.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Http { .. } => "http",
            Self::Tcp { .. } => "tcp",
            Self::Exec { .. } => "exec",
        }
    }
}

impl Members for HealthCheck {
    const MEMBERS: &'static [&'static str] = CheckMembers::MEMBERS;
}

impl Serialize for HealthCheck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("HealthCheck", 3)?;
        members.serialize_field("type", self.kind())?;
        match self {
            Self::Http { path, port } => {
                members.serialize_field("path", path)?;
                members.serialize_field("port", port)?;
            }
            Self::Tcp { port } => members.serialize_field("port", port)?,
            Self::Exec { command } => members.serialize_field("command", command)?,
        }
        members.end()
    }
}

/// The members of all kinds. Helios clients write `type` twice, which no derive accepts.
#[derive(Default)]
struct CheckMembers {
    kind: Option<String>,
    path: Option<String>,
    port: Option<String>,
    command: Vec<String>,
}

read_members!(CheckMembers {
    "type" => kind,
    "path" => path,
    "port" => port,
    "command" => command,
});

impl TryFrom<CheckMembers> for HealthCheck {
    type Error = ParseError;

    fn try_from(members: CheckMembers) -> Result<Self, ParseError> {
        let CheckMembers {
            kind,
            path,
            port,
            command,
        } = members;
        match kind.as_deref() {
            Some("http") => Ok(Self::Http { path, port }),
            Some("tcp") => Ok(Self::Tcp { port }),
            Some("exec") => Ok(Self::Exec { command }),
            other => Err(ParseError::new(
                "a type of health check",
                other.unwrap_or_default(),
                "use http, tcp or exec",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for HealthCheck {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CheckMembers::deserialize(deserializer)?
            .try_into()
            .map_err(serde::de::Error::custom)
    }
}

optional_member!(HealthCheck);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_type_written_twice_and_writes_it_once() {
        for (given, written) in [
            (
                r#"{"type":"http","path":"/x","port":"p","type":"http"}"#,
                r#"{"type":"http","path":"/x","port":"p"}"#,
            ),
            (
                r#"{"port":"a","type":"tcp"}"#,
                r#"{"type":"tcp","port":"a"}"#,
            ),
            (
                r#"{"type":"exec","command":["a","b"],"type":"exec"}"#,
                r#"{"type":"exec","command":["a","b"]}"#,
            ),
        ] {
            let check: HealthCheck = serde_json::from_str(given).unwrap();
            assert_eq!(serde_json::to_string(&check).unwrap(), written);
        }
    }

    #[test]
    fn refuses_an_unknown_or_missing_type() {
        for json in [r#"{"type":"grpc"}"#, r#"{"port":"p"}"#, "[]"] {
            assert!(serde_json::from_str::<HealthCheck>(json).is_err(), "{json}");
        }
    }
}
