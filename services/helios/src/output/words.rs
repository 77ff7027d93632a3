//! Times, lists and texts for people.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use helios_core::Timestamp;
use jiff::tz::TimeZone;

/// How long, in the largest unit that fits: `2 minutes`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(count, unit, "s")
}

/// So many of them: `1 host`, `2 hosts`.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(
    count: N,
    what: &str,
    plural: &str,
) -> String {
    let ending = if count == N::from(1) { "" } else { plural };
    format!("{count} {what}{ending}")
}

/// How long before `now`, or after it.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("in {}", duration(at.since(now)))
    } else {
        format!("{} ago", duration(now.since(at)))
    }
}

/// That time on the clocks of this machine.
pub(crate) fn local_time(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(time) => {
            let local = time.to_zoned(TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
        }
        Err(_) => at.to_string(),
    }
}

/// A text that has no line breaks and other control characters any more, since it came from elsewhere.
pub(crate) fn one_line(text: &str) -> String {
    let shown = text.trim_end().chars();
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// In quotes if there is white space in it.
pub(crate) fn quoted(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() || text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// The entries of a map, `name=value`.
pub(crate) fn pairs(map: &BTreeMap<String, String>) -> Vec<String> {
    let pair = |(name, value): (&String, &String)| format!("{name}={}", one_line(value));
    map.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_durations_of_the_original() {
        #[derive(Deserialize)]
        struct File {
            vectors: Vec<Vector>,
        }
        #[derive(Deserialize)]
        struct Vector {
            millis: u64,
            text: String,
        }
        let file: File =
            serde_json::from_str(include_str!("../../vectors/human-duration.json")).unwrap();
        assert_eq!(file.vectors.len(), 19);
        for Vector { millis, text } in file.vectors {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn times_are_told_from_now() {
        let [earlier, later] = [1_000, 61_000].map(Timestamp::from_millis);
        assert_eq!(ago(earlier, later), "1 minute ago");
        assert_eq!(ago(later, earlier), "in 1 minute");
    }

    #[test]
    fn what_comes_from_elsewhere_cannot_write_over_the_screen() {
        assert_eq!(one_line("a\x1b[2Jb\nc\n"), "a [2Jb c");
        assert_eq!(
            (quoted("two words"), quoted("one")),
            ("\"two words\"".into(), "one".into())
        );
    }
}
