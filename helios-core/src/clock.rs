//! The `Clock` port.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::time::{Moment, Timestamp};

/// Tells the time, of both kinds.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock, for people and for what is stored. It may jump.
    fn now(&self) -> Timestamp;

    /// The monotonic clock, for every decision that waits. It never goes back, and stands in step with
    /// tokio's timers, so that a test with paused time is a test with a paused clock.
    fn moment(&self) -> Moment;
}

/// The clocks of this machine.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose moments start now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn moment(&self) -> Moment {
        let elapsed = self.start.elapsed().as_millis();
        Moment::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}
