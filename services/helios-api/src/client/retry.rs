//! Whether and when a request is sent again.

use std::time::Duration;

/// The pause after the first round through all masters.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause between two rounds.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// With less time than this left, no further attempt is made: it would end as a timeout, which says less
/// than the failure before it.
const ATTEMPT_MIN: Duration = Duration::from_secs(1);

/// How an attempt failed, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection: no master saw the request.
    NotSent,
    /// No master saw the request, and asking the same one again will not help.
    Lasting,
    /// A master said that it did nothing.
    PutOff,
    /// The connection broke, or the time was up: a master may have done it.
    Lost,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask the next master, after that long.
    Retry(Duration),
    /// Give up.
    GiveUp,
}

/// What to do after attempt number `attempt` (the first is 0) failed.
///
/// Every master is asked once before the first pause. `jitter` in 0..=255 spreads the pauses of clients
/// that failed together over their upper half.
pub(super) fn after(
    failure: Failure,
    repeatable: bool,
    attempt: u32,
    masters: u32,
    left: Duration,
    jitter: u8,
) -> Next {
    if failure == Failure::Lost && !repeatable {
        return Next::GiveUp;
    }
    let round_ends = (attempt + 1).is_multiple_of(masters.max(1));
    if round_ends && failure == Failure::Lasting {
        return Next::GiveUp;
    }
    let pause = if round_ends {
        let rounds = attempt / masters.max(1);
        let full = PAUSE_MIN.saturating_mul(1 << rounds.min(16)).min(PAUSE_MAX);
        full / 2 + full * u32::from(jitter) / 512
    } else {
        Duration::ZERO
    };
    if pause + ATTEMPT_MIN <= left {
        Next::Retry(pause)
    } else {
        Next::GiveUp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(100);

    #[test]
    fn a_change_that_may_have_happened_is_not_repeated() {
        let next = |failure, repeatable| after(failure, repeatable, 0, 2, LONG, 0);
        assert_eq!(next(Failure::Lost, false), Next::GiveUp);
        assert_eq!(next(Failure::Lost, true), Next::Retry(Duration::ZERO));
        assert_eq!(next(Failure::NotSent, false), Next::Retry(Duration::ZERO));
        assert_eq!(next(Failure::PutOff, false), Next::Retry(Duration::ZERO));
    }

    #[test]
    fn what_will_be_the_same_next_time_is_asked_of_each_master_once() {
        let next = |attempt| after(Failure::Lasting, false, attempt, 2, LONG, 0);
        assert_eq!(next(0), Next::Retry(Duration::ZERO));
        assert_eq!(next(1), Next::GiveUp);
    }

    #[test]
    fn pauses_come_after_each_round_and_grow_to_a_limit() {
        let pause = |attempt, jitter| match after(Failure::NotSent, true, attempt, 2, LONG, jitter)
        {
            Next::Retry(pause) => pause,
            Next::GiveUp => panic!("gave up"),
        };
        assert_eq!(pause(0, 0), Duration::ZERO);
        assert_eq!(pause(1, 0), PAUSE_MIN / 2);
        assert_eq!(pause(2, 0), Duration::ZERO);
        assert_eq!(pause(3, 0), PAUSE_MIN);
        assert_eq!(pause(u32::MAX - 2, 0), PAUSE_MAX / 2);
        assert!(pause(u32::MAX - 2, u8::MAX) < PAUSE_MAX);
        assert!(pause(1, u8::MAX) > pause(1, 0));
    }

    #[test]
    fn gives_up_when_the_next_attempt_would_be_cut_short() {
        let left = ATTEMPT_MIN;
        assert_eq!(after(Failure::NotSent, true, 0, 1, left, 0), Next::GiveUp);
    }
}
