//! How fast somebody may change things.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many changes somebody may make in the long run, each second.
const CHANGES_PER_SECOND: f64 = 200.0;
/// How many more somebody may make at once who was quiet before.
const CHANGES_AT_ONCE: f64 = 2_000.0;
/// How many are remembered before those who are as good as new are forgotten.
const REMEMBERED_MAX: usize = 1_024;

/// How much each may still change, by principal. A script that runs away wears out its own allowance, not
/// the store's.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<Arc<str>, Allowance>>);

#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn at(self, now: Instant) -> Self {
        let gained = (now - self.at).as_secs_f64() * CHANGES_PER_SECOND;
        Self {
            left: (self.left + gained).min(CHANGES_AT_ONCE),
            at: now,
        }
    }
}

impl Pace {
    /// Counts a change, or says how long that one has to wait.
    pub(super) fn count(&self, who: &Arc<str>, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, allowance| allowance.at(now).left < CHANGES_AT_ONCE);
        }
        let full = Allowance {
            left: CHANGES_AT_ONCE,
            at: now,
        };
        let allowance = all.entry(Arc::clone(who)).or_insert(full);
        *allowance = allowance.at(now);
        if allowance.left < 1.0 {
            return Err(Duration::from_secs_f64(1.0 / CHANGES_PER_SECOND));
        }
        allowance.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_too_fast_waits_and_keeps_nobody_else_waiting() {
        let pace = Pace::default();
        let [fast, other]: [Arc<str>; 2] = ["fast".into(), "other".into()];
        let begin = Instant::now();
        let made = std::iter::repeat_with(|| pace.count(&fast, begin));
        assert_eq!(made.take_while(Result::is_ok).count(), 2_000);
        assert_eq!(pace.count(&other, begin), Ok(()));
        let later = begin + Duration::from_secs(1);
        let made = std::iter::repeat_with(|| pace.count(&fast, later));
        assert_eq!(made.take_while(Result::is_ok).count(), 200);
        let much_later = begin + Duration::from_secs(3_600);
        let made = std::iter::repeat_with(|| pace.count(&fast, much_later));
        assert_eq!(made.take_while(Result::is_ok).count(), 2_000);
    }

    #[test]
    fn not_everybody_is_remembered_for_ever() {
        let pace = Pace::default();
        let begin = Instant::now();
        for n in 0..REMEMBERED_MAX * 3 {
            let now = begin + Duration::from_secs(60 * n as u64);
            assert_eq!(pace.count(&n.to_string().into(), now), Ok(()));
        }
        assert!(pace.0.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
