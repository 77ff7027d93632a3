//! Asking what the objectives of guards ask.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use helios_core::cluster::{FleetView, Records};
use helios_core::model::HostName;
use helios_core::{Moment, Timestamp};

use super::evidence::{Arms, Look, Query};
use super::health::Health;
use super::{EvidenceSource, FollowerRecord};
use crate::guard::{Counts, Evidence, Missing, NoEvidence, Objective};

/// How often it is looked at most.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// Asks what the objectives of guards ask: how well hosts are, and what a system of measurement counted.
#[derive(Debug)]
pub(crate) struct Inquiry {
    source: Arc<dyn EvidenceSource>,
    health: Health,
}

impl Inquiry {
    /// Asks this system of measurement.
    pub(crate) fn of(source: Arc<dyn EvidenceSource>) -> Self {
        let health = Health::default();
        Self { source, health }
    }

    /// Takes a look at which hosts are well.
    pub(crate) fn watch(
        &mut self,
        fleet: &FleetView,
        followers: &Records<HostName, FollowerRecord>,
        at: Moment,
    ) {
        self.health.look(fleet, followers, at);
    }

    /// What was counted since then.
    ///
    /// # Errors
    /// Why there is no evidence.
    ///
    /// # Cancellation
    /// Harmless.
    pub(crate) async fn look(
        &self,
        arms: &dyn Arms,
        objective: &Objective,
        since: Timestamp,
        (now, moment): (Timestamp, Moment),
    ) -> Result<Look, NoEvidence> {
        let name = &objective.name;
        let looked = match objective.query.parse::<Query>() {
            Ok(Query::Health { grace_seconds }) => {
                let grace = Duration::from_secs(grace_seconds);
                let unwell = self.health.unwell(grace, moment);
                Ok(arms.health(name, &unwell, since, now))
            }
            Ok(query) => match self.source.count(&query, now.since(since)).await {
                Ok(tally) if !arms.know_any_of(&tally) => Err(NoEvidence::new(
                    Missing::NobodyKnown,
                    "no host that it counted is known",
                )),
                Ok(tally) => Ok(arms.tally(name, tally, since, now)),
                Err(error) => Err(error),
            },
            Err(error) => Err(NoEvidence::new(Missing::NobodyToAsk, error.to_string())),
        };
        looked.inspect_err(|error| tracing::warn!(%error, "objective {name} was not looked at"))
    }
}

impl Look {
    /// Whether anything went wrong, or somebody is found wrong who was not.
    pub(crate) fn is_eventful(&self) -> bool {
        let events = |arms: &Evidence| arms.new.events + arms.old.events;
        !self.fallen.is_empty() || self.evidence.iter().any(|evidence| events(evidence) > 0)
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut new, mut old) = (Counts::default(), Counts::default());
        for evidence in &self.evidence {
            new.add(evidence.new);
            old.add(evidence.old);
        }
        write!(
            f,
            "objective {}: {} of {} on hosts that have changed, {} of {} on those that have not",
            self.objective, new.events, new.exposure, old.events, old.exposure
        )
    }
}

/// How long a guard that sees nothing happen may stay silent: a five-hundredth of the time, a second to ten minutes.
pub(crate) fn quiet_for(length: Duration) -> Duration {
    (length / 500).clamp(LOOK_AT_MOST_EVERY, Duration::from_secs(600))
}

/// How often it is asked, if a guard may stay silent for that long.
pub(crate) fn ask_every(quiet: Duration) -> Duration {
    (quiet / 5).max(LOOK_AT_MOST_EVERY)
}
