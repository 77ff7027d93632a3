//! Why a curve is refused.

use helios_core::Timestamp;
use thiserror::Error;

/// A curve, a window or a pause that cannot mean anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CurveError {
    /// The shape is not one.
    #[error("the shape of the curve is refused: {why}")]
    Shape {
        /// Which rule it breaks.
        why: &'static str,
    },
    /// It takes no time.
    #[error(
        "a transition that takes no time is not gradual: set the value instead, or give it a duration"
    )]
    ZeroDuration,
    /// There is no open time between its start and its end, or too little in [`super::HORIZON`].
    #[error(
        "the curve that starts at {start} never gets enough open time: its windows and freezes leave none"
    )]
    NeverOpens {
        /// Where the curve starts.
        start: Timestamp,
    },
    /// The text is not a window.
    #[error(
        "cannot read {text:?} as an open window: write for example \"Mon-Fri 09:00-16:00 Europe/Stockholm\""
    )]
    Window {
        /// The text.
        text: String,
    },
    /// Nobody knows the time zone.
    #[error(
        "unknown time zone {zone:?}: use a name of the IANA database, such as Europe/Stockholm or UTC"
    )]
    UnknownZone {
        /// The name.
        zone: String,
    },
    /// A freeze ends before it begins.
    #[error("the freeze from {from} to {until} has no length")]
    EmptyFreeze {
        /// Its begin.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// The point in time has no date.
    #[error("{at} is outside the years that a calendar knows")]
    OutOfRange {
        /// The point in time.
        at: Timestamp,
    },
    /// It is running already, or paused already.
    #[error("cannot {wanted} at {at}: {why}")]
    Clock {
        /// What was asked for.
        wanted: &'static str,
        /// When.
        at: Timestamp,
        /// Why not.
        why: &'static str,
    },
}
