//! How much of the fleet should have changed, at every point in time.
//!
//! A [`Curve`] is data: a [`Shape`], a start, a length and a [`Calendar`]. [`Curve::schedule`] works it out
//! once into a [`Schedule`], which answers in both directions: what share now, and when a share is reached.
//!
//! `share(t) = shape(W(t) / W(end))`, where `W` counts *open* time: time inside the windows and outside the freezes and
//! pauses. Closed time therefore costs no progress, and nothing catches up when it reopens.

mod calendar;
mod descent;
mod error;
mod knots;
mod pause;
mod schedule;
mod shape;
mod spans;
#[cfg(test)]
mod tests;
mod track;
mod window;

use std::time::Duration;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, Freeze};
pub use descent::Descent;
pub(crate) use descent::FallingSchedule;
pub use error::CurveError;
pub use pause::{OnResume, Pause, Pauses};
pub use schedule::{HORIZON, Schedule};
pub use shape::{POINTS_MAX, Point, Shape};
pub use window::Window;

/// A rollout's pace as data: what it looks like, when it starts, how long it takes, and when it may move.
///
/// ```
/// use helios_core::Timestamp;
/// use helios_rollout::{Share, curve::{Calendar, Curve, Length, Pauses, Shape}};
/// use std::time::Duration;
///
/// let monday = Timestamp::from_millis(1_792_396_800_000); // 2026-10-19T08:00:00Z, 10:00 in Stockholm
/// let curve = Curve {
///     shape: Shape::Linear,
///     start: monday,
///     length: Length::Elapsed(Duration::from_secs(14 * 86_400)),
///     calendar: Calendar { windows: vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse()?], freezes: vec![] },
/// };
/// let schedule = curve.schedule(&Pauses::default())?;
/// let half = schedule.reaches(Share::from_percent(50)).ok_or("never")?;
/// assert_eq!(schedule.share_at(half), Share::from_percent(50));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// What it looks like.
    pub shape: Shape,
    /// When its clock starts.
    pub start: Timestamp,
    /// How long it takes.
    pub length: Length,
    /// When it may move.
    #[serde(default)]
    pub calendar: Calendar,
}

/// How long a curve takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// From start to end on the wall, closed time included: "over two weeks".
    Elapsed(
        #[serde(with = "millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        Duration,
    ),
    /// Open time only: "over forty working hours".
    Open(
        #[serde(with = "millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        Duration,
    ),
}

impl Length {
    fn millis(self) -> Option<i64> {
        let (Self::Elapsed(duration) | Self::Open(duration)) = self;
        i64::try_from(duration.as_millis()).ok()
    }
}

impl Curve {
    /// A straight line, at any hour, over that much time.
    #[must_use]
    pub fn linear(start: Timestamp, length: Duration) -> Self {
        Self {
            shape: Shape::Linear,
            start,
            length: Length::Elapsed(length),
            calendar: Calendar::default(),
        }
    }

    /// Works the curve out, with the pauses there have been.
    ///
    /// A pause changes nothing that lies before it, so a schedule made later agrees with one made earlier about all the past.
    ///
    /// # Errors
    ///
    /// [`CurveError`] if the shape is none, if the curve takes no time, or if its windows never open.
    pub fn schedule(&self, pauses: &Pauses) -> Result<Schedule, CurveError> {
        Schedule::new(self, pauses)
    }
}

/// Durations as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        u64::try_from(duration.as_millis())
            .unwrap_or(u64::MAX)
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
