//! Times, durations and calendars as people write and read them.

use std::time::Duration;

use helios_core::Timestamp;
use helios_rollout::curve::{Calendar, CurveError, Freeze};
use jiff::civil::DateTime;
use jiff::{Span, SpanRelativeTo, Zoned};

use crate::Failure;

/// A duration such as `2w`, `1d12h` or `40m`; a day has 24 hours.
pub(crate) fn duration(text: &str) -> Result<Duration, Failure> {
    let span = text.trim().parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            Failure::new(format!("{text:?} is not a length of time"))
                .advise("write for example 2w, 3d, 12h, 40m or 30s")
        })
}

/// A point in time: `now`, `+2h`, with an offset, or local time and a zone.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let text = text.trim();
    if text.is_empty() || text == "now" {
        return Ok(now);
    }
    if let Some(later) = text.strip_prefix('+') {
        return Ok(now.plus(duration(later)?));
    }
    let millis = |at: jiff::Timestamp| Timestamp::from_millis(at.as_millisecond());
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(millis(at));
    }
    if let Ok(at) = text.parse::<Zoned>() {
        return Ok(millis(at.timestamp()));
    }
    let zoned = text.rsplit_once(' ').and_then(|(local, zone)| {
        let local: DateTime = local.trim().parse().ok()?;
        local.in_tz(zone).ok()
    });
    zoned.map(|at| millis(at.timestamp())).ok_or_else(|| {
        Failure::new(format!("{text:?} is not a point in time")).advise(
            "write for example 2026-11-23T09:00+01:00, \"2026-11-23T09:00 Europe/Stockholm\" or +2h",
        )
    })
}

/// The hours of `--window` without the days of `--freeze`.
pub(crate) fn calendar(windows: &[String], freezes: &[String]) -> Result<Calendar, Failure> {
    let refused = |error: CurveError| {
        Failure::new(error.to_string())
            .advise("write for example --window \"Mon-Fri 09:00-16:00 Europe/Stockholm\"")
    };
    let windows = windows.iter().map(|window| window.parse().map_err(refused));
    let freezes = freezes.iter().map(|text| freeze(text));
    Ok(Calendar {
        windows: windows.collect::<Result<_, _>>()?,
        freezes: freezes.collect::<Result<_, _>>()?,
    })
}

const FREEZE: &str = "write for example --freeze \"2026-12-24..2026-12-27 Europe/Stockholm\"";

fn freeze(text: &str) -> Result<Freeze, Failure> {
    let parts = text.split_once(' ').map(|(days, zone)| {
        let (first, last) = days.split_once("..").unwrap_or((days, days));
        (first, last, zone.trim())
    });
    let Some((first, last, zone)) = parts else {
        return Err(Failure::new(format!("--freeze {text:?} names no time zone")).advise(FREEZE));
    };
    Freeze::days(first, last, zone, "frozen")
        .map_err(|error| Failure::new(error.to_string()).advise(FREEZE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let seconds = |text| duration(text).unwrap().as_secs();
        assert_eq!(
            [seconds("2w"), seconds("1d12h"), seconds("90s")],
            [1_209_600, 129_600, 90]
        );
        assert!(duration("soon").is_err() && duration("-1h").is_err());
        let now = Timestamp::from_millis(1_000);
        let at = |text| moment(text, now).unwrap().as_millis();
        assert_eq!([at("now"), at("+2s")], [1_000, 3_000]);
        let nine = 1_795_420_800_000;
        for text in [
            "2026-11-23T09:00+01:00",
            "2026-11-23T08:00:00Z",
            "2026-11-23T09:00 Europe/Stockholm",
            "2026-11-23 09:00 Europe/Stockholm",
        ] {
            assert_eq!(at(text), nine, "{text}");
        }
        assert!(moment("tomorrow", now).is_err());
    }
}
