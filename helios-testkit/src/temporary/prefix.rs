//! By what the things of one test are known, also to those who find them later.

use std::fmt;
use std::time::Duration;

use helios_core::Timestamp;

/// What the names of all prefixes begin with.
const BEGIN: &str = "tmp-";

/// How long the things of a test are left alone when nobody can say whether it still runs.
pub(super) const UNKNOWN_KEPT_FOR: Duration = Duration::from_secs(2 * 60 * 60);

/// The prefix of one [`TemporaryJobs`](super::TemporaryJobs): when it began, and what tells it from all others.
/// Its text is at once the owner of its containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    began_seconds: u64,
    nonce: u64,
}

/// What the marker of a prefix tells about the process it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// It lives: it holds the marker.
    Lives,
    /// It is gone: the marker is there, and nobody holds it.
    Gone,
    /// It has no marker here: it runs on another machine, or its marker was cleaned away.
    Unknown,
}

impl Prefix {
    pub(super) fn new(began: Timestamp, nonce: u64) -> Self {
        Self {
            began_seconds: u64::try_from(began.as_millis() / 1000).unwrap_or_default(),
            nonce,
        }
    }

    /// The prefix that a name begins with, if it begins with one.
    pub(super) fn of(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(BEGIN)?;
        let (seconds, rest) = rest.split_at_checked(8)?;
        let nonce = rest.strip_prefix('-')?.get(..16)?;
        let prefix = Self {
            began_seconds: u64::from_str_radix(seconds, 16).ok()?,
            nonce: u64::from_str_radix(nonce, 16).ok()?,
        };
        // What reads as a number need not be how it is written here.
        name.starts_with(&prefix.to_string()).then_some(prefix)
    }

    /// The name of a job among those of others.
    pub(super) fn name(&self, job: &str) -> String {
        format!("{self}_{job}")
    }

    /// The number that no other prefix has.
    pub(super) fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Whether what bears this prefix was left behind.
    pub(super) fn is_leftover(&self, process: Process, now: Timestamp) -> bool {
        match process {
            Process::Lives => false,
            Process::Gone => true,
            Process::Unknown => {
                let now_seconds = u64::try_from(now.as_millis() / 1000).unwrap_or_default();
                now_seconds.saturating_sub(self.began_seconds) > UNKNOWN_KEPT_FOR.as_secs()
            }
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{:08x}-{:016x}", self.began_seconds, self.nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_800_000_000_000;

    fn prefix() -> Prefix {
        Prefix::new(Timestamp::from_millis(BEGAN), 7)
    }

    #[test]
    fn a_prefix_is_recognised_in_what_it_names_and_nothing_else_is() {
        let text = prefix().to_string();
        assert_eq!(text, "tmp-6b49d200-0000000000000007");
        assert_eq!(Prefix::of(&text), Some(prefix()));
        assert_eq!(Prefix::of(&prefix().name("redis")), Some(prefix()));
        for other in [
            "redis",
            "tmp-redis",
            "tmp-6b49d200-7",
            "tmp-6B49D200-0000000000000007",
            "tmp-+b49d200-0000000000000007",
            "tmp-6b49d2é-0000000000000007",
        ] {
            assert_eq!(Prefix::of(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_nobody_uses_any_more_is_a_leftover() {
        let later = |hours: i64| Timestamp::from_millis(BEGAN + hours * 3_600_000);
        for (process, hours, leftover) in [
            (Process::Lives, 0, false),
            (Process::Lives, 99, false),
            (Process::Gone, 0, true),
            (Process::Unknown, 1, false),
            (Process::Unknown, 3, true),
            (Process::Unknown, -5, false),
        ] {
            assert_eq!(
                prefix().is_leftover(process, later(hours)),
                leftover,
                "{process:?} after {hours} h"
            );
        }
    }
}
