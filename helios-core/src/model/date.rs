//! Dates as text.

use super::ParseError;
use crate::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes a moment as `2034-05-31T12:00:00.123+0000`: always UTC, three digits of fraction, and no
/// colon in the offset. Job hashes depend on this form.
#[must_use]
pub fn format_date(at: Timestamp) -> String {
    let (days, ms) = (
        at.as_millis().div_euclid(DAY_MS),
        at.as_millis().rem_euclid(DAY_MS),
    );
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}+0000",
        ms % 1_000
    )
}

/// Reads a moment: an integer of epoch milliseconds, ISO 8601 (`2034-06-01`, or with a time and an
/// optional offset; UTC without one), or RFC 1123 (`Sun, 01 Jun 2014 12:00:00 GMT`).
///
/// # Errors
/// When the text has none of these forms, or names a day or time that does not exist.
pub fn parse_date(text: &str) -> Result<Timestamp, ParseError> {
    let trimmed = text.trim();
    trimmed
        .parse()
        .ok()
        .or_else(|| parse_iso(trimmed))
        .or_else(|| parse_rfc1123(trimmed))
        .map(Timestamp::from_millis)
        .ok_or_else(|| {
            ParseError::new(
                "a date",
                text,
                "use epoch milliseconds, 2034-06-01T12:00:00Z, or Thu, 01 Jun 2034 12:00:00 GMT",
            )
        })
}

fn parse_iso(text: &str) -> Option<i64> {
    let mut rest = Cursor(text);
    let (year, month, day) = (
        rest.digits(4)?,
        rest.after('-')?.digits(2)?,
        rest.after('-')?.digits(2)?,
    );
    let days = days_until(year, month, day)?;
    if rest.0.is_empty() {
        return Some(days * DAY_MS);
    }
    let (hour, minute) = (rest.after('T')?.digits(2)?, rest.after(':')?.digits(2)?);
    let second = if rest.take(':') { rest.digits(2)? } else { 0 };
    let millis = if rest.take('.') { rest.fraction()? } else { 0 };
    let time = time_of_day(hour, minute, second)? + millis;
    Some(days * DAY_MS + time - rest.offset_to_end()?)
}

fn parse_rfc1123(text: &str) -> Option<i64> {
    let (weekday, rest) = text.split_once(", ")?;
    if weekday.len() != 3 {
        return None;
    }
    let mut words = rest.split(' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (time, zone) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let days = days_until(year.parse().ok()?, month, day.parse().ok()?)?;
    let mut time = Cursor(time);
    let (hour, minute, second) = (
        time.digits(2)?,
        time.after(':')?.digits(2)?,
        time.after(':')?.digits(2)?,
    );
    let offset = match zone {
        "GMT" | "UTC" => 0,
        zone => Cursor(zone).offset_to_end()?,
    };
    let ms = time_of_day(hour, minute, second)?;
    time.0.is_empty().then(|| days * DAY_MS + ms - offset)
}

fn time_of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then(|| ((hour * 60 + minute) * 60 + second) * 1_000)
}

/// What of a text is still to be read.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    /// Whether `c` came next; it is then behind.
    fn take(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// This cursor, if `c` came next.
    fn after(&mut self, c: char) -> Option<&mut Self> {
        self.take(c).then_some(self)
    }

    /// One to nine digits of a fraction, in whole milliseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let nanos = (1..=9).contains(&count).then(|| self.digits(count))??;
        let scale = 10_i64.pow(9 - u32::try_from(count).ok()?);
        Some(nanos * scale / 1_000_000)
    }

    /// The offset from UTC in milliseconds, if nothing follows it: nothing, `Z`, `+hh`, `+hhmm` or
    /// `+hh:mm`.
    fn offset_to_end(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.0 == "Z" {
            return Some(0);
        }
        let sign = if self.take('-') {
            -1
        } else {
            self.after('+')?;
            1
        };
        let hours = self.digits(2)?;
        let minutes = if self.take(':') || !self.0.is_empty() {
            self.digits(2)?
        } else {
            0
        };
        let whole = self.0.is_empty() && hours < 24 && minutes < 60;
        whole.then(|| sign * (hours * 60 + minutes) * 60_000)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, if there is such a date.
fn days_until(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9_999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_before_month(year, month) + day - 1;
    // The day exists if it is still in the month it was given with.
    (date_of(days) == (year, month, day)).then_some(days)
}

/// Days from 1970-01-01 to the first of a month.
fn days_before_month(year: i64, month: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 - DAYS_TO_1970
}

/// Days from March 1st of year 0 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// Year, month and day of the date that many days after 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let days = days + DAYS_TO_1970;
    let (era, day) = (
        days.div_euclid(DAYS_IN_400_YEARS),
        days.rem_euclid(DAYS_IN_400_YEARS),
    );
    let year = (day - day / 1_460 + day / 36_524 - day / (DAYS_IN_400_YEARS - 1)) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, written: &str) {
        let at = parse_date(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format_date(at), written, "{text:?}");
    }

    #[test]
    fn reads_every_form_in_use() {
        check("2034-06-01", "2034-06-01T00:00:00.000+0000");
        check("2034-06-01T12:30", "2034-06-01T12:30:00.000+0000");
        check("2034-06-01T12:30:15", "2034-06-01T12:30:15.000+0000");
        check("2034-06-01T12:30:15.5Z", "2034-06-01T12:30:15.500+0000");
        check(
            "2034-06-01T12:30:15.123456+0000",
            "2034-06-01T12:30:15.123+0000",
        );
        check("2034-06-01T12:30+02", "2034-06-01T10:30:00.000+0000");
        check("2034-06-01T12:30:00-0130", "2034-06-01T14:00:00.000+0000");
        check("2034-01-01T00:30:00+01:00", "2033-12-31T23:30:00.000+0000");
        check(
            "Sun, 01 Jun 2014 12:00:00 GMT",
            "2014-06-01T12:00:00.000+0000",
        );
        check("1484270348", "1970-01-18T04:17:50.348+0000");
        check("-1", "1969-12-31T23:59:59.999+0000");
        check("2000-02-29", "2000-02-29T00:00:00.000+0000");
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "1.5",
            "2034-13-01",
            "2034-02-29",
            "2034-06-31",
            "2034-6-1",
            "2034-06-01T",
            "2034-06-01T24:00",
            "2034-06-01T12",
            "2034-06-01T12:00:00.",
            "2034-06-01T12:00+1",
            "2034-06-01T12:00Zx",
            "2034-06-01 12:00",
            "1900-02-29",
            "Sun, 31 Jun 2014 12:00:00 GMT",
            "Sun, 01 Jun 2014 12:00:00",
            "+",
            "2034-06-00",
            "é034-06-01",
        ] {
            assert!(parse_date(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn any_timestamp_can_be_written() {
        for ms in [i64::MIN, i64::MAX, 0] {
            assert!(format_date(Timestamp::from_millis(ms)).ends_with("+0000"));
        }
        assert_eq!(
            format_date(Timestamp::from_millis(253_402_300_799_999)),
            "9999-12-31T23:59:59.999+0000"
        );
    }
}
