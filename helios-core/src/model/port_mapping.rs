//! Which port of a container is reachable, and where.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::IpLiteral;
use super::read::{Member, Members};

/// A port of the container, and where on the host it can be reached.
///
/// ```
/// use helios_core::model::PortMapping;
///
/// let http = PortMapping::tcp(8080);                        // the agent picks a free host port
/// let dns = PortMapping::udp(53).on(std::net::Ipv4Addr::LOCALHOST).external(5353);
/// assert_eq!((http.external_port, dns.external_port), (None, Some(5353)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = needs_only_its_own_port))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PortMapping {
    /// The host address to listen on; every address if `None`.
    pub ip: Option<IpLiteral>,
    /// The port inside the container.
    pub internal_port: i32,
    /// The port on the host; the agent picks a free one if `None`.
    pub external_port: Option<i32>,
    /// `tcp` or `udp`. Other texts can be read, and are refused by validation.
    pub protocol: String,
}

/// What is left out of a mapping has its default.
#[cfg(feature = "schema")]
fn needs_only_its_own_port(schema: &mut schemars::Schema) {
    schema.insert(
        "required".to_owned(),
        ["internalPort"].into_iter().collect(),
    );
}

impl PortMapping {
    /// That TCP port, on a host port of the agent's choice.
    #[must_use]
    pub fn tcp(internal_port: u16) -> Self {
        Self {
            internal_port: internal_port.into(),
            ..Self::default()
        }
    }

    /// That UDP port, on a host port of the agent's choice.
    #[must_use]
    pub fn udp(internal_port: u16) -> Self {
        Self {
            protocol: "udp".to_owned(),
            ..Self::tcp(internal_port)
        }
    }

    /// Reachable under that port of the host.
    #[must_use]
    pub fn external(mut self, port: u16) -> Self {
        self.external_port = Some(port.into());
        self
    }

    /// Reachable under that address of the host only.
    #[must_use]
    pub fn on(mut self, ip: impl Into<IpLiteral>) -> Self {
        self.ip = Some(ip.into());
        self
    }

    fn with_internal<E: Error>(port: i64) -> Result<Self, E> {
        let internal_port = i32::try_from(port)
            .map_err(|_| E::custom(format_args!("{port} is no 32-bit integer")))?;
        Ok(Self {
            internal_port,
            ..Self::default()
        })
    }
}

impl Default for PortMapping {
    fn default() -> Self {
        Self {
            ip: None,
            internal_port: 0,
            external_port: None,
            protocol: "tcp".to_owned(),
        }
    }
}

/// The members of the object form; a mapping may also be a bare number.
#[derive(Default)]
struct PortMembers {
    ip: Option<IpLiteral>,
    internal_port: i32,
    external_port: Option<i32>,
    protocol: Option<String>,
}

read_members!(PortMembers {
    "ip" => ip,
    "internalPort" => internal_port,
    "externalPort" => external_port,
    "protocol" => protocol,
});

impl Members for PortMapping {
    const MEMBERS: &'static [&'static str] = PortMembers::MEMBERS;
}

impl From<PortMembers> for PortMapping {
    fn from(members: PortMembers) -> Self {
        Self {
            ip: members.ip,
            internal_port: members.internal_port,
            external_port: members.external_port,
            protocol: members.protocol.unwrap_or_else(|| "tcp".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for PortMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortVisitor;

        impl<'de> Visitor<'de> for PortVisitor {
            type Value = PortMapping;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port mapping or the number of an internal port")
            }

            fn visit_i64<E: Error>(self, port: i64) -> Result<PortMapping, E> {
                PortMapping::with_internal(port)
            }

            fn visit_u64<E: Error>(self, port: u64) -> Result<PortMapping, E> {
                PortMapping::with_internal(i64::try_from(port).unwrap_or(i64::MAX))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PortMapping, A::Error> {
                PortMembers::read_map(PortMembers::default(), map).map(PortMapping::from)
            }
        }

        deserializer.deserialize_any(PortVisitor)
    }
}

impl Member for BTreeMap<String, PortMapping> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<PortMapping, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_a_bare_number_as_the_internal_port() {
        assert_eq!(read("8080").unwrap(), PortMapping::tcp(8080));
        assert_eq!(
            read(r#"{"internalPort":"8080"}"#).unwrap(),
            PortMapping::tcp(8080)
        );
        assert!(read("null").is_err());
        assert!(read("99999999999").unwrap_err().contains("32-bit"));
    }

    #[test]
    fn an_absent_protocol_is_tcp_and_an_empty_one_stays() {
        assert_eq!(read(r#"{"protocol":null}"#).unwrap().protocol, "tcp");
        assert_eq!(read(r#"{"protocol":""}"#).unwrap().protocol, "");
    }

    #[test]
    fn refuses_an_address_that_is_a_name() {
        for ip in [r#""""#, r#""localhost""#, r#""1.2.3""#, r#""999.1.1.1""#] {
            assert!(read(&format!(r#"{{"ip":{ip}}}"#)).is_err(), "{ip}");
        }
        assert_eq!(
            read(r#"{"ip":"::1"}"#).unwrap().ip.unwrap().to_string(),
            "::1"
        );
    }

    #[test]
    fn writes_every_member() {
        assert_eq!(
            serde_json::to_string(&PortMapping::tcp(8080)).unwrap(),
            r#"{"ip":null,"internalPort":8080,"externalPort":null,"protocol":"tcp"}"#
        );
    }
}
