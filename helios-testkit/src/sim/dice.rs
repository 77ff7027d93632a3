//! Chance, as a function of (seed, who, how often).

use std::time::Duration;

/// Random numbers that follow from a seed and a name.
///
/// Every operation of every actor has dice of its own: one draw more in one place changes nothing in
/// any other. So a fault can be taken out of a run, or a host put in, and the rest stays as it was.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of the `count`-th operation of that name.
    #[must_use]
    pub fn new(seed: u64, name: &str, count: u64) -> Self {
        let start = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
        let named = name
            .bytes()
            .fold(start, |state, byte| mix(state ^ u64::from(byte)));
        Self(mix(named ^ mix(count.wrapping_add(1))))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.any().checked_rem(end).unwrap_or(0)
    }

    /// Whether something happens that does so in `permille` of 1000 cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// A time from `low` to `high`, in whole milliseconds.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = high.saturating_sub(low).as_millis();
        low + Duration::from_millis(self.below(u64::try_from(span).unwrap_or(u64::MAX).max(1)))
    }

    /// One of `items`, if there are any.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len() as u64);
        items.get(usize::try_from(index).ok()?)
    }
}

/// Spreads the bits of a number over all of them, one to one.
pub(super) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_equal_luck_and_others_do_not() {
        let draw = |name, count| Dice::new(7, name, count).any();
        assert_eq!(draw("agent-1", 3), draw("agent-1", 3));
        let all = [draw("agent-1", 3), draw("agent-1", 4), draw("agent-2", 3)];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    }

    #[test]
    fn chances_are_about_right() {
        let mut dice = Dice::new(1, "x", 0);
        let hits = (0..10_000).filter(|_| dice.chance(250)).count();
        assert!((2_200..2_800).contains(&hits), "{hits}");
    }
}
