//! A part of a whole, exact to one in a million million.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A part of a whole: of the hosts in a fleet, or of the time a transition takes.
///
/// It counts parts of [`Share::PARTS`], so that every percentage with up to ten decimals is exact, two
/// machines always agree, and text and number are the same value. It is written as a percentage.
///
/// ```
/// use helios_rollout::Share;
///
/// let third: Share = "33.3%".parse()?;
/// assert_eq!(third.of(1_000), 333);
/// assert_eq!(third.to_string(), "33.3%");
/// # Ok::<(), helios_rollout::ShareError>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Share(u64);

impl Share {
    /// For people: down to a ten-thousandth of a percent, a tenth of a host in a hundred thousand.
    #[must_use]
    pub const fn rounded(self) -> Self {
        let step = Self::PARTS / 1_000_000;
        Self(self.0 / step * step)
    }

    /// How many parts the whole has.
    pub const PARTS: u64 = 1_000_000_000_000;
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The smallest share that is more than nothing.
    pub const LEAST: Self = Self(1);
    /// The whole.
    pub const ONE: Self = Self(Self::PARTS);

    /// `percent` hundredths of the whole; more than a hundred is the whole.
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_parts(percent as u64 * (Self::PARTS / 100))
    }

    /// `parts` of [`Share::PARTS`]; more than all is the whole.
    #[must_use]
    pub const fn from_parts(parts: u64) -> Self {
        Self(if parts < Self::PARTS {
            parts
        } else {
            Self::PARTS
        })
    }

    /// `count` of `total`, rounded down; the whole if `total` is zero or less than `count`.
    #[must_use]
    pub fn ratio(count: u64, total: u64) -> Self {
        let parts = (u128::from(count) * u128::from(Self::PARTS)).checked_div(u128::from(total));
        Self(parts.map_or(Self::PARTS, clamp_parts))
    }

    /// The least share that, rounded to the nearest, is reached by a host of `weight` that has `before` in
    /// front of it in a fleet of `total`: its middle, `(before + weight / 2) / total`, rounded up.
    pub(crate) fn middle_of(before: u64, weight: u64, total: u64) -> Self {
        let middle = (2 * u128::from(before) + u128::from(weight)) * u128::from(Self::PARTS);
        Self(clamp_parts(middle.div_ceil(2 * u128::from(total.max(1)))))
    }

    /// The parts, out of [`Share::PARTS`].
    #[must_use]
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// This share of `total`, rounded to the nearest, halves up.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        self.scaled(total, u128::from(Self::PARTS / 2))
    }

    /// This share of `total`, rounded down.
    #[must_use]
    pub fn of_floor(self, total: u64) -> u64 {
        self.scaled(total, 0)
    }

    /// This share of `total`, rounded up.
    #[must_use]
    pub fn of_ceil(self, total: u64) -> u64 {
        self.scaled(total, u128::from(Self::PARTS - 1))
    }

    /// This share of that share, rounded down.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        // Usually so, and a division of 128 bits costs more than all else of a decision.
        if other == Self::ONE {
            return self;
        }
        Self(self.of_floor(other.0))
    }

    /// What is left of the whole.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(Self::PARTS - self.0)
    }

    fn scaled(self, total: u64, round: u128) -> u64 {
        let product = u128::from(self.0) * u128::from(total) + round;
        u64::try_from(product / u128::from(Self::PARTS)).unwrap_or(u64::MAX)
    }
}

fn clamp_parts(parts: u128) -> u64 {
    u64::try_from(parts).map_or(Share::PARTS, |parts| parts.min(Share::PARTS))
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_cent = Self::PARTS / 100;
        let decimals = format!("{:010}", self.0 % per_cent);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{}%", self.0 / per_cent),
            decimals => write!(f, "{}.{decimals}%", self.0 / per_cent),
        }
    }
}

/// A text that is not a share.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot read {text:?} as a share: write a percentage from 0% to 100% with at most ten decimals"
)]
pub struct ShareError {
    text: String,
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        parse(text).ok_or_else(|| ShareError {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Share> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 10 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let decimals: u64 = format!("{decimals:0<10}").parse().ok()?;
    let parts = whole
        .checked_mul(Share::PARTS / 100)?
        .checked_add(decimals)?;
    (parts <= Share::PARTS).then_some(Share(parts))
}

impl TryFrom<String> for Share {
    type Error = ShareError;

    fn try_from(text: String) -> Result<Self, ShareError> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn text_and_number_are_the_same_value() {
        for parts in [
            0,
            1,
            12_345,
            Share::PARTS / 3,
            Share::PARTS - 1,
            Share::PARTS,
        ] {
            let share = Share::from_parts(parts);
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        assert_eq!(Share::from_percent(30).to_string(), "30%");
        assert_eq!("0.5%".parse(), Ok(Share::from_parts(Share::PARTS / 200)));
    }

    #[test]
    fn what_is_not_a_percentage_is_refused() {
        for text in [
            "",
            "%",
            "30",
            "101%",
            "-1%",
            "1e1%",
            "1.%",
            ".5%",
            "1.00000000001%",
            "+1%",
        ] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_is_reached_when_the_rounded_count_includes_it() {
        for total in 1..60 {
            for place in 0..total {
                let turn = Share::middle_of(place, 1, total);
                assert!(turn.of(total) > place);
                assert!(Share::from_parts(turn.parts() - 1).of(total) <= place);
            }
        }
    }
}
