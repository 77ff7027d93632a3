//! What the options of the original cannot say.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use helios_core::model::ResolvedRolloutOptions;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Share;

/// A number of hosts, or a part of the group's: `3` or `10%`.
///
/// ```
/// use helios_rollout::rolling::Hosts;
///
/// let some: Hosts = "10%".parse()?;
/// assert_eq!(some.of(1_000), 100);
/// assert_eq!("3".parse::<Hosts>()?.of(1_000), 3);
/// # Ok::<(), helios_rollout::rolling::HostsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub enum Hosts {
    /// So many.
    Count(u32),
    /// That part, rounded down.
    Share(Share),
}

impl Hosts {
    /// How many that is in a group of `size`.
    #[must_use]
    pub fn of(self, size: u64) -> u64 {
        match self {
            Self::Count(count) => count.into(),
            Self::Share(share) => share.of_floor(size),
        }
    }

    fn is_zero(self) -> bool {
        matches!(self, Self::Count(0) | Self::Share(Share::ZERO))
    }
}

/// A text that is not a number of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot read {text:?} as a number of hosts: write a count such as 3, or a share such as 10%"
)]
pub struct HostsError {
    text: String,
}

impl FromStr for Hosts {
    type Err = HostsError;

    fn from_str(text: &str) -> Result<Self, HostsError> {
        let count = text.trim().parse().map(Self::Count).ok();
        let hosts = count.or_else(|| text.parse().map(Self::Share).ok());
        hosts.ok_or_else(|| HostsError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{share}"),
        }
    }
}

impl TryFrom<String> for Hosts {
    type Error = HostsError;

    fn try_from(text: String) -> Result<Self, HostsError> {
        text.parse()
    }
}

impl From<Hosts> for String {
    fn from(hosts: Hosts) -> Self {
        hosts.to_string()
    }
}

/// What becomes of a member whose agent is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WhenDown {
    /// The rollout ends without it, says so, and brings it up to date as soon as it is back.
    #[default]
    Skip,
    /// The rollout waits for it once everything else is done, as long as for a host that starts; then it
    /// has failed.
    Wait,
    /// It has failed when its turn comes.
    Fail,
}

/// However many failures are tolerated, these are: more do not fit the entry of a group.
const FAILURES_MAX: u64 = 4_000;

/// What the options of the original cannot say about a rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "RolloutPolicy")
)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Policy {
    /// How many hosts are in flight at a time, in place of the option of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<Hosts>,
    /// At least so many, where that is a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// At most so many, where that is a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// A label whose values are zones: the parallelism counts in each zone by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// How many hosts may fail before the rollout is given up. None, unless failures are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Hosts>,
    /// How long a job must have been healthy before its host is done, in seconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub healthy_seconds: u32,
    /// What becomes of members that are down.
    #[serde(skip_serializing_if = "is_default")]
    pub when_down: WhenDown,
    /// Pause once so many hosts have been started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<u32>,
    /// When the rollout is given up, go back to the job that was settled before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(seconds: &u32) -> bool {
    *seconds == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_default(when_down: &WhenDown) -> bool {
    *when_down == WhenDown::default()
}

impl Policy {
    /// Whether it says nothing that the options do not say.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many hosts of a zone may be in flight, at least one. `zone` is the number of its members.
    #[must_use]
    pub fn width(&self, options: &ResolvedRolloutOptions, zone: u64) -> u64 {
        let Some(parallelism) = self.parallelism else {
            return u64::try_from(options.parallelism).unwrap_or(1).max(1);
        };
        let floor = self.at_least.map_or(1, u64::from);
        let ceiling = self.at_most.map_or(u64::MAX, u64::from);
        parallelism.of(zone).max(floor).min(ceiling).max(1)
    }

    /// How many of `size` hosts may fail before the rollout is given up.
    #[must_use]
    pub fn tolerance(&self, options: &ResolvedRolloutOptions, size: u64) -> u64 {
        let failures = self.failures.map_or(0, |failures| failures.of(size));
        let tolerated = if options.ignore_failures {
            u64::MAX
        } else {
            failures
        };
        tolerated.min(FAILURES_MAX)
    }

    /// How long a job must have been healthy before its host is done.
    #[must_use]
    pub fn healthy_for(&self) -> Duration {
        Duration::from_secs(self.healthy_seconds.into())
    }

    /// What is wrong with it, if anything is: which option, and what would be right.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.parallelism.is_some_and(Hosts::is_zero) {
            return Some("a parallelism of 0 starts no host: use 1 or more, or a share above 0%");
        }
        if self.at_least == Some(0) || self.at_most == Some(0) {
            return Some("the bounds of the parallelism begin at 1: leave out the one that is 0");
        }
        if matches!((self.at_least, self.at_most), (Some(least), Some(most)) if least > most) {
            return Some("the parallelism has a floor above its ceiling: swap them");
        }
        if self.stop_after == Some(0) {
            return Some("to stop after 0 hosts is not to start: use 1 or more");
        }
        if self.per.as_ref().is_some_and(String::is_empty) {
            return Some("the zones have a label without a name: name it, or leave it out");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(parallelism: &str, at_least: Option<u32>, at_most: Option<u32>, zone: u64) -> u64 {
        let policy = Policy {
            parallelism: Some(parallelism.parse().unwrap()),
            at_least,
            at_most,
            ..Policy::default()
        };
        policy.width(&ResolvedRolloutOptions::default(), zone)
    }

    #[test]
    fn a_share_is_rounded_down_and_held_between_floor_and_ceiling() {
        assert_eq!(width("30%", None, None, 10), 3);
        assert_eq!(width("30%", None, None, 3), 1, "never none");
        assert_eq!(width("10%", Some(2), None, 10), 2);
        assert_eq!(width("50%", Some(2), Some(4), 100), 4);
        assert_eq!(width("100%", None, None, 7), 7);
        assert_eq!(width("20", None, None, 7), 20, "more than there are is all");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fault = |json: &str| serde_json::from_str::<Policy>(json).map(|policy| policy.fault());
        for json in [
            r#"{"parallelism":"0%"}"#,
            r#"{"parallelism":"0"}"#,
            r#"{"atLeast":0}"#,
            r#"{"atLeast":3,"atMost":2}"#,
            r#"{"stopAfter":0}"#,
            r#"{"per":""}"#,
        ] {
            assert!(fault(json).unwrap().is_some(), "{json}");
        }
        for json in [r#"{"parallelism":"101%"}"#, r#"{"paralelism":"1"}"#] {
            assert!(fault(json).is_err(), "{json}");
        }
        let good = r#"{"parallelism":"10%","failures":"2","whenDown":"WAIT","rollback":true}"#;
        assert_eq!(fault(good).unwrap(), None);
        let policy: Policy = serde_json::from_str(good).unwrap();
        assert_eq!(serde_json::to_string(&policy).unwrap(), good);
    }
}
