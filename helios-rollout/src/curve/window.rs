//! Hours in which a rollout may move.

use std::fmt;
use std::str::FromStr;

use helios_core::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::CurveError;
use super::spans::Span;

/// Hours of some days of the week in one time zone: `Mon-Fri 09:00-16:00 Europe/Stockholm`.
///
/// Days are a range, a list (`Mon,Wed,Fri`), a list of ranges or `daily`. Hours that end before they begin run into the next day;
/// `24:00` is the end of a day. The zone's rules come with this library, not from the machine, so that all
/// masters agree. A time that a zone skips in spring means the moment after the gap, one that occurs twice in autumn means the first.
///
/// ```
/// use helios_rollout::curve::Window;
///
/// let hours: Window = "mon,tue,wed,thu,fri 9:00-16:00 Europe/Stockholm".parse()?;
/// assert_eq!(hours.to_string(), "Mon-Fri 09:00-16:00 Europe/Stockholm");
/// # Ok::<(), helios_rollout::curve::CurveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// Bit 0 is Monday.
    days: u8,
    opens: Minute,
    closes: Minute,
    zone: String,
}

/// Minutes since midnight, at most 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(i16);

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EVERY_DAY: u8 = 0b111_1111;

impl Window {
    /// The name of the time zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The open spans that touch `[from, until)`, in no particular order and possibly reaching beyond it.
    pub(super) fn spans(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Span>, CurveError> {
        let zone = zone(&self.zone)?;
        // A day earlier, because yesterday's hours may run into today.
        let mut date = date_of(from, &zone)?
            .yesterday()
            .map_err(|_| CurveError::OutOfRange { at: from })?;
        let last = date_of(until, &zone)?;
        let mut spans = Vec::new();
        while date <= last {
            let next = date
                .tomorrow()
                .map_err(|_| CurveError::OutOfRange { at: until })?;
            if self.days >> date.weekday().to_monday_zero_offset() & 1 == 1 {
                let closing_day = if self.closes <= self.opens {
                    next
                } else {
                    date
                };
                let opens =
                    instant(date, self.opens, &zone).ok_or(CurveError::OutOfRange { at: until })?;
                let closes = instant(closing_day, self.closes, &zone)
                    .ok_or(CurveError::OutOfRange { at: until })?;
                spans.push((opens, closes));
            }
            date = next;
        }
        Ok(spans)
    }
}

pub(super) fn zone(name: &str) -> Result<TimeZone, CurveError> {
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| CurveError::UnknownZone {
            zone: name.to_owned(),
        })
}

pub(super) fn date_of(at: Timestamp, zone: &TimeZone) -> Result<Date, CurveError> {
    let instant = jiff::Timestamp::from_millisecond(at.as_millis())
        .map_err(|_| CurveError::OutOfRange { at })?;
    Ok(zone.to_datetime(instant).date())
}

fn instant(date: Date, minute: Minute, zone: &TimeZone) -> Option<i64> {
    let (date, minute) = if minute.0 == 1440 {
        (date.tomorrow().ok()?, 0)
    } else {
        (date, minute.0)
    };
    let time = Time::new(
        i8::try_from(minute / 60).ok()?,
        i8::try_from(minute % 60).ok()?,
        0,
        0,
    )
    .ok()?;
    start_of(DateTime::from_parts(date, time), zone)
}

/// The instant that a civil time means, in milliseconds.
pub(super) fn start_of(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(zone.to_timestamp(civil).ok()?.as_millisecond())
}

impl FromStr for Window {
    type Err = CurveError;

    fn from_str(text: &str) -> Result<Self, CurveError> {
        let unreadable = || CurveError::Window {
            text: text.to_owned(),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let &[days, hours, zone_name] = words.as_slice() else {
            return Err(unreadable());
        };
        let days = parse_days(days).ok_or_else(unreadable)?;
        let (opens, closes) = parse_hours(hours).ok_or_else(unreadable)?;
        zone(zone_name)?;
        Ok(Self {
            days,
            opens,
            closes,
            zone: zone_name.to_owned(),
        })
    }
}

fn parse_days(text: &str) -> Option<u8> {
    if text.eq_ignore_ascii_case("daily") {
        return Some(EVERY_DAY);
    }
    text.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        let length = (last + 7 - first) % 7;
        Some((0..=length).fold(days, |days, step| days | 1 << ((first + step) % 7)))
    })
}

fn parse_day(text: &str) -> Option<usize> {
    DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))
}

/// Opening and closing time, which must differ: `00:00-24:00` is the whole day.
fn parse_hours(text: &str) -> Option<(Minute, Minute)> {
    let (opens, closes) = text.split_once('-')?;
    let (opens, closes) = (parse_time(opens)?, parse_time(closes)?);
    (opens != closes && opens.0 < 1440).then_some((opens, closes))
}

fn parse_time(text: &str) -> Option<Minute> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= 1440).then_some(Minute(minute))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}-{} {}",
            day_names(self.days),
            self.opens,
            self.closes,
            self.zone
        )
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Runs of days as ranges, the others by name; a run may pass the end of the week, as in `Fri-Mon`.
fn day_names(days: u8) -> String {
    if days == EVERY_DAY {
        return "daily".to_owned();
    }
    let has = |day: usize| days >> (day % 7) & 1 == 1;
    let starts = (0..7).filter(|&day| has(day) && !has(day + 6));
    let name = |day: usize| DAYS.get(day % 7).copied().unwrap_or_default();
    let runs = starts.map(|first| {
        let last = (first..first + 7)
            .take_while(|&day| has(day))
            .last()
            .unwrap_or(first);
        if first == last {
            name(first).to_owned()
        } else {
            format!("{}-{}", name(first), name(last))
        }
    });
    runs.collect::<Vec<_>>().join(",")
}

impl TryFrom<String> for Window {
    type Error = CurveError;

    fn try_from(text: String) -> Result<Self, CurveError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}
