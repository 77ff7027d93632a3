//! A test that may be looked at any number of times.

use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::fixed::{FACTOR_ONE, LOG_ONE, exp2, log2, log2_ratio};

/// An e-process for the ratio of the event rate in the new arm to that in the old one.
///
/// # The statistic
///
/// Given `x` events in the new arm and `y` in the old one, with exposures `n` and `o`, `x` is binomial among `x + y` with
/// `theta(r) = r n / (r n + o)` if the true ratio of rates is `r`; the rates themselves cancel out. For each alternative ratio the
/// likelihood ratio against a reference ratio is multiplied up over looks and strata, and the mean over the alternatives is taken:
///
/// ```text
/// E = mean over r of  product over looks of  (theta(r) / theta(r0))^x  ((1 - theta(r)) / (1 - theta(r0)))^y
/// ```
///
/// If the true ratio is on the reference's side, `E` is a supermartingale that starts at one, so by Ville's inequality it
/// *ever* reaches `1/alpha` with a probability of at most `alpha`: one may look after every request, and stop when one likes.
/// (M. Lindon and A. Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022, mix over a beta
/// distribution. A mixture over a fixed set of ratios is valid for the same reason, stays valid while the exposures change from look to look, as
/// they do in a rollout, and can be computed in integers.)
///
/// # The arithmetic
///
/// Logarithms to base two with 32 binary places, in integers, and every rounding is downwards: the number here never
/// exceeds the true `E`, so rounding can delay a decision by a hair but never breaks the guarantee; and all machines
/// get the same bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EProcess {
    /// In thousandths.
    reference: u32,
    arms: Vec<Alternative>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alternative {
    /// In thousandths.
    ratio: u32,
    /// The logarithm of its likelihood ratio.
    log: i64,
}

/// The bound of a logarithm: so far below one that it cannot come back in a lifetime, and no sum overflows.
const LOG_MAX: i64 = 1 << 61;

impl EProcess {
    /// Grows if the new arm's rate is above the old one's by more than `margin_permille` thousandths; if it is not above it, growing is as
    /// unlikely as stated.
    #[must_use]
    pub fn of_harm(margin_permille: u32) -> Self {
        let edge = u64::from(margin_permille) + 1_000;
        let multiples = [
            1_000, 1_100, 1_250, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000,
        ];
        Self::new(1_000, multiples.map(|multiple| edge * multiple / 1_000))
    }

    /// Grows if the new arm's rate is *not* above the old one's; if it is above it by `margin_permille` thousandths or more, growing is
    /// as unlikely as stated.
    #[must_use]
    pub fn of_safety(margin_permille: u32) -> Self {
        Self::new(
            margin_permille.saturating_add(1_000),
            [1_000, 750, 500, 250],
        )
    }

    fn new(reference: u32, ratios: impl IntoIterator<Item = u64>) -> Self {
        let arm = |ratio| Alternative {
            ratio: u32::try_from(ratio).unwrap_or(u32::MAX),
            log: 0,
        };
        Self {
            reference,
            arms: ratios.into_iter().map(arm).collect(),
        }
    }

    /// Takes one look into account. An arm without exposure says nothing.
    pub fn look(&mut self, evidence: &Evidence) {
        let (new, old) = (evidence.new, evidence.old);
        if new.exposure == 0 || old.exposure == 0 {
            return;
        }
        let whole = |ratio: u32| {
            u128::from(ratio) * u128::from(new.exposure) + 1_000 * u128::from(old.exposure)
        };
        let reference = self.reference;
        for arm in &mut self.arms {
            let rates = log2_ratio(u128::from(arm.ratio), u128::from(reference));
            let wholes = log2_ratio(whole(reference), whole(arm.ratio));
            let all = i128::from(new.events) + i128::from(old.events);
            let gain = i128::from(new.events) * i128::from(rates) + all * i128::from(wholes);
            let log = (i128::from(arm.log) + gain).clamp(-i128::from(LOG_MAX), i128::from(LOG_MAX));
            arm.log = i64::try_from(log).unwrap_or(0);
        }
    }

    /// The base-two logarithm of `E` in units of 2^-32, rounded down.
    #[must_use]
    pub fn log2(&self) -> i64 {
        let best = self.arms.iter().map(|arm| arm.log).max().unwrap_or(0);
        let sum: u128 = self
            .arms
            .iter()
            .map(|arm| u128::from(exp2(arm.log - best)))
            .sum();
        let mean = log2_ratio(sum, u128::from(FACTOR_ONE) * self.arms.len().max(1) as u128);
        best + mean
    }

    /// Whether `E` has reached `1/alpha`, for an `alpha` in parts per million.
    #[must_use]
    pub fn has_reached(&self, alpha_ppm: u32) -> bool {
        self.log2() >= -log2_ratio(u128::from(alpha_ppm.max(1)), 1_000_000)
    }

    /// `E` itself, rounded down and at most `u64::MAX`: for people.
    #[must_use]
    pub fn value(&self) -> u64 {
        let log = self.log2();
        if log < 0 {
            return 0;
        }
        let scaled = u128::from(exp2((log & (LOG_ONE - 1)) - LOG_ONE));
        let places = u32::try_from(log / LOG_ONE + 1).unwrap_or(u32::MAX);
        match scaled.checked_shl(places) {
            Some(wide) if places < 64 => u64::try_from(wide >> 63).unwrap_or(u64::MAX),
            _ => u64::MAX,
        }
    }
}

/// The logarithm of `count`, rounded up.
pub(super) fn log2_up(count: u64) -> i64 {
    log2(u128::from(count.max(1))) + 2
}
