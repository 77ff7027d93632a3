//! How far a rollout is, in words.

use std::time::Duration;

use helios_api::wire::RolloutProgress;

use crate::output::duration;

/// The most hosts that a line names.
const NAMED_MAX: usize = 4;

/// The cells of a bar.
const CELLS: u64 = 20;

/// How far it is, as a bar: `#` is done, `x` failed, `>` in flight, `.` still to come.
pub(super) fn bar(progress: &RolloutProgress) -> String {
    let all = progress.members.max(1);
    let [failed, flying] = [progress.failed.len(), progress.in_flight.len()].map(length);
    let mut bar = String::from("[");
    let mut hosts = 0;
    let mut cells = 0;
    for (more, cell) in [(progress.done, '#'), (failed, 'x'), (flying, '>')] {
        hosts += more;
        // Rounded down, so that the bar is full when everything is done and not before.
        let until = (hosts.min(all) * CELLS / all).max(cells);
        (cells..until).for_each(|_| bar.push(cell));
        cells = until;
    }
    (cells..CELLS).for_each(|_| bar.push('.'));
    bar.push(']');
    bar
}

/// How far it is, in one line.
pub(super) fn summary(progress: &RolloutProgress) -> String {
    let mut parts = vec![format!("{} of {} done", progress.done, progress.members)];
    let mut add = |hosts: u64, what: &str, names: Vec<&str>| {
        if hosts > 0 {
            parts.push(format!("{hosts} {what}{}", named(&names)));
        }
    };
    let flying: Vec<&str> = progress
        .in_flight
        .iter()
        .map(|flight| flight.host.as_str())
        .collect();
    let failed: Vec<&str> = progress
        .failed
        .iter()
        .map(|failed| failed.host.as_str())
        .collect();
    let down: Vec<&str> = progress.down.iter().map(String::as_str).collect();
    add(count(&flying), "in flight", flying);
    add(count(&failed), "failed", failed);
    add(progress.waiting, "to come", Vec::new());
    add(count(&down), "down", down);
    if let Some(because) = &progress.paused {
        parts.push(format!("paused ({because})"));
    }
    if let Some(seconds) = progress.seconds_left {
        parts.push(format!(
            "about {} left",
            duration(Duration::from_secs(seconds))
        ));
    }
    parts.join(", ")
}

fn count(names: &[&str]) -> u64 {
    length(names.len())
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn named(names: &[&str]) -> String {
    match names.get(..NAMED_MAX) {
        _ if names.is_empty() => String::new(),
        Some(first) if names.len() > NAMED_MAX => format!(" ({}, ...)", first.join(", ")),
        _ => format!(" ({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use helios_core::Timestamp;

    use super::*;

    fn progress(done: u64, failed: usize, flying: usize, members: u64) -> RolloutProgress {
        let json = |list: Vec<String>| format!("[{}]", list.join(","));
        let failed = (0..failed).map(|n| {
            format!(r#"{{"host":"f{n}","code":"HOST_DOWN","reason":"its agent is down"}}"#)
        });
        let flying = (0..flying).map(|n| {
            format!(r#"{{"host":"n{n}","phase":"STARTING","since":0,"because":"it starts"}}"#)
        });
        let text = format!(
            r#"{{"id":"m-1","job":"web:1:a","state":"ROLLING_OUT","begun":0,"changed":0,"members":{members},
                "done":{done},"waiting":1,"down":[],"steps":[],"secondsLeft":90,
                "failed":{},"inFlight":{}}}"#,
            json(failed.collect()),
            json(flying.collect())
        );
        let progress: RolloutProgress = serde_json::from_str(&text).unwrap();
        assert_eq!(progress.begun, Timestamp::from_millis(0));
        progress
    }

    #[test]
    fn a_bar_is_full_when_all_is_done_and_not_before() {
        let bars = [
            (0, 0, 0, 0),
            (0, 0, 1, 3),
            (3, 1, 2, 10),
            (999, 0, 1, 1_000),
            (3, 0, 0, 3),
        ];
        let bars = bars.map(|(done, failed, flying, of)| bar(&progress(done, failed, flying, of)));
        assert_eq!(
            bars,
            [
                "[....................]",
                "[>>>>>>..............]",
                "[######xx>>>>........]",
                "[###################>]",
                "[####################]",
            ]
        );
    }

    #[test]
    fn a_summary_counts_and_names_a_few() {
        let said = summary(&progress(2, 1, 5, 9));
        assert_eq!(
            said,
            "2 of 9 done, 5 in flight (n0, n1, n2, n3, ...), 1 failed (f0), 1 to come, about 1 minute left"
        );
    }
}
