//! The formulas behind the shapes, as points in integers.

use super::shape::Point;
use crate::fixed::{FACTOR_ONE, LOG_ONE, exp2, log2};
use crate::share::Share;
use crate::table::Table;

const SAMPLES: u64 = 512;
const PARTS: u64 = Share::PARTS;

/// Jumps at the points. One at the very start happens just after it: at the start itself nothing has changed.
pub(super) fn jumps(points: impl IntoIterator<Item = Point>) -> Table {
    let mut high = 0;
    let mut knots = vec![(0, 0)];
    for point in points {
        let after = point.after.parts().max(1);
        knots.push((after, high));
        high = point.share.parts();
        knots.push((after, high));
    }
    Table::new(knots)
}

/// `growth * 2^n`, until it passes the whole.
pub(super) fn doublings(growth: Share) -> Vec<Point> {
    let mut shares = vec![growth];
    let mut parts = growth.parts().max(1);
    while parts < PARTS {
        parts *= 2;
        shares.push(Share::from_parts(parts));
    }
    let gaps = shares.len() as u64 - 1;
    let point = |(index, share)| Point {
        after: Share::ratio(index, gaps),
        share,
    };
    (0..).zip(shares).map(point).collect()
}

/// Points on a smooth function of [0, 1], its ends pinned.
pub(super) fn sampled(function: impl Fn(u64) -> u64) -> Table {
    let inner = (1..SAMPLES)
        .map(|i| i * (PARTS / SAMPLES))
        .map(|x| (x, function(x).min(PARTS)));
    Table::new([(0, 0)].into_iter().chain(inner).chain([(PARTS, PARTS)]))
}

/// `(ratio^x - 1) / (ratio - 1)`, with both parts divided by `ratio` so that no power exceeds one.
pub(super) fn geometric(x: u64, ratio: u32) -> u64 {
    let log = log2(u128::from(ratio));
    let least = exp2(-log);
    let here = exp2(proportion(log, x) - log);
    parts(here.saturating_sub(least), FACTOR_ONE - least)
}

/// `x^exponent`
pub(super) fn power(x: u64, exponent: u32) -> u64 {
    (1..exponent)
        .fold(Share::from_parts(x), |power, _| {
            power.times(Share::from_parts(x))
        })
        .parts()
}

/// `3x^2 - 2x^3`
pub(super) fn smoothstep(x: u64) -> u64 {
    let (square, cube) = (power(x, 2), power(x, 3));
    (3 * square).saturating_sub(2 * cube)
}

/// `(s(z) - s(-h)) / (s(h) - s(-h))` with `s(z) = 1 / (1 + 2^-z)`, `h = octaves / 2` and `z` from `-h` to `h`.
pub(super) fn logistic(x: u64, octaves: u32) -> u64 {
    let width = i64::from(octaves) * LOG_ONE;
    let (low, high) = (sigmoid(-width / 2), sigmoid(width / 2));
    let here = sigmoid(proportion(width, x) - width / 2);
    parts(here.saturating_sub(low), high - low)
}

fn sigmoid(z: i64) -> u64 {
    let small = u128::from(exp2(-z.abs()));
    let one = u128::from(FACTOR_ONE);
    let over = if z >= 0 { one } else { small };
    u64::try_from((over << 63) / (one + small)).unwrap_or(u64::MAX)
}

/// `x` of a logarithm.
fn proportion(log: i64, x: u64) -> i64 {
    i64::try_from(i128::from(log) * i128::from(x) / i128::from(PARTS)).unwrap_or(i64::MAX)
}

fn parts(over: u64, under: u64) -> u64 {
    let scaled = u128::from(over) * u128::from(PARTS) / u128::from(under.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The points, with the two ends added where they are missing.
pub(super) fn corners(points: &[Point]) -> Vec<(u64, u64)> {
    let inner = points
        .iter()
        .map(|point| (point.after.parts().max(1), point.share.parts()));
    let mut knots: Vec<_> = [(0, 0)].into_iter().chain(inner).collect();
    if knots.last() != Some(&(PARTS, PARTS)) {
        knots.push((PARTS, PARTS));
    }
    knots
}

/// A cubic Hermite curve through the corners whose tangents are the harmonic means of the slopes beside them.
///
/// That keeps each tangent within twice the smaller slope, inside the region where a cubic is monotone (F. N. Fritsch and
/// R. E. Carlson, "Monotone Piecewise Cubic Interpolation", SIAM J. Numer. Anal. 17, 1980; the harmonic mean is from
/// Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 1984). Values are clamped to the segment, so not even rounding overshoots.
pub(super) fn monotone_cubic(corners: &[(u64, u64)]) -> Table {
    let slopes: Vec<i128> = corners.windows(2).map(slope).collect();
    let tangent = |index: usize| {
        let left = index
            .checked_sub(1)
            .and_then(|index| slopes.get(index))
            .copied();
        let right = slopes.get(index).copied();
        match (left, right) {
            (Some(a), Some(b)) if a > 0 && b > 0 => 2 * a * b / (a + b),
            (Some(_), Some(_)) | (None, None) => 0,
            (Some(only), None) | (None, Some(only)) => only,
        }
    };
    let mut knots = vec![(0, 0)];
    for (index, pair) in corners.windows(2).enumerate() {
        let [a, b] = pair else { continue };
        knots.extend((1..=64).map(|i| hermite(*a, *b, (tangent(index), tangent(index + 1)), i)));
    }
    Table::new(knots)
}

/// One in a slope is `2^SLOPE_BITS`; a slope is at most the number of parts, so that products of two fit.
const SLOPE_BITS: u32 = 20;

fn slope(pair: &[(u64, u64)]) -> i128 {
    match pair {
        [a, b] => (i128::from(b.1 - a.1) << SLOPE_BITS) / i128::from(b.0 - a.0).max(1),
        _ => 0,
    }
}

/// The point `i` 64ths of the way from `a` to `b`, with these tangents at its ends.
fn hermite(a: (u64, u64), b: (u64, u64), tangents: (i128, i128), i: i128) -> (u64, u64) {
    let (width, rise) = (i128::from(b.0 - a.0), i128::from(b.1 - a.1));
    let at_a = i * (64 - i) * (64 - i);
    let at_b = i * i * (64 - i);
    let chord = i * i * (192 - 2 * i);
    let bend = ((tangents.0 * at_a - tangents.1 * at_b) >> SLOPE_BITS) * width;
    let y = (rise * chord + bend) >> 18;
    let rise_here = u64::try_from(y.clamp(0, rise)).unwrap_or(0);
    let x_here = u64::try_from(width * i / 64).unwrap_or(0);
    (a.0 + x_here, a.1 + rise_here)
}
