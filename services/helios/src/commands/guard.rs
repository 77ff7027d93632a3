//! How a guard is made of options.

use std::time::Duration;

use helios_rollout::Share;
use helios_rollout::drive::Query;
use helios_rollout::guard::{Action, Guard, Objective};

use crate::args::GuardArgs;
use crate::{Failure, times};

const DAY: Duration = Duration::from_secs(86_400);

/// The guard that the options mean, of something that takes that long; none, if they mean none.
pub(super) fn of(
    args: &GuardArgs,
    length: Duration,
    on_harm: Action,
) -> Result<Option<Guard>, Failure> {
    if args.guards.is_empty() {
        return Ok(None);
    }
    let gates = args.gates.iter().map(|gate| share(gate));
    let gates: Vec<Share> = gates.collect::<Result<_, _>>()?;
    let dead_man = match &args.dead_man {
        Some(text) => times::duration(text)?,
        None => DAY.max(length / 10),
    };
    let objective = |(number, source): (usize, &String)| {
        let query = if source == "health" {
            let grace_seconds = times::duration(&args.grace)?.as_secs();
            Query::Health { grace_seconds }
        } else if ["http://", "https://"]
            .iter()
            .any(|scheme| source.starts_with(scheme))
        {
            let (Some(bad), Some(all)) = (&args.guard_bad, &args.guard_all) else {
                return Err(Failure::new(
                    "a guard by Prometheus needs --guard-bad and --guard-all",
                ));
            };
            Query::Prometheus {
                url: source.clone(),
                bad: bad.clone(),
                all: all.clone(),
                host_label: args.guard_host.clone(),
            }
        } else {
            return Err(
                Failure::new(format!("--guard {source:?} is nothing to ask")).advise(
                    "say \"health\", or the address of a Prometheus server as http://host:9090 or https://host:9090",
                ),
            );
        };
        let kind = if source == "health" {
            "health"
        } else {
            "prometheus"
        };
        let name = if number == 0 {
            kind.to_owned()
        } else {
            format!("{kind}-{}", number + 1)
        };
        Ok(Objective {
            name,
            query: query.to_string(),
            margin_permille: permille(&args.margin)?,
            gates: gates.clone(),
            on_harm,
            dead_man,
        })
    };
    let objectives = args.guards.iter().enumerate().map(objective);
    let guard = Guard {
        alpha_ppm: permille(&args.false_alarms)?.saturating_mul(1_000),
        objectives: objectives.collect::<Result<_, _>>()?,
        bake: None,
    };
    Ok(Some(guard))
}

/// Thousandths of the whole.
fn permille(text: &str) -> Result<u32, Failure> {
    let parts = share(text)?.parts() / (Share::PARTS / 1_000);
    Ok(u32::try_from(parts).unwrap_or(1_000))
}

fn share(text: &str) -> Result<Share, Failure> {
    text.parse()
        .map_err(|error: helios_rollout::ShareError| Failure::new(error.to_string()))
}
