//! Under which names a job's ports can be discovered.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;
use super::read::Member;

/// The protocol of an endpoint that names none.
const DEFAULT_PROTOCOL: &str = "http";

/// A name under which a service can be discovered, written `name/protocol`.
///
/// Without a `/` the protocol is `http`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String")
)]
pub struct ServiceEndpoint {
    name: String,
    protocol: String,
}

impl ServiceEndpoint {
    /// The endpoint with that name and protocol.
    ///
    /// # Errors
    /// When one of the two contains a `/`.
    pub fn new(name: &str, protocol: &str) -> Result<Self, ParseError> {
        format!("{name}/{protocol}").parse()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The protocol; may be empty.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }
}

impl FromStr for ServiceEndpoint {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (name, protocol) = text.split_once('/').unwrap_or((text, DEFAULT_PROTOCOL));
        if protocol.contains('/') {
            return Err(ParseError::new(
                "a service endpoint",
                text,
                "use name or name/protocol",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            protocol: protocol.to_owned(),
        })
    }
}

impl fmt::Display for ServiceEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.protocol)
    }
}

impl Serialize for ServiceEndpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServiceEndpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Which ports an endpoint stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ServicePorts {
    /// The parameters of each port, by the port's name. `None` for all when the document had no such
    /// member, which validation refuses; `None` for one when it had null there, which means no
    /// parameters, and still is another content than `{}`.
    pub ports: Option<BTreeMap<String, Option<ServicePortParameters>>>,
}

impl ServicePorts {
    /// An endpoint of one port without tags.
    #[must_use]
    pub fn of(port: impl Into<String>) -> Self {
        Self::default().and(port, ServicePortParameters::default())
    }

    /// These ports and that one.
    #[must_use]
    pub fn and(mut self, port: impl Into<String>, parameters: ServicePortParameters) -> Self {
        self.ports
            .get_or_insert_default()
            .insert(port.into(), Some(parameters));
        self
    }
}

read_members!(ServicePorts {
    "ports" => ports,
});

/// How one port of an endpoint is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ServicePortParameters {
    /// Tags for the service registry. An empty list and no list are different jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

impl ServicePortParameters {
    /// Parameters with those tags.
    #[must_use]
    pub fn tagged<T: Into<String>>(tags: impl IntoIterator<Item = T>) -> Self {
        Self {
            tags: Some(tags.into_iter().map(Into::into).collect()),
        }
    }
}

read_members!(ServicePortParameters {
    "tags" => tags,
});

impl Member for Option<BTreeMap<String, Option<ServicePortParameters>>> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer)
    }
}

impl Member for BTreeMap<ServiceEndpoint, ServicePorts> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_protocol_is_http_and_an_empty_one_stays_empty() {
        for (text, written) in [
            ("web", "web/http"),
            ("web/", "web/"),
            ("web/tcp", "web/tcp"),
        ] {
            assert_eq!(
                text.parse::<ServiceEndpoint>().unwrap().to_string(),
                written
            );
        }
        assert!("a/b/c".parse::<ServiceEndpoint>().is_err());
    }

    #[test]
    fn of_endpoints_that_become_equal_the_later_wins() {
        let json = r#"{"web":{"ports":{"a":{}}},"web/http":{"ports":{"b":{}}}}"#;
        let read: BTreeMap<ServiceEndpoint, ServicePorts> = serde_json::from_str(json).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, r#"{"web/http":{"ports":{"b":{}}}}"#);
    }

    #[test]
    fn empty_tags_are_kept_and_absent_ones_are_not_written() {
        for json in [r#"{"tags":[]}"#, "{}"] {
            let read: ServicePortParameters = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
    }
}
