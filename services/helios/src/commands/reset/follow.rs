//! Telling what happens in a reset, while it happens.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_api::wire::ResetStatus;
use helios_core::model::HostName;
use helios_rollout::reset::{Ending, Phase, Stage};
use tokio::time::sleep;

use super::show::{counts, forecast};
use super::unknown;
use crate::commands::Call;
use crate::output::one_line;
use crate::{Failure, Outcome};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tells a line for whatever happens to a host, until the reset is over or halted. Not done, unless it ends as it should.
pub(super) async fn run(name: &str, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let mut told = Told::default();
    loop {
        match call.client.reset(name).await {
            Ok(status) => {
                let status = status.ok_or_else(|| unknown(name))?;
                for line in told.lines(&status) {
                    call.console.say(line);
                }
                if let Some(outcome) = outcome(&status.stage) {
                    if call.json {
                        call.say_document(&status)?;
                    }
                    return Ok(outcome);
                }
            }
            // Masters are away now and then; the reset does not mind.
            Err(error) => call.console.complain(&error.into()),
        }
        call.console.flush();
        if call.console.is_closed() {
            return Ok(Outcome::Done);
        }
        sleep(LOOK_EVERY).await;
    }
}

fn outcome(stage: &Stage) -> Option<Outcome> {
    match stage {
        Stage::Running | Stage::Paused | Stage::Aborting => None,
        Stage::Ended(Ending::Done) => Some(Outcome::Done),
        Stage::Halted(_) | Stage::Ended(Ending::Aborted) => Some(Outcome::NotDone),
    }
}

/// What was told.
#[derive(Default)]
struct Told {
    stage: Option<Stage>,
    counts: String,
    away: BTreeMap<HostName, Phase>,
}

impl Told {
    /// What is new.
    fn lines(&mut self, status: &ResetStatus) -> Vec<String> {
        let mut lines = Vec::new();
        if self.stage.as_ref() != Some(&status.stage) {
            lines.push(format!("{}: {}", status.name, status.stage));
        }
        for (host, away) in &status.away {
            if self.away.get(host) != Some(&away.phase) {
                lines.push(format!("{host} -> {}", away.phase.as_str()));
            }
        }
        let gone = self
            .away
            .keys()
            .filter(|host| !status.away.contains_key(*host));
        for host in gone {
            lines.push(match status.mishaps.get(host) {
                None => format!("{host} -> back in service"),
                Some(mishap) => {
                    let what = if mishap.lost { "lost" } else { "failed" };
                    format!(
                        "{host} -> {what}: {}",
                        one_line(&mishap.because.to_string())
                    )
                }
            });
        }
        let counts = counts(status);
        if self.counts != counts {
            lines.push(format!("{counts}; {}", forecast(status)));
        }
        let away = status.away.iter();
        *self = Self {
            stage: Some(status.stage.clone()),
            counts,
            away: away
                .map(|(host, away)| (host.clone(), away.phase))
                .collect(),
        };
        lines
    }
}
