//! Which version of the protocol two sides speak, and whether they understand each other.
//!
//! The version of the protocol is not the version of this software: deployed clients refuse a master of
//! another major version, and all of them are `0.x`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The header in which a client says its version.
pub const VERSION_HEADER: &str = "helios-version";
/// The header in which a master says its version.
pub const SERVER_VERSION_HEADER: &str = "helios-server-version";
/// The header in which a master says what it thinks of the client's version.
pub const VERSION_STATUS_HEADER: &str = "helios-version-status";

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: ProtocolVersion = ProtocolVersion {
    major: 0,
    minor: 9,
    patch: 0,
    snapshot: false,
};

/// A version of the protocol: `major.minor.patch`, with `-SNAPSHOT` while it is being made.
///
/// ```
/// use helios_api::version::{PROTOCOL_VERSION, ProtocolVersion, VersionStatus};
///
/// let client: ProtocolVersion = "0.8.12-SNAPSHOT".parse()?;
/// assert_eq!(PROTOCOL_VERSION.judge(client), VersionStatus::Compatible);
/// # Ok::<(), helios_api::version::VersionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtocolVersion {
    /// Versions with different ones do not understand each other.
    pub major: u32,
    /// A server with a lower one than its client may lack something.
    pub minor: u32,
    /// Makes no difference to what is understood.
    pub patch: u32,
    /// Whether it is on its way to that version.
    pub snapshot: bool,
}

names! {
    /// What a master thinks of a client's version.
    VersionStatus {
        /// It is its own.
        Equal = "EQUAL",
        /// It understands all that the client may ask.
        Compatible = "COMPATIBLE",
        /// The client is newer, and may ask for what the master does not have.
        Maybe = "MAYBE",
        /// It does not serve the client.
        Incompatible = "INCOMPATIBLE",
        /// The client did not say.
        Missing = "MISSING",
        /// What the client said is no version.
        Invalid = "INVALID",
    }
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not a version: use major.minor.patch or major.minor.patch-SNAPSHOT")]
pub struct VersionError {
    text: String,
}

impl ProtocolVersion {
    /// What a server of this version thinks of a client of that one.
    #[must_use]
    pub fn judge(self, client: Self) -> VersionStatus {
        if client == self {
            VersionStatus::Equal
        } else if client.major != self.major {
            VersionStatus::Incompatible
        } else if client.minor <= self.minor {
            VersionStatus::Compatible
        } else {
            VersionStatus::Maybe
        }
    }

    /// What a server of this version thinks of what a client says of itself.
    #[must_use]
    pub fn judge_text(self, client: Option<&str>) -> VersionStatus {
        match client.map(str::parse) {
            None => VersionStatus::Missing,
            Some(Err(VersionError { .. })) => VersionStatus::Invalid,
            Some(Ok(client)) => self.judge(client),
        }
    }
}

impl FromStr for ProtocolVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let (numbers, snapshot) = match text.strip_suffix("-SNAPSHOT") {
            Some(numbers) => (numbers, true),
            None => (text, false),
        };
        let mut numbers = numbers.split('.').map(number);
        let mut next = || numbers.next().flatten();
        let version = (next(), next(), next(), numbers.next());
        match version {
            (Some(major), Some(minor), Some(patch), None) => Ok(Self {
                major,
                minor,
                patch,
                snapshot,
            }),
            _ => Err(VersionError {
                text: text.to_owned(),
            }),
        }
    }
}

fn number(digits: &str) -> Option<u32> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            patch,
            snapshot,
        } = self;
        let suffix = if *snapshot { "-SNAPSHOT" } else { "" };
        write!(f, "{major}.{minor}.{patch}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        for text in ["0.9.0", "0.9.0-SNAPSHOT", "10.20.30"] {
            assert_eq!(text.parse::<ProtocolVersion>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1.2.3-beta",
            "+1.2.3",
            "1..3",
            "1.2.99999999999",
        ] {
            assert!(text.parse::<ProtocolVersion>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn judges_clients_as_the_original_does() {
        let server: ProtocolVersion = "1.5.2".parse().unwrap();
        for (client, status) in [
            (None, VersionStatus::Missing),
            (Some("nonsense"), VersionStatus::Invalid),
            (Some("1.5.2"), VersionStatus::Equal),
            (Some("1.5.2-SNAPSHOT"), VersionStatus::Compatible),
            (Some("2.0.0"), VersionStatus::Incompatible),
            (Some("0.5.2"), VersionStatus::Incompatible),
            (Some("1.5.9"), VersionStatus::Compatible),
            (Some("1.4.0"), VersionStatus::Compatible),
            (Some("1.6.0"), VersionStatus::Maybe),
        ] {
            assert_eq!(server.judge_text(client), status, "{client:?}");
        }
    }
}
