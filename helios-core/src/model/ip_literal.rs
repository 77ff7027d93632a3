//! An IP address that remembers how it was written.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// An IPv4 or IPv6 address as written.
///
/// The text is kept because it is part of a job's hash: `2001:DB8::1` and `2001:db8::1` are one
/// address, but two job ids.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String")
)]
pub struct IpLiteral {
    text: String,
    address: IpAddr,
}

impl IpLiteral {
    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<A: Into<IpAddr>> From<A> for IpLiteral {
    fn from(address: A) -> Self {
        let address = address.into();
        Self {
            text: address.to_string(),
            address,
        }
    }
}

impl FromStr for IpLiteral {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.parse() {
            Ok(address) => Ok(Self {
                text: text.to_owned(),
                address,
            }),
            Err(_) => Err(ParseError::new(
                "an IP address",
                text,
                "use an IPv4 or IPv6 literal such as 127.0.0.1; names are not looked up",
            )),
        }
    }
}

impl fmt::Display for IpLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for IpLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for IpLiteral {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for IpLiteral {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

optional_member!(IpLiteral);
