//! Tasks that keep dying.

use std::collections::VecDeque;
use std::time::Duration;

/// When a task counts as flapping: its last `runs` runs together were shorter than `within`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// How many runs are looked at, the present one among them.
    pub runs: usize,
    /// How long they have to last together.
    pub within: Duration,
    /// How long a flapping task is held back before each start.
    pub delay: Duration,
}

impl Default for Flapping {
    fn default() -> Self {
        Self {
            runs: 10,
            within: Duration::from_secs(60),
            delay: Duration::from_secs(30),
        }
    }
}

impl Flapping {
    /// How much longer the task must run before it does not flap any more; `None` if it does not flap.
    ///
    /// `ended` are the lengths of its past runs, the latest last; `current` is that of the present run.
    #[must_use]
    pub fn remaining(
        &self,
        ended: &VecDeque<Duration>,
        current: Option<Duration>,
    ) -> Option<Duration> {
        let count = ended.len() + usize::from(current.is_some());
        if count < self.runs {
            return None;
        }
        let past = self.runs - usize::from(current.is_some());
        let lasted: Duration = ended.iter().rev().take(past).chain(&current).sum();
        self.within
            .checked_sub(lasted)
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_short_runs_flap_until_the_eleventh_lasts() {
        let flapping = Flapping::default();
        let short: VecDeque<_> = std::iter::repeat_n(Duration::from_secs(1), 9).collect();
        assert_eq!(flapping.remaining(&short, None), None);
        let left = flapping.remaining(&short, Some(Duration::from_secs(1)));
        assert_eq!(left, Some(Duration::from_secs(50)));
        assert_eq!(
            flapping.remaining(&short, Some(Duration::from_secs(51))),
            None
        );
    }

    #[test]
    fn only_the_last_runs_count() {
        let flapping = Flapping {
            runs: 2,
            ..Flapping::default()
        };
        let runs = VecDeque::from([
            Duration::from_secs(1),
            Duration::from_secs(1),
            Duration::from_secs(90),
        ]);
        assert_eq!(flapping.remaining(&runs, None), None);
    }

    #[test]
    fn the_present_run_takes_the_place_of_the_oldest() {
        let flapping = Flapping {
            runs: 2,
            ..Flapping::default()
        };
        let runs = VecDeque::from([Duration::from_secs(90), Duration::from_secs(1)]);
        let left = flapping.remaining(&runs, Some(Duration::from_secs(1)));
        assert_eq!(left, Some(Duration::from_secs(58)));
    }
}
