//! A clock for tests that look at records.

use helios_core::{Clock, Moment, Timestamp};

/// The wall clock stands still, so that all records lie in one place.
#[derive(Debug)]
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn moment(&self) -> Moment {
        Moment::default()
    }
}
