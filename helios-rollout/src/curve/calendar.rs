//! When a rollout may move at all.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::CurveError;
use super::spans::{self, Span};
use super::window::{self, Window};

/// Open windows and freezes. Without a window, all time is open; a freeze closes whatever it covers.
///
/// Closed time costs no progress and makes no jump: a curve runs on open time only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Open is what lies in any of these; everything, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Closed is what lies in any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
}

/// A time in which nothing moves, windows or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Its first millisecond.
    pub from: Timestamp,
    /// The first millisecond after it.
    pub until: Timestamp,
    /// Why, for whoever wonders.
    pub reason: String,
}

impl Freeze {
    /// Whole days in a time zone, from the start of `first` to the end of `last`, both written `2026-12-24`.
    ///
    /// # Errors
    ///
    /// [`CurveError::UnknownZone`]; [`CurveError::Window`] if a date is none;
    /// [`CurveError::EmptyFreeze`] if `last` is before `first`.
    pub fn days(first: &str, last: &str, zone: &str, reason: &str) -> Result<Self, CurveError> {
        let zone = window::zone(zone)?;
        let date = |text: &str| {
            text.parse::<jiff::civil::Date>()
                .map_err(|_| CurveError::Window {
                    text: text.to_owned(),
                })
        };
        let after_last = date(last)?.tomorrow().map_err(|_| CurveError::Window {
            text: last.to_owned(),
        })?;
        let midnight = |date: jiff::civil::Date, text: &str| {
            window::start_of(date.at(0, 0, 0, 0), &zone)
                .map(Timestamp::from_millis)
                .ok_or_else(|| CurveError::Window {
                    text: text.to_owned(),
                })
        };
        let freeze = Self {
            from: midnight(date(first)?, first)?,
            until: midnight(after_last, last)?,
            reason: reason.to_owned(),
        };
        freeze.check()?;
        Ok(freeze)
    }

    fn check(&self) -> Result<(), CurveError> {
        let (from, until) = (self.from, self.until);
        if from < until {
            Ok(())
        } else {
            Err(CurveError::EmptyFreeze { from, until })
        }
    }
}

impl Calendar {
    /// Whether every freeze has a length.
    ///
    /// # Errors
    ///
    /// [`CurveError::EmptyFreeze`] names the one that has none.
    pub fn check(&self) -> Result<(), CurveError> {
        self.freezes.iter().try_for_each(Freeze::check)
    }

    /// How much of `[from, until)` is open.
    ///
    /// # Errors
    ///
    /// [`CurveError::OutOfRange`] if the calendar does not reach that far.
    pub fn open_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<std::time::Duration, CurveError> {
        Ok(std::time::Duration::from_millis(spans::length(
            &self.open(from.as_millis(), until.as_millis())?,
        )))
    }

    /// The open spans of `[from, until)`, in order.
    pub(super) fn open(&self, from: i64, until: i64) -> Result<Vec<Span>, CurveError> {
        if from >= until {
            return Ok(Vec::new());
        }
        let mut open = Vec::new();
        for window in &self.windows {
            open.extend(window.spans(Timestamp::from_millis(from), Timestamp::from_millis(until))?);
        }
        if self.windows.is_empty() {
            open.push((from, until));
        }
        let clipped = open
            .into_iter()
            .map(|span| (span.0.max(from), span.1.min(until)))
            .collect();
        let frozen = self
            .freezes
            .iter()
            .map(|freeze| (freeze.from.as_millis(), freeze.until.as_millis()));
        Ok(spans::subtract(
            &spans::union(clipped),
            &spans::union(frozen.collect()),
        ))
    }
}
