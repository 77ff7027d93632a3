//! After the end: has something changed?

use serde::{Deserialize, Serialize};

use super::e_process::log2_up;
use super::{Counts, GuardError};
use crate::fixed::{LOG_ONE, log2_ratio};

/// Watches one arm after a rollout, when there is no old one left to compare with.
///
/// CUSUM (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954): the log-likelihood ratio of a rate that is `ratio` times the
/// baseline's, summed up and never below zero; an alarm when it reaches `log2(run_length)`.
///
/// The guarantee is of another kind than a guard's. It is about the *run length*: with no change there are, on average, at least
/// `run_length` looks before a false alarm (G. Lorden, Ann. Math. Statist. 42, 1971). Sooner or later there will be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeDetector {
    baseline: Counts,
    ratio_permille: u32,
    run_length: u64,
    score: i64,
    alarmed: bool,
}

/// The base-two logarithm of Euler's number, rounded up in the last place.
const LOG2_E: i128 = 6_196_328_019;
/// A score is at most this, about two to the power of a thousand million.
const SCORE_MAX: i128 = (LOG_ONE as i128) << 30;

impl ChangeDetector {
    /// Expects `baseline`, alarms at about `ratio_permille` thousandths of it, with `run_length` looks between false alarms.
    ///
    /// A baseline without events is taken as one with one event: nothing is known to be impossible.
    ///
    /// # Errors
    ///
    /// [`GuardError::Invalid`] if the baseline has no exposure, the ratio is not from 1001 to 1000000, or the run length is below two.
    pub fn new(baseline: Counts, ratio_permille: u32, run_length: u64) -> Result<Self, GuardError> {
        let refuse = |why| Err(GuardError::Invalid { why });
        if baseline.exposure == 0 {
            return refuse("the baseline of a change detector needs exposure");
        }
        if !(1_001..=1_000_000).contains(&ratio_permille) {
            return refuse("a change detector's ratio must be from 1001 to 1000000 thousandths");
        }
        if run_length < 2 {
            return refuse("a change detector's run length must be at least two looks");
        }
        Ok(Self {
            baseline,
            ratio_permille,
            run_length,
            score: 0,
            alarmed: false,
        })
    }

    /// Takes one look into account, and says whether there has been an alarm. An alarm stays.
    pub fn look(&mut self, counts: Counts) -> bool {
        let ratio = i128::from(log2_ratio(u128::from(self.ratio_permille), 1_000));
        let expected =
            i128::from(counts.exposure).saturating_mul(i128::from(self.baseline.events.max(1)));
        let excess = (i128::from(self.ratio_permille) - 1_000) * LOG2_E / 1_000;
        let cost = scaled(expected, excess, i128::from(self.baseline.exposure));
        let gain = i128::from(counts.events)
            .saturating_mul(ratio)
            .saturating_sub(cost);
        let score = i128::from(self.score)
            .saturating_add(gain)
            .clamp(0, SCORE_MAX);
        self.score = i64::try_from(score).unwrap_or(i64::MAX);
        self.alarmed |= self.score >= log2_up(self.run_length);
        self.alarmed
    }

    /// Whether there has been an alarm.
    #[must_use]
    pub fn has_alarmed(&self) -> bool {
        self.alarmed
    }

    /// The average number of looks between false alarms, at least.
    #[must_use]
    pub fn run_length(&self) -> u64 {
        self.run_length
    }
}

/// `count * factor / of` with whole and rest apart, so that it does not overflow where the result fits.
fn scaled(count: i128, factor: i128, of: i128) -> i128 {
    let (whole, rest) = (count / of, count % of);
    whole
        .saturating_mul(factor)
        .saturating_add(rest.saturating_mul(factor) / of)
}
