//! A curve on a real calendar.

use helios_core::Timestamp;

use super::spans::{self, Span};
use super::track::{Leg, Speed, Track};
use super::{Curve, CurveError, Length, OnResume, Pauses};
use crate::share::Share;
use crate::table::Table;

/// The longest time, in milliseconds, that a curve may take from its start to its end: ten years.
pub const HORIZON: i64 = 10 * 366 * DAY;
const DAY: i64 = 86_400_000;

/// The share of the fleet at every point in time: a curve, its calendar and its pauses, worked out.
///
/// Both directions are exact: `share_at(t) >= s` if and only if `t >= reaches(s)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    start: i64,
    /// Open milliseconds from start to end.
    total: u64,
    /// Milliseconds since the start to open milliseconds.
    track: Track,
    shape: Table,
}

impl Schedule {
    pub(super) fn new(curve: &Curve, pauses: &Pauses) -> Result<Self, CurveError> {
        curve.shape.check()?;
        curve.calendar.check()?;
        let start = curve.start.as_millis();
        let total = open_total(curve)?;
        let end = match pauses.on_resume {
            OnResume::Stretch => None,
            OnResume::Compress { .. } => Walk::run(curve, &Pauses::default(), total, None)?.end,
        };
        let walk = Walk::run(curve, pauses, total, end)?;
        Ok(Self {
            start,
            total,
            track: Track::new(walk.track, total),
            shape: curve.shape.table(),
        })
    }

    /// The share that should have changed at `at`.
    #[must_use]
    pub fn share_at(&self, at: Timestamp) -> Share {
        let open = self.track.at(self.since_start(at));
        Share::from_parts(self.shape.at(Share::ratio(open, self.total).parts()))
    }

    /// The first millisecond at which the share is at least `share`; `None` if that is not foreseeable, as in a pause.
    #[must_use]
    pub fn reaches(&self, share: Share) -> Option<Timestamp> {
        let progress = self.shape.first(share.parts())?;
        let open = Share::from_parts(progress).of_ceil(self.total);
        let offset = i64::try_from(self.track.first(open)?).ok()?;
        Some(Timestamp::from_millis(self.start.saturating_add(offset)))
    }

    /// When all has changed; `None` in a pause.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.reaches(Share::ONE)
    }

    /// The open time that has passed at `at`, in milliseconds: the curve's own clock.
    #[must_use]
    pub fn open_at(&self, at: Timestamp) -> u64 {
        self.track.at(self.since_start(at))
    }

    fn since_start(&self, at: Timestamp) -> u64 {
        u64::try_from(at.as_millis().saturating_sub(self.start)).unwrap_or(0)
    }
}

/// How much open time the curve takes if nobody pauses it.
fn open_total(curve: &Curve) -> Result<u64, CurveError> {
    let start = curve.start.as_millis();
    let millis = curve
        .length
        .millis()
        .filter(|millis| *millis <= HORIZON)
        .ok_or(CurveError::OutOfRange { at: curve.start })?;
    if millis == 0 {
        return Err(CurveError::ZeroDuration);
    }
    let total = match curve.length {
        Length::Open(_) => millis.unsigned_abs(),
        Length::Elapsed(_) => {
            spans::length(&curve.calendar.open(start, start.saturating_add(millis))?)
        }
    };
    if total == 0 {
        Err(CurveError::NeverOpens { start: curve.start })
    } else {
        Ok(total)
    }
}

/// Goes through the open time once, and notes the curve's own clock at every corner.
struct Walk {
    start: i64,
    total: u64,
    open: u64,
    track: Vec<Leg>,
    end: Option<i64>,
}

impl Walk {
    /// `planned_end` is where the curve would end without a pause; only compressing needs it.
    fn run(
        curve: &Curve,
        pauses: &Pauses,
        total: u64,
        planned_end: Option<i64>,
    ) -> Result<Self, CurveError> {
        let start = curve.start.as_millis();
        let mut walk = Self {
            start,
            total,
            open: 0,
            track: Vec::new(),
            end: None,
        };
        let stopped = pauses.spans();
        let mut speed = Speed::PLANNED;
        let mut resumed = None;
        let (mut from, mut step) = (start, 32 * DAY);
        while walk.end.is_none() && from < start.saturating_add(2 * HORIZON) {
            let until = from.saturating_add(step);
            for span in spans::subtract(&curve.calendar.open(from, until)?, &stopped) {
                let resume = pauses.last_resume(span.0);
                if let (OnResume::Compress { speed_max_permille }, Some(end)) =
                    (pauses.on_resume, planned_end)
                    && resume != resumed
                {
                    let left = spans::length(&curve.calendar.open(span.0, end)?);
                    speed = Speed::to_make_up(total - walk.open, left, speed_max_permille);
                    resumed = resume;
                }
                walk.pass(span, speed);
            }
            if stopped
                .last()
                .is_some_and(|span| span.1 == i64::MAX && span.0 <= until)
            {
                return Ok(walk);
            }
            (from, step) = (until, 400 * DAY);
        }
        if walk.end.is_some() {
            Ok(walk)
        } else {
            Err(CurveError::NeverOpens { start: curve.start })
        }
    }

    fn pass(&mut self, span: Span, speed: Speed) {
        if self.end.is_some() {
            return;
        }
        let from = span.0.abs_diff(self.start);
        let leg = Leg {
            from,
            until: span.1.abs_diff(self.start),
            open: self.open,
            speed,
        };
        let needed = speed.time(self.total - self.open);
        if from.saturating_add(needed) <= leg.until {
            self.end = Some(span.0.saturating_add_unsigned(needed));
        }
        self.open = leg.at(leg.until).min(self.total);
        self.track.push(leg);
    }
}
