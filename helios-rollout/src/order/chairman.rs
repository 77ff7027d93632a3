//! Merging strata so that every prefix holds each in proportion.
//!
//! The chairman assignment problem: each year one of several states provides the chairman, and at all times each should have
//! had its share. Largest-remainder rounding of each prefix is *not* an answer: growing the prefix can take a place back from a
//! stratum, which would be a host that changes back.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The order in which to take one item after the other from streams of `sizes` items, as indices into `sizes`.
///
/// Every prefix of length `k` holds each stream within `1 - 1/(2m - 2)` of `k * size / total`, where `m` is the number of
/// streams: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980). At step `k`, among the
/// streams whose lag `k * size / total - taken` is at least `1/(2m - 2)`, the one with the earliest deadline is taken.
///
/// A stream's release and deadline depend only on what it has given so far, so two heaps find the next one: O(N log m), in integers.
/// Equal deadlines go to the stream that comes first in `sizes`.
pub(crate) fn chairman(sizes: &[u64]) -> Vec<usize> {
    let streams = sizes.iter().filter(|size| **size > 0).count() as u128;
    let total: u64 = sizes.iter().sum();
    let spread = (2 * streams).saturating_sub(2).max(1);
    let edge = u128::from(streams > 1);
    let (total_wide, spread) = (u128::from(total), spread);
    let stage = |index: usize, taken: u64| {
        let size = u128::from(*sizes.get(index)?);
        let given = u128::from(taken) * spread;
        (u128::from(taken) < size).then(|| Candidate {
            release: (total_wide * (given + edge)).div_ceil(size * spread),
            deadline: Fraction {
                over: given + spread - edge,
                under: size,
            },
            index,
        })
    };
    merge(sizes.len(), total, 1, stage, |_, _| 1)
}

/// As [`chairman`], for items of unequal weight: `weights[s][i]` is that of the `i`-th item of stream `s`.
///
/// Every prefix holds each stream within the largest weight of its proportion of the prefix's weight: J. Bennett and
/// H. Zhang, "WF2Q: worst-case fair weighted fair queueing", INFOCOM 1996. Among the streams whose next item would
/// have begun if all were served at once in proportion, the one whose item would end first is taken.
pub(super) fn weighted(weights: &[Vec<u32>]) -> Vec<usize> {
    let sums: Vec<u64> = weights
        .iter()
        .map(|stream| stream.iter().map(|w| u64::from(*w)).sum())
        .collect();
    let total: u64 = sums.iter().sum();
    let mut begun = vec![0_u64; weights.len()];
    let stage = |index: usize, taken: u64| {
        let weight = u64::from(*weights.get(index)?.get(usize::try_from(taken).ok()?)?);
        let begin = begun.get_mut(index)?;
        let size = u128::from(*sums.get(index)?);
        let release = (u128::from(*begin) * u128::from(total)).div_ceil(size);
        *begin += weight;
        Some(Candidate {
            release,
            deadline: Fraction {
                over: u128::from(*begin),
                under: size,
            },
            index,
        })
    };
    let weight = |index: usize, taken: u64| {
        let item = usize::try_from(taken)
            .ok()
            .and_then(|item| weights.get(index)?.get(item));
        item.copied().map_or(1, u64::from)
    };
    let count = weights.iter().map(|stream| stream.len() as u64).sum();
    merge(weights.len(), count, 0, stage, weight)
}

/// The next item of one stream: eligible once the prefix weighs `release`, and due at `deadline`.
struct Candidate {
    release: u128,
    deadline: Fraction,
    index: usize,
}

/// A positive rational number.
#[derive(Clone, Copy)]
struct Fraction {
    over: u128,
    under: u128,
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

/// Earliest deadline first among the released. `clock` is the weight at which the first item is chosen.
fn merge(
    streams: usize,
    count: u64,
    mut clock: u128,
    mut stage: impl FnMut(usize, u64) -> Option<Candidate>,
    weight: impl Fn(usize, u64) -> u64,
) -> Vec<usize> {
    let mut taken = vec![0_u64; streams];
    let mut waiting = BinaryHeap::with_capacity(streams);
    let mut ready = BinaryHeap::with_capacity(streams);
    for candidate in (0..streams).filter_map(|index| stage(index, 0)) {
        waiting.push(Reverse((
            candidate.release,
            candidate.index,
            candidate.deadline,
        )));
    }
    let mut order = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    loop {
        while let Some(Reverse((release, index, deadline))) = waiting.peek().copied() {
            // Somebody is always released, by the theorems above; taking the next one regardless only keeps this loop finite
            // without having to believe that.
            if release > clock && !ready.is_empty() {
                break;
            }
            waiting.pop();
            ready.push(Reverse((deadline, index)));
        }
        let Some(Reverse((_, index))) = ready.pop() else {
            return order;
        };
        order.push(index);
        let Some(given) = taken.get_mut(index) else {
            return order;
        };
        clock += u128::from(weight(index, *given));
        *given += 1;
        if let Some(next) = stage(index, *given) {
            waiting.push(Reverse((next.release, next.index, next.deadline)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, step by step, in fractions of `total * spread`.
    fn by_definition(sizes: &[u64]) -> Vec<usize> {
        let total: i128 = sizes.iter().map(|size| i128::from(*size)).sum();
        let spread = (2 * sizes.len() as i128 - 2).max(1);
        let edge = i128::from(sizes.len() > 1);
        let mut taken = vec![0_i128; sizes.len()];
        let mut order = Vec::new();
        for k in 1..=total {
            let lag = |s: usize| k * i128::from(sizes[s]) - taken[s] * total;
            let eligible = (0..sizes.len()).filter(|s| lag(*s) * spread >= edge * total);
            let slack = |s: usize| (spread - edge) * total - lag(s) * spread;
            let next = eligible.min_by(|a, b| {
                (slack(*a) * i128::from(sizes[*b])).cmp(&(slack(*b) * i128::from(sizes[*a])))
            });
            let next = next.expect("somebody is eligible");
            taken[next] += 1;
            order.push(next);
        }
        order
    }

    proptest! {
        #[test]
        fn two_heaps_give_what_the_definition_gives(sizes in prop::collection::vec(1_u64..20, 1..8)) {
            prop_assert_eq!(chairman(&sizes), by_definition(&sizes));
        }

        #[test]
        fn weights_stay_within_the_largest(
            weights in prop::collection::vec(prop::collection::vec(1_u32..20, 1..12), 1..7)
        ) {
            let sums: Vec<i64> = weights.iter().map(|s| s.iter().map(|w| i64::from(*w)).sum()).collect();
            let (total, largest) = (sums.iter().sum::<i64>(), i64::from(*weights.iter().flatten().max().unwrap()));
            let (mut given, mut taken, mut prefix) = (vec![0_i64; sums.len()], vec![0; sums.len()], 0);
            for index in weighted(&weights) {
                let weight = i64::from(weights[index][taken[index]]);
                (given[index], taken[index], prefix) = (given[index] + weight, taken[index] + 1, prefix + weight);
                for (given, sum) in given.iter().zip(&sums) {
                    prop_assert!((given * total - prefix * sum).abs() <= largest * total);
                }
            }
            prop_assert_eq!(prefix, total);
        }
    }
}
