//! How a reset will go on, and what it waits for.

use std::collections::BTreeMap;

use helios_core::Timestamp;

use super::{Forecast, Hold, ResetRecord, Robustness, Sights, Stage, advance, forecast};

/// How a reset will go on, by what is seen of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How the rest of it will go, if every host takes as long as those before it. [`Forecast::ends`] is `None` while it does not run.
    pub forecast: Forecast,
    /// What holds the hosts that are due and not chosen, and how many of them.
    pub holds: BTreeMap<Hold, u64>,
    /// How many hosts are still to be chosen.
    pub due: u64,
}

impl Outlook {
    /// That of a reset at `now`.
    #[must_use]
    pub fn of(record: &ResetRecord, sights: &Sights, now: Timestamp) -> Self {
        let (reset, progress) = (&record.reset, &record.progress);
        let plan = advance(reset, progress, &Robustness::default(), sights, "", now);
        let mut forecast = forecast(reset, progress, sights, now);
        if progress.stage != Stage::Running {
            (forecast.ends, forecast.feasible) = (None, false);
        }
        Self {
            due: forecast.line.len() as u64,
            holds: plan.holds,
            forecast,
        }
    }
}
