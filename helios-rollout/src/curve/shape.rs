//! What a rollout looks like before it meets a calendar.

use serde::{Deserialize, Serialize};

use super::CurveError;
use super::knots;
use crate::share::Share;
use crate::table::Table;

/// The share of the fleet that should have changed, as a function of the share of the time that has passed.
///
/// Every shape begins at nothing, ends at everything and never goes back. It is evaluated in integers, as straight lines
/// between points (exact points where the shape has corners, 512 samples where it is smooth), which makes it
/// nondecreasing and exactly invertible *by construction*: [`super::Schedule::reaches`] is not an approximation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Shape {
    /// As much each hour.
    Linear,
    /// Jumps: at each point's time, to its share. The last must reach everything.
    Steps {
        /// Where it jumps, and how high.
        points: Vec<Point>,
    },
    /// Jumps that double: `growth * 2^n` after the n-th of equal parts of the time, until everything has changed.
    Exponential {
        /// The first jump, which comes as soon as the time starts.
        growth: Share,
    },
    /// Smooth growth by a factor of `ratio` from start to end: `(ratio^x - 1) / (ratio - 1)`.
    Geometric {
        /// How much faster the end is than the start: 2 to 1,000,000.
        ratio: u32,
    },
    /// A cautious start: `x^exponent`.
    Power {
        /// From 1, which is linear, to 8.
        exponent: u32,
    },
    /// Cautious at both ends: the logistic function over `octaves` doublings, stretched so that its ends meet 0 and 1.
    Logistic {
        /// Doublings of the odds, from 1, which is nearly linear, to 40, which is nearly a jump.
        octaves: u32,
    },
    /// Cautious at both ends, with no parameter: `3x^2 - 2x^3`.
    Smoothstep,
    /// Straight lines through the points; before the first it starts at nothing, after the last it ends at everything.
    Points {
        /// The corners, rising.
        points: Vec<Point>,
    },
    /// A smooth curve through the points: a cubic that, unlike an ordinary spline, never overshoots. Overshooting would be
    /// hosts that change back.
    Smooth {
        /// What it goes through, rising.
        points: Vec<Point>,
    },
}

/// One point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The share of the time that has passed.
    pub after: Share,
    /// The share of the fleet that should have changed.
    pub share: Share,
}

/// The most points that a curve may have.
pub const POINTS_MAX: usize = 256;

impl Shape {
    /// Jumps to `shares`, spread evenly: the first as the time starts, the last as it ends.
    ///
    /// ```
    /// use helios_rollout::{Share, curve::Shape};
    ///
    /// let stages = Shape::stages([1, 5, 25, 100].map(Share::from_percent));
    /// # assert!(stages.check().is_ok());
    /// ```
    #[must_use]
    pub fn stages(shares: impl IntoIterator<Item = Share>) -> Self {
        let shares: Vec<Share> = shares.into_iter().collect();
        let gaps = (shares.len() as u64).saturating_sub(1);
        let point = |(index, share)| Point {
            after: Share::ratio(index, gaps),
            share,
        };
        Self::Steps {
            points: (0..).zip(shares).map(point).collect(),
        }
    }

    /// Whether this is a curve at all.
    ///
    /// # Errors
    ///
    /// [`CurveError::Shape`] says which number is out of its range, or which point goes back.
    pub fn check(&self) -> Result<(), CurveError> {
        match self {
            Self::Linear | Self::Smoothstep => Ok(()),
            Self::Exponential { growth }
                if *growth < Share::from_parts(Share::PARTS / 1_000_000) =>
            {
                refuse("growth must be at least 0.0001%")
            }
            Self::Exponential { .. } => Ok(()),
            Self::Geometric {
                ratio: 2..=1_000_000,
            } => Ok(()),
            Self::Geometric { .. } => refuse("ratio must be from 2 to 1000000"),
            Self::Power { exponent: 1..=8 } => Ok(()),
            Self::Power { .. } => refuse("exponent must be from 1 to 8"),
            Self::Logistic { octaves: 1..=40 } => Ok(()),
            Self::Logistic { .. } => refuse("octaves must be from 1 to 40"),
            Self::Steps { points } => {
                check_points(points)?;
                match points.last() {
                    Some(last) if last.share == Share::ONE => Ok(()),
                    _ => refuse("the last step must reach 100%"),
                }
            }
            Self::Points { points } | Self::Smooth { points } => check_points(points),
        }
    }

    /// The points between which the shape is a straight line, with both axes in parts of [`Share::PARTS`].
    pub(crate) fn table(&self) -> Table {
        match self {
            Self::Linear => Table::new([(0, 0), (Share::PARTS, Share::PARTS)]),
            Self::Steps { points } => knots::jumps(points.iter().copied()),
            Self::Exponential { growth } => knots::jumps(knots::doublings(*growth)),
            Self::Geometric { ratio } => knots::sampled(|x| knots::geometric(x, *ratio)),
            Self::Power { exponent } => knots::sampled(|x| knots::power(x, *exponent)),
            Self::Logistic { octaves } => knots::sampled(|x| knots::logistic(x, *octaves)),
            Self::Smoothstep => knots::sampled(knots::smoothstep),
            Self::Points { points } => Table::new(knots::corners(points)),
            Self::Smooth { points } => knots::monotone_cubic(&knots::corners(points)),
        }
    }
}

fn check_points(points: &[Point]) -> Result<(), CurveError> {
    let rising = |pair: &[Point]| match pair {
        [a, b] => a.after < b.after && a.share <= b.share,
        _ => true,
    };
    match points.len() {
        0 => refuse("a curve of points needs at least one"),
        count if count > POINTS_MAX => refuse("a curve may have at most 256 points"),
        _ if !points.windows(2).all(rising) => {
            refuse("points must go forward in time and never down")
        }
        _ => Ok(()),
    }
}

fn refuse(why: &'static str) -> Result<(), CurveError> {
    Err(CurveError::Shape { why })
}
