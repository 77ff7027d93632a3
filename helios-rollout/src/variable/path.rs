//! The share that should hold the new value, there and back.

use helios_core::Timestamp;

use super::transition::Running;
use crate::curve::{CurveError, FallingSchedule, Schedule};
use crate::share::Share;

/// A transition's curve and, if it was rolled back, the descent from its pivot.
#[derive(Clone, Debug)]
pub(super) struct Path {
    rising: Schedule,
    upto: Share,
    falling: Option<(Timestamp, FallingSchedule)>,
}

impl Path {
    pub(super) fn of(running: &Running) -> Result<Self, CurveError> {
        let falling = running.rollback.as_ref().map(|rollback| {
            let schedule = rollback.descent.schedule(&rollback.pauses)?;
            Ok((rollback.descent.curve.start, schedule))
        });
        Ok(Self {
            rising: running.transition.curve.schedule(&running.pauses)?,
            upto: running.transition.upto,
            falling: falling.transpose()?,
        })
    }

    pub(super) fn share_at(&self, at: Timestamp) -> Share {
        match &self.falling {
            Some((pivot, falling)) if at >= *pivot => falling.share_at(at),
            _ => self.rising.share_at(at).times(self.upto),
        }
    }

    /// When the share first reaches `turn`, as far as that is before the pivot.
    pub(super) fn reaches(&self, turn: Share) -> Option<Timestamp> {
        let wanted = u128::from(turn.parts()) * u128::from(Share::PARTS);
        let progress = wanted.div_ceil(u128::from(self.upto.parts()).max(1));
        let progress = u64::try_from(progress)
            .ok()
            .filter(|parts| *parts <= Share::PARTS)?;
        let at = self.rising.reaches(Share::from_parts(progress))?;
        let before_pivot = self.falling.as_ref().is_none_or(|(pivot, _)| at < *pivot);
        before_pivot.then_some(at)
    }

    /// When, on the way back, the share falls below `turn`.
    pub(super) fn falls_below(&self, turn: Share) -> Option<Timestamp> {
        self.falling.as_ref()?.1.falls_below(turn)
    }

    /// The share at the end, if nothing stops it.
    pub(super) fn last(&self) -> Share {
        if self.falling.is_some() {
            Share::ZERO
        } else {
            self.upto
        }
    }
}
