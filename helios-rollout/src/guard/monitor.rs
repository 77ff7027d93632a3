//! A guard at work.

use std::fmt;
use std::time::Duration;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Action, ChangeDetector, Counts, EProcess, Evidence, Guard, GuardError, NoEvidence, Objective,
    Sight,
};
use crate::share::Share;

/// What the evidence about one objective says. There are three answers, not two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ObjectiveOutcome")
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new value is worse.
    HarmShown,
    /// The new value is not worse by the margin or more.
    HarmExcluded,
    /// Neither, yet.
    NotKnown,
}

/// What a rollout should do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Go on.
    Proceed,
    /// Stop the clock: this objective must exclude harm before the share grows.
    Hold {
        /// The objective.
        objective: String,
        /// The gate it holds at.
        gate: Share,
    },
    /// Every host that shall has the new value: do not end before that time, and watch.
    Bake {
        /// When it is long enough.
        until: Timestamp,
    },
    /// End it. This advice never changes again.
    Terminate {
        /// The objective.
        objective: String,
        /// How.
        action: Action,
        /// Why.
        because: Termination,
    },
}

/// Why a guard ends a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Termination {
    /// Harm was shown.
    HarmShown,
    /// It held at a gate for longer than its dead-man limit.
    HeldTooLong,
    /// There was no evidence for longer than its dead-man limit.
    NoEvidence,
    /// After the last host had changed, it became worse than it was with the old value.
    WorseAfterTheEnd,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proceed => f.write_str("go on"),
            Self::Hold { objective, gate } => {
                write!(f, "hold at {gate} until harm to {objective} is excluded")
            }
            Self::Bake { until } => write!(f, "every host has changed: watch until {until}"),
            Self::Terminate {
                objective,
                action,
                because,
            } => {
                let action = match action {
                    Action::Hold => "end it where it is",
                    Action::RollBack => "roll it back",
                };
                let because = match because {
                    Termination::HarmShown => "harm was shown",
                    Termination::HeldTooLong => "harm could not be excluded in time",
                    Termination::NoEvidence => "there was no evidence for too long",
                    Termination::WorseAfterTheEnd => {
                        "it became worse after the last host had changed"
                    }
                };
                write!(f, "{action}: {objective}: {because}")
            }
        }
    }
}

/// A guard and what it has seen: a pure fold over evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    guard: Guard,
    files: Vec<File>,
    /// Until when to watch after the end, once that has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    baking_until: Option<Timestamp>,
    /// Once it is set, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terminated: Option<Advice>,
}

/// What is known about one objective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    harm: EProcess,
    safety: EProcess,
    /// The last look, or the start.
    last: Timestamp,
    /// Whether harm has been excluded.
    excluded: bool,
    /// Since when it has held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_since: Option<Timestamp>,
    /// What was counted with the old value before the end.
    #[serde(default)]
    baseline: Counts,
    /// What watches after the end; nothing, if nothing was counted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detector: Option<ChangeDetector>,
    /// For people: nothing follows from it.
    #[serde(default, skip_serializing_if = "Sight::is_new")]
    sight: Sight,
}

impl Monitor {
    /// Begins at `start`, knowing nothing.
    ///
    /// # Errors
    ///
    /// [`GuardError::Invalid`], see [`Guard::check`].
    pub fn new(guard: Guard, start: Timestamp) -> Result<Self, GuardError> {
        guard.check()?;
        let file = |objective: &Objective| File {
            harm: EProcess::of_harm(objective.margin_permille),
            safety: EProcess::of_safety(objective.margin_permille),
            last: start,
            excluded: false,
            held_since: None,
            baseline: Counts::default(),
            detector: None,
            sight: Sight::default(),
        };
        let files = guard.objectives.iter().map(file).collect();
        Ok(Self {
            guard,
            files,
            baking_until: None,
            terminated: None,
        })
    }

    /// Takes one look into account.
    ///
    /// # Errors
    ///
    /// [`GuardError::UnknownObjective`], [`GuardError::OutOfOrder`] and [`GuardError::EventsWithoutExposure`]; nothing has changed then.
    pub fn look(&mut self, objective: &str, evidence: &Evidence) -> Result<(), GuardError> {
        let alpha = self.guard.objective_alpha_ppm();
        let mut pairs = self.guard.objectives.iter().zip(&mut self.files);
        let Some((spec, file)) = pairs.find(|(spec, _)| spec.name == objective) else {
            return Err(GuardError::UnknownObjective {
                objective: objective.to_owned(),
            });
        };
        let (objective, at) = (objective.to_owned(), evidence.at);
        if evidence.is_impossible() {
            return Err(GuardError::EventsWithoutExposure { objective, at });
        }
        if at < file.last {
            return Err(GuardError::OutOfOrder {
                objective,
                at,
                last: file.last,
            });
        }
        file.last = at;
        file.sight.look(evidence);
        file.harm.look(evidence);
        file.safety.look(evidence);
        file.excluded |= file.safety.has_reached(alpha);
        if self.baking_until.is_none() {
            file.baseline.add(evidence.old);
        }
        let worse = file
            .detector
            .as_mut()
            .is_some_and(|detector| detector.look(evidence.new));
        let because = if file.harm.has_reached(alpha) {
            Termination::HarmShown
        } else if worse {
            Termination::WorseAfterTheEnd
        } else {
            return Ok(());
        };
        let end = Advice::Terminate {
            objective,
            action: spec.on_harm,
            because,
        };
        self.terminated.get_or_insert(end);
        Ok(())
    }

