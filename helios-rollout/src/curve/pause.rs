//! A clock that can be stopped.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::CurveError;
use super::spans::{self, Span};

/// When a running curve was stopped, and what happens to its end then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    #[serde(default)]
    list: Vec<Pause>,
    /// What resuming does to the end.
    #[serde(default)]
    pub on_resume: OnResume,
}

/// One stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Its first millisecond.
    pub from: Timestamp,
    /// The first millisecond after it; `None` while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What resuming does to the end of the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnResume {
    /// The end moves by as much open time as was lost.
    #[default]
    Stretch,
    /// The end stays and the rest runs faster, but never faster than so many thousandths of the planned speed; if that is
    /// not enough, the end moves as far as it must.
    Compress {
        /// The limit, at least 1,000.
        speed_max_permille: u32,
    },
}

impl Pauses {
    /// No pause yet.
    #[must_use]
    pub fn new(on_resume: OnResume) -> Self {
        Self {
            list: Vec::new(),
            on_resume,
        }
    }

    /// All stops, in order.
    #[must_use]
    pub fn list(&self) -> &[Pause] {
        &self.list
    }

    /// Whether it stands still now.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.list.last().is_some_and(|pause| pause.until.is_none())
    }

    /// Stops the clock.
    ///
    /// # Errors
    ///
    /// [`CurveError::Clock`] if it is stopped already, or was still stopped at `at`.
    pub fn pause(&mut self, at: Timestamp) -> Result<(), CurveError> {
        let refuse = |why| {
            Err(CurveError::Clock {
                wanted: "pause",
                at,
                why,
            })
        };
        match self.list.last() {
            Some(Pause { until: None, .. }) => refuse("it is paused already"),
            Some(Pause {
                until: Some(until), ..
            }) if at < *until => refuse("that is before the end of the last pause"),
            _ => {
                self.list.push(Pause {
                    from: at,
                    until: None,
                });
                Ok(())
            }
        }
    }

    /// Lets the clock run again.
    ///
    /// # Errors
    ///
    /// [`CurveError::Clock`] if it is running, or if `at` is before the stop.
    pub fn resume(&mut self, at: Timestamp) -> Result<(), CurveError> {
        let refuse = |why| {
            Err(CurveError::Clock {
                wanted: "resume",
                at,
                why,
            })
        };
        match self.list.last_mut() {
            Some(Pause { from, .. }) if at < *from => refuse("that is before the pause"),
            Some(Pause {
                until: until @ None,
                ..
            }) => {
                *until = Some(at);
                Ok(())
            }
            _ => refuse("it is not paused"),
        }
    }

    /// The stopped spans, the last one open-ended.
    pub(super) fn spans(&self) -> Vec<Span> {
        let until = |pause: &Pause| pause.until.map_or(i64::MAX, Timestamp::as_millis);
        spans::union(
            self.list
                .iter()
                .map(|pause| (pause.from.as_millis(), until(pause)))
                .collect(),
        )
    }

    /// When the clock last began to run again, at or before `at`.
    pub(super) fn last_resume(&self, at: i64) -> Option<i64> {
        let ends = self
            .list
            .iter()
            .filter_map(|pause| pause.until)
            .map(Timestamp::as_millis);
        ends.rev().find(|end| *end <= at)
    }
}
