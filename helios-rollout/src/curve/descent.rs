//! The way back.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Curve, CurveError, Pauses, Schedule};
use crate::share::Share;

/// A rollback: from the share that had been reached down to nothing, at its own pace.
///
/// The share only falls from its pivot, so with a fixed order of hosts the last in are the first out, and no host that never
/// changed is touched. (Merely swapping the two values would run the order from its front again: first in, first out,
/// through hosts that never had the new value.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descent {
    /// The share that had been reached.
    pub pivot: Share,
    /// How fast it falls; the shape is read from the pivot downwards.
    pub curve: Curve,
}

/// A descent, worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FallingSchedule {
    pivot: Share,
    schedule: Schedule,
}

impl Descent {
    /// Works it out, with the pauses there have been since the pivot.
    pub(crate) fn schedule(&self, pauses: &Pauses) -> Result<FallingSchedule, CurveError> {
        Ok(FallingSchedule {
            pivot: self.pivot,
            schedule: self.curve.schedule(pauses)?,
        })
    }
}

impl FallingSchedule {
    /// The share that should still have the new value.
    pub(crate) fn share_at(&self, at: Timestamp) -> Share {
        let undone = self.schedule.share_at(at).times(self.pivot);
        Share::from_parts(self.pivot.parts() - undone.parts())
    }

    /// The first millisecond at which the share is below `share`.
    pub(crate) fn falls_below(&self, share: Share) -> Option<Timestamp> {
        let undone = (self.pivot.parts() + 1).checked_sub(share.parts())?;
        let pivot = u128::from(self.pivot.parts()).max(1);
        let progress = (u128::from(undone) * u128::from(Share::PARTS)).div_ceil(pivot);
        let progress = u64::try_from(progress)
            .ok()
            .filter(|parts| *parts <= Share::PARTS)?;
        self.schedule.reaches(Share::from_parts(progress))
    }
}
