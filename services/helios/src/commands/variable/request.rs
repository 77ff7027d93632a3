//! How a rollout is made of options.

use helios_api::wire::{RolloutRequest, VariableStatus};
use helios_core::Timestamp;
use helios_rollout::Share;
use helios_rollout::curve::{Curve, Length, OnResume, Shape};
use helios_rollout::guard::{Action, Bake};
use helios_rollout::order::{Amount, Ceiling, Mode, Order, Rule};
use helios_rollout::variable::{Change, Transition, Value};

use super::value;
use crate::args::{OnHarm, RolloutArgs, ShapeName};
use crate::commands::guard;
use crate::{Failure, times};

/// How many looks there are on average between false alarms of a bake: a bake has a few hundred.
const RUN_LENGTH: u64 = 100_000;

/// The rollout that the options mean, for that variable.
pub(super) fn request(
    args: &RolloutArgs,
    variable: &VariableStatus,
    now: Timestamp,
) -> Result<RolloutRequest, Failure> {
    if let Some(file) = &args.file {
        let name = file.display();
        let text = std::fs::read(file)
            .map_err(|error| Failure::new(format!("{name} cannot be read")).caused_by(error))?;
        return serde_json::from_slice(&text)
            .map_err(|error| Failure::new(format!("{name} is no rollout")).caused_by(error));
    }
    let kind = Some(variable.kind);
    let to = value(args.to.as_deref().unwrap_or_default(), kind)?;
    let from = match &args.from {
        Some(from) => value(from, kind)?,
        None => the_only_value(variable)?,
    };
    let upto = args.per_role.as_deref().map(share).transpose()?;
    let transition = Transition {
        curve: curve(args, now)?,
        upto: upto.unwrap_or(Share::ONE),
        scope: args
            .scope
            .iter()
            .map(|text| read(text))
            .collect::<Result<_, _>>()?,
        order: Order {
            salt: args
                .salt
                .clone()
                .unwrap_or_else(|| format!("{}-{to}", variable.name)),
            strata: args.by.clone(),
            mode: Mode::Ratchet,
            rules: rules(args)?,
            rotation: Share::ZERO,
        },
        on_resume: match args.catch_up {
            Some(times) => OnResume::Compress {
                speed_max_permille: times.saturating_mul(1_000).max(1_000),
            },
            None => OnResume::Stretch,
        },
        change: Change::Replace { from, to },
    };
    let length = match transition.curve.length {
        Length::Elapsed(length) | Length::Open(length) => length,
    };
    let on_harm = match args.on_harm {
        OnHarm::Hold => Action::Hold,
        OnHarm::Rollback => Action::RollBack,
    };
    let mut guard = guard::of(&args.guard, length, on_harm)?;
    if let Some(guard) = &mut guard {
        guard.bake = args.bake.as_deref().map(bake).transpose()?;
    }
    Ok(RolloutRequest { transition, guard })
}

fn the_only_value(variable: &VariableStatus) -> Result<Value, Failure> {
    match &variable.hosts[..] {
        [] => Ok(variable.value.clone()),
        [only] => Ok(only.value.clone()),
        several => {
            let values: Vec<String> = several.iter().map(|held| held.value.to_string()).collect();
            let message = format!("hosts hold different values: {}", values.join(", "));
            Err(Failure::new(message).advise("say with --from which of them changes"))
        }
    }
}

fn curve(args: &RolloutArgs, now: Timestamp) -> Result<Curve, Failure> {
    let shape = match (&args.stages[..], args.shape) {
        ([], ShapeName::Linear) => Shape::Linear,
        ([], ShapeName::Smooth) => Shape::Smoothstep,
        ([], ShapeName::Careful) => Shape::Geometric { ratio: 100 },
        (stages, _) => {
            let stages = stages.iter().map(|stage| share(stage));
            Shape::stages(stages.collect::<Result<Vec<_>, _>>()?)
        }
    };
    Ok(Curve {
        shape,
        start: times::moment(args.start.as_deref().unwrap_or("now"), now)?,
        length: Length::Elapsed(times::duration(args.over.as_deref().unwrap_or_default())?),
        calendar: times::calendar(&args.windows, &args.freezes)?,
    })
}

fn rules(args: &RolloutArgs) -> Result<Vec<Rule>, Failure> {
    let mut rules = Vec::new();
    if let Some(hosts) = args.at_least {
        rules.push(Rule::at_least(format!("at least {hosts}"), hosts));
    }
    if let (Some(most), Some(until)) = (&args.at_most, &args.until) {
        let amount = match most.parse() {
            Ok(hosts) => Amount::Hosts(hosts),
            Err(_) => Amount::Share(share(most)?),
        };
        rules.push(Rule {
            name: format!("at most {most} until {until}"),
            scope: Vec::new(),
            floor: None,
            ceiling: Some(Ceiling {
                at_most: amount,
                until: share(until)?,
            }),
        });
    }
    Ok(rules)
}

fn bake(text: &str) -> Result<Bake, Failure> {
    let length = times::duration(text)?;
    Ok(Bake {
        length,
        run_length: RUN_LENGTH,
    })
}

fn share(text: &str) -> Result<Share, Failure> {
    read(text)
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: T::Err| Failure::new(error.to_string()))
}
