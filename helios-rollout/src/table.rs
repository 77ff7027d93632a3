//! A nondecreasing function of integers, given by points, and its exact inverse.

/// A nondecreasing function with straight lines between its knots.
///
/// Rounding is downwards, and [`Table::first`] is the *exact* generalised inverse of what [`Table::at`]
/// computes, rounding included: `at(x) >= y` if and only if `x >= first(y)`. So a forecast made with
/// one is never a unit away from the decision made with the other.
/// Two knots with the same `x` are a jump, which has happened at that `x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    knots: Vec<(u64, u64)>,
}

impl Table {
    /// The function through `knots`. A knot that would go back, in either direction, is lifted to the one before it:
    /// whatever rounding did to the caller's numbers, the function does not decrease.
    pub(crate) fn new(knots: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut high = (0, 0);
        let lifted = knots.into_iter().map(|(x, y)| {
            high = (x.max(high.0), y.max(high.1));
            high
        });
        let mut knots: Vec<_> = lifted.collect();
        knots.dedup();
        Self { knots }
    }

    /// The value at `x`: constant before the first knot and after the last.
    pub(crate) fn at(&self, x: u64) -> u64 {
        let next = self.knots.partition_point(|knot| knot.0 <= x);
        let before = next.checked_sub(1).and_then(|index| self.knots.get(index));
        match (before, self.knots.get(next)) {
            (None, first) => first.map_or(0, |knot| knot.1),
            (Some(last), None) => last.1,
            (Some(a), Some(b)) => a.1 + scale(x - a.0, b.1 - a.1, b.0 - a.0, 0),
        }
    }

    /// The least `x` where the value is at least `y`, or `None` if it never is.
    pub(crate) fn first(&self, y: u64) -> Option<u64> {
        let reached = self.knots.partition_point(|knot| knot.1 < y);
        let b = self.knots.get(reached)?;
        let before = reached
            .checked_sub(1)
            .and_then(|index| self.knots.get(index));
        let Some(a) = before else {
            return Some(0);
        };
        let rise = b.1 - a.1;
        Some(a.0 + scale(y - a.1, b.0 - a.0, rise, rise - 1))
    }
}

/// `(part * to + round) / from`, for a `part` that is at most `from`.
fn scale(part: u64, to: u64, from: u64, round: u64) -> u64 {
    // Usually it fits, and a division of 128 bits costs ten times as much.
    if let Some(narrow) = part
        .checked_mul(to)
        .and_then(|product| product.checked_add(round))
    {
        return narrow / from;
    }
    let scaled = (u128::from(part) * u128::from(to) + u128::from(round)) / u128::from(from);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Table;
    use proptest::prelude::*;

    #[test]
    fn a_jump_has_happened_at_its_place() {
        let steps = Table::new([(0, 0), (5, 0), (5, 7), (9, 7), (9, 10)]);
        let values: Vec<u64> = (0..12).map(|x| steps.at(x)).collect();
        assert_eq!(values, [0, 0, 0, 0, 0, 7, 7, 7, 7, 10, 10, 10]);
        let places: Vec<_> = [0, 1, 7, 8, 10, 11].map(|y| steps.first(y)).into();
        assert_eq!(places, [Some(0), Some(5), Some(5), Some(9), Some(9), None]);
    }

    proptest! {
        #[test]
        fn the_inverse_is_exact(knots in prop::collection::vec((0_u64..50, 0_u64..50), 1..8)) {
            let table = Table::new(knots);
            for y in 0..60 {
                for x in 0..60 {
                    let reached = table.first(y).is_some_and(|first| x >= first);
                    prop_assert_eq!(table.at(x) >= y, reached, "x {} y {}", x, y);
                }
            }
        }
    }
}