    /// Notes why there is no evidence about an objective. Nothing follows from it: the guard goes by the time of the last look.
    ///
    /// # Errors
    ///
    /// [`GuardError::UnknownObjective`].
    pub fn miss(
        &mut self,
        objective: &str,
        at: Timestamp,
        because: &NoEvidence,
    ) -> Result<(), GuardError> {
        let mut pairs = self.guard.objectives.iter().zip(&mut self.files);
        let Some((_, file)) = pairs.find(|(spec, _)| spec.name == objective) else {
            let objective = objective.to_owned();
            return Err(GuardError::UnknownObjective { objective });
        };
        file.sight.miss(at, because.clone());
        Ok(())
    }

    /// Whether it is not noted yet that there is no evidence for a reason of that kind.
    #[must_use]
    pub fn is_news(&self, objective: &str, because: &NoEvidence) -> bool {
        let mut sights = self.sights();
        let sight = sights.find(|(name, _)| *name == objective);
        sight.is_some_and(|(_, sight)| {
            let known = sight.silence.as_ref();
            known.is_none_or(|known| known.because.kind != because.kind)
        })
    }

    /// As [`advise`](Self::advise), once every host that shall has the new value.
    pub fn advise_at_the_end(&mut self, share: Share, at: Timestamp) -> Advice {
        match (self.advise(share, at), self.guard.bake) {
            (Advice::Proceed, Some(bake)) => {
                if self.baking_until.is_none() {
                    for (spec, file) in self.guard.objectives.iter().zip(&mut self.files) {
                        let ratio = spec.margin_permille.saturating_add(1_000).min(1_000_000);
                        let detector = ChangeDetector::new(file.baseline, ratio, bake.run_length);
                        file.detector = detector.ok();
                    }
                }
                let until = *self.baking_until.get_or_insert(at.plus(bake.length));
                if at < until {
                    Advice::Bake { until }
                } else {
                    Advice::Proceed
                }
            }
            (advice, _) => advice,
        }
    }

    /// Until when it watches after the end; `None` before that has come, and without a bake.
    #[must_use]
    pub fn baking_until(&self) -> Option<Timestamp> {
        self.baking_until
    }

    /// Whether it has watched long enough for the rollout to end.
    #[must_use]
    pub fn has_baked(&self, at: Timestamp) -> bool {
        self.guard.bake.is_none() || self.baking_until.is_some_and(|until| until <= at)
    }

    /// What the rollout should do at `at`, when its share is `share`. Asking is part of the fold: it notes how long the clock has held.
    pub fn advise(&mut self, share: Share, at: Timestamp) -> Advice {
        if let Some(terminated) = &self.terminated {
            return terminated.clone();
        }
        let mut advice = Advice::Proceed;
        for (spec, file) in self.guard.objectives.iter().zip(&mut self.files) {
            let gate = spec
                .gates
                .iter()
                .filter(|gate| **gate <= share)
                .max()
                .filter(|_| !file.excluded)
                .copied();
            file.held_since = gate.map(|_| file.held_since.unwrap_or(at));
            let held = file
                .held_since
                .map_or(Duration::ZERO, |since| at.since(since));
            let because = if at.since(file.last) > spec.dead_man {
                Some(Termination::NoEvidence)
            } else {
                (held > spec.dead_man).then_some(Termination::HeldTooLong)
            };
            let objective = spec.name.clone();
            if let Some(because) = because {
                let end = Advice::Terminate {
                    objective,
                    action: spec.on_harm,
                    because,
                };
                self.terminated = Some(end.clone());
                return end;
            }
            if let (Advice::Proceed, Some(gate)) = (&advice, gate) {
                advice = Advice::Hold { objective, gate };
            }
        }
        advice
    }

    /// Each objective, and when it was looked at last; before the first look, when it began.
    pub fn looked(&self) -> impl Iterator<Item = (&Objective, Timestamp)> {
        let pairs = self.guard.objectives.iter().zip(&self.files);
        pairs.map(|(spec, file)| (spec, file.last))
    }

    /// What has been seen of each objective.
    pub fn sights(&self) -> impl Iterator<Item = (&str, &Sight)> {
        let pairs = self.guard.objectives.iter().zip(&self.files);
        pairs.map(|(spec, file)| (spec.name.as_str(), &file.sight))
    }

    /// What it watches over, and at which risk.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What is known about each objective, and how strong the evidence of harm is (see [`EProcess::value`]).
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, Outcome, u64)> {
        let alpha = self.guard.objective_alpha_ppm();
        self.guard.objectives.iter().zip(&self.files).map(move |(spec, file)| {
            let shown = matches!(&self.terminated, Some(Advice::Terminate { objective, because: Termination::HarmShown, .. })
                if *objective == spec.name);
            let outcome = match (shown || file.harm.has_reached(alpha), file.excluded) {
                (true, _) => Outcome::HarmShown,
                (false, true) => Outcome::HarmExcluded,
                (false, false) => Outcome::NotKnown,
            };
            (spec.name.as_str(), outcome, file.harm.value())
        })
    }
}
