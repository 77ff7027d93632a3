//! How long to wait after failures.

use std::time::Duration;

use sha1_smol::Sha1;

/// A delay that doubles with every failure in a row, up to a cap, with jitter.
///
/// The jitter is a function of (id, attempt): thousands of agents that failed at the same time try
/// again at different times, and yet every decision can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub first: Duration,
    /// The longest delay, before jitter.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            cap: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The delay before attempt `attempt` of `id` is repeated, counted from 0: between 75 % and 125 % of
    /// `first * 2^attempt`, where that is not over the cap.
    ///
    /// ```
    /// use std::time::Duration;
    /// use helios_core::reconcile::Backoff;
    ///
    /// let backoff = Backoff::default();
    /// assert_eq!(backoff.delay("web:1", 3), backoff.delay("web:1", 3));
    /// assert!(backoff.delay("web:1", 60) <= Duration::from_millis(37_500));
    /// ```
    #[must_use]
    pub fn delay(&self, id: &str, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX);
        let plain = self.first.saturating_mul(factor).min(self.cap);
        spread(plain, id, attempt)
    }
}

/// Between 75 % and 125 % of `plain`, as (id, attempt) says.
pub(super) fn spread(plain: Duration, id: &str, attempt: u32) -> Duration {
    let digest = Sha1::from(format!("{id}/{attempt}")).digest().bytes();
    let permille = digest
        .iter()
        .take(2)
        .fold(0_u32, |sum, byte| sum * 256 + u32::from(*byte))
        % 501;
    plain.saturating_mul(750 + permille) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_pinned_and_differ_between_tasks() {
        let backoff = Backoff::default();
        let millis = |id, attempt| backoff.delay(id, attempt).as_micros();
        assert_eq!(
            [millis("web:1", 0), millis("web:1", 1), millis("db:1", 0)],
            [116_500, 175_200, 100_000]
        );
    }

    #[test]
    fn delays_spread_over_a_quarter_to_both_sides() {
        let backoff = Backoff::default();
        let delays = (0..500).map(|n| backoff.delay(&format!("job{n}:1"), 3).as_millis());
        let (least, most) = delays.fold((u128::MAX, 0), |(least, most), delay| {
            (least.min(delay), most.max(delay))
        });
        assert!(
            (600..620).contains(&least) && (980..=1000).contains(&most),
            "{least} {most}"
        );
    }
}
