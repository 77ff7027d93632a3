//! How a reset is made of options.

use std::fmt::Display;
use std::fs;
use std::str::FromStr;

use helios_core::Timestamp;
use helios_rollout::Share;
use helios_rollout::guard::Action as OnHarm;
use helios_rollout::order::Amount;
use helios_rollout::reset::{Action, GroupLimit, Limits, Patience, Reset, Wanted};

use crate::args::{ActionName, ResetLimitArgs, ResetPatienceArgs, ResetSpecArgs};
use crate::commands::guard;
use crate::{Failure, times};

/// The reset that the options mean.
pub(super) fn request(args: &ResetSpecArgs, now: Timestamp) -> Result<Reset, Failure> {
    if let Some(file) = &args.file {
        let name = file.display();
        let text = fs::read(file)
            .map_err(|error| Failure::new(format!("{name} cannot be read")).caused_by(error))?;
        let reset: Reset = serde_json::from_slice(&text)
            .map_err(|error| Failure::new(format!("{name} is no reset")).caused_by(error))?;
        return Ok(Reset {
            name: args.name.clone(),
            ..reset
        });
    }
    let wanted = match (&args.older_than, &args.not_since) {
        (Some(age), _) => Wanted::YoungerThan(times::duration(age)?),
        (None, Some(since)) => Wanted::ResetSince(times::moment(since, now)?),
        (None, None) => Wanted::NoRebootPending,
    };
    let deadline = times::moment(args.by.as_deref().unwrap_or_default(), now)?;
    let selectors = args.selectors.iter().map(|text| read(text));
    Ok(Reset {
        name: args.name.clone(),
        hosts: selectors.collect::<Result<_, _>>()?,
        wanted,
        deadline,
        action: match args.action {
            ActionName::Agent => Action::Agent,
            ActionName::Master => Action::Master,
            ActionName::None => Action::None,
        },
        limits: limits(&args.limits)?,
        patience: patience(&args.patience)?,
        // What was reset cannot be taken back: whatever is shown, it is halted.
        guard: guard::of(&args.guard, deadline.since(now), OnHarm::Hold)?,
    })
}

fn limits(args: &ResetLimitArgs) -> Result<Limits, Failure> {
    let groups = args.groups.iter().map(|text| group(text));
    let minimums = args.minimums.iter().map(|text| {
        let (service, least) = pair("--minimum", text)?;
        Ok((service.to_owned(), amount(least)?))
    });
    Ok(Limits {
        at_once: args.at_once,
        groups: groups.collect::<Result<_, _>>()?,
        calendar: times::calendar(&args.windows, &args.freezes)?,
        minimum_healthy: amount(&args.minimum_healthy)?,
        services: minimums.collect::<Result<_, Failure>>()?,
        waived: args.waived.iter().cloned().collect(),
        first_alone: !args.no_trial,
        failures: args.failures,
    })
}

/// `role=10%,floor=1,ceiling=5,keep=2`
fn group(text: &str) -> Result<GroupLimit, Failure> {
    let mut parts = text.split(',');
    let (label, share) = pair("--per", parts.next().unwrap_or_default())?;
    let mut limit = GroupLimit {
        label: label.to_owned(),
        share: read::<Share>(share)?,
        floor: 1,
        ceiling: None,
        keep: 0,
    };
    for part in parts {
        let (name, number) = pair("--per", part)?;
        let number: u64 = read(number)?;
        match name {
            "floor" => limit.floor = number,
            "ceiling" => limit.ceiling = Some(number),
            "keep" => limit.keep = number,
            _ => {
                let message = format!("--per {text:?} limits {name:?}, which there is not");
                return Err(Failure::new(message).advise("use floor, ceiling and keep"));
            }
        }
    }
    Ok(limit)
}

fn patience(args: &ResetPatienceArgs) -> Result<Patience, Failure> {
    Ok(Patience {
        drain: times::duration(&args.drain_within)?,
        ask: times::duration(&args.answer_within)?,
        away: times::duration(&args.back_within)?,
        check: times::duration(&args.well_within)?,
        settle: times::duration(&args.settle)?,
        service: times::duration(&args.below_for)?,
        expected: times::duration(&args.expected)?,
    })
}

/// A number, or a share with its sign.
fn amount(text: &str) -> Result<Amount, Failure> {
    match text.parse() {
        Ok(count) => Ok(Amount::Hosts(count)),
        Err(_) => Ok(Amount::Share(read(text)?)),
    }
}

fn pair<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let found = text.split_once('=').filter(|(name, _)| !name.is_empty());
    found.ok_or_else(|| Failure::new(format!("{option} {text:?} is not NAME=VALUE")))
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, Failure> {
    let read = text.trim().parse();
    read.map_err(|error: T::Err| Failure::new(format!("{text:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        spec: ResetSpecArgs,
    }

    fn made(line: &str) -> Result<Reset, Failure> {
        let words = ["reset"].into_iter().chain(line.split(' '));
        request(
            &Line::try_parse_from(words).unwrap().spec,
            Timestamp::from_millis(1_000),
        )
    }

    #[test]
    fn a_guard_asks_agents_or_prometheus_and_waits_for_evidence_for_a_day_at_least() {
        let reset = made("october --not-since now --by +2d --guard health --grace 90s").unwrap();
        let guard = reset.guard.unwrap();
        let objective = &guard.objectives[0];
        assert_eq!(objective.query, r#"{"health":{"grace_seconds":90}}"#);
        assert_eq!(objective.dead_man, Duration::from_secs(86_400));
        let error = made("october --not-since now --by +2d --guard http://p:9090").unwrap_err();
        assert!(error.to_string().contains("--guard-bad"), "{error}");
    }

    #[test]
    fn what_is_not_said_is_as_careful_as_can_be() {
        let reset = made("october --not-since now --by +1s").unwrap();
        assert_eq!(
            (reset.limits, reset.patience),
            (Limits::default(), Patience::default())
        );
        assert_eq!(
            reset.wanted,
            Wanted::ResetSince(Timestamp::from_millis(1_000))
        );
        assert_eq!(
            (reset.deadline, reset.action),
            (Timestamp::from_millis(2_000), Action::Agent)
        );
    }

    #[test]
    fn limits_are_written_as_people_say_them() {
        let reset = made(
            "r --older-than 30d --by +7d -s role=web --per role=10%,floor=2,ceiling=5,keep=1 --minimum-healthy 80% \
             --minimum db=2 --waive lonely --no-trial --action none",
        )
        .unwrap();
        let group = &reset.limits.groups[0];
        assert_eq!(
            (group.label.as_str(), group.floor, group.ceiling, group.keep),
            ("role", 2, Some(5), 1)
        );
        assert_eq!(
            reset.limits.minimum_healthy,
            Amount::Share(Share::from_percent(80))
        );
        assert_eq!(reset.limits.services["db"], Amount::Hosts(2));
        assert_eq!(
            reset.wanted,
            Wanted::YoungerThan(Duration::from_secs(30 * 86_400))
        );
        assert!(reset.limits.waived.contains("lonely") && !reset.limits.first_alone);
        for bad in ["--per role", "--per role=x", "--per role=1%,top=3"] {
            assert!(
                made(&format!("r --not-since now --by +1h {bad}")).is_err(),
                "{bad}"
            );
        }
    }
}
