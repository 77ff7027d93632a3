//! How long to wait before the next attempt.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);

/// The pause before attempt number `attempt` (0 is the first retry) of whoever has that `id`.
///
/// Doubles up to a cap. A share of up to a half is taken off by a hash of `(id, attempt)`, so that
/// thousands of agents that lost the same server do not return in one instant, and yet the same
/// agent always waits the same time.
pub(super) fn pause(id: u64, attempt: u32) -> Duration {
    let full = FIRST.saturating_mul(1 << attempt.min(16)).min(CAP);
    let share = (mix(id, attempt) % 1024) as u32;
    full - full * share / 2048
}

/// Spreads `period` over 3/4 to 5/4 of itself, by a hash of `(id, round)`.
pub(super) fn spread(period: Duration, id: u64, round: u32) -> Duration {
    let share = (mix(id, round) % 1024) as u32;
    period * 3 / 4 + period * share / 2048
}

/// A hash of a text, to make an id of.
pub(super) fn id_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn mix(id: u64, attempt: u32) -> u64 {
    let mut x = id.wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_the_cap_and_never_beyond() {
        for id in 0..100 {
            for attempt in 0..40 {
                let pause = pause(id, attempt);
                assert!(pause <= CAP && pause >= FIRST / 2);
            }
            assert!(pause(id, 30) >= CAP / 2);
        }
    }

    #[test]
    fn differs_between_ids_and_is_the_same_for_one() {
        let pauses: std::collections::BTreeSet<_> = (0..100).map(|id| pause(id, 5)).collect();
        assert!(pauses.len() > 80);
        assert_eq!(pause(7, 5), pause(7, 5));
    }
}
