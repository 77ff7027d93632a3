//! Looking for orphans, beside everything else the agent does.

use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::orphans::{Finding, OrphanMode, OrphanPolicy, Records, Sightings, Surroundings, judge};
use crate::runtime::Owner;
use crate::schema;
use crate::state_dir::StateDir;
use crate::time::Moment;

use super::run::Running;
use super::{Agent, AgentError};

/// The document that [`Records`] are kept in.
const DOCUMENT: &str = "orphans.json";

/// When a look or an end counts as hung.
const ROUND_TIMEOUT: Duration = Duration::from_secs(300);

/// How many orphans are told of one by one.
const TOLD_MAX: usize = 16;

/// What the agent knows of orphans.
pub(super) struct Custody {
    known: Known,
    /// The agent that was last seen to have this host instead of this one.
    predecessor: Option<String>,
    /// What is orphaned, as the last round confirmed it.
    pub(super) findings: Vec<Finding>,
    /// How many were ended since the start.
    pub(super) reaped: u64,
    trouble: Option<String>,
    not_before: Moment,
    pub(super) round: Option<BoxFuture<'static, Round>>,
}

/// What goes from round to round.
#[derive(Clone, Debug, Default)]
struct Known {
    records: Records,
    /// The records that are safely stored.
    stored: Records,
    sightings: Sightings,
}

/// How a round ended.
#[derive(Debug)]
pub(super) struct Round {
    known: Known,
    /// `None` if there was no look: then nothing is known to have changed.
    findings: Option<Vec<Finding>>,
    /// Whether to look again soon.
    unsettled: bool,
    reaped: u64,
    trouble: Option<String>,
}

impl Custody {
    /// With what is remembered. Records that cannot be read are set aside: without them nothing is surely ours,
    /// and so nothing is ended.
    pub(super) async fn start(agent: &Agent) -> Result<Self, AgentError> {
        let document = match agent.orphans {
            Some(_) => agent.state.load(DOCUMENT).await,
            None => Ok(None),
        };
        let document = document.map_err(AgentError::state)?;
        let mut records = Records::default();
        if let Some(document) = document {
            match serde_json::from_slice(&document) {
                Ok(read) => records = read,
                Err(error) => {
                    let aside = agent.state.set_aside(DOCUMENT).await;
                    let aside = aside.map_err(AgentError::state)?;
                    warn!(%error, aside, "the records of this agent's containers could not be read and begin anew");
                }
            }
        }
        Ok(Self {
            known: Known {
                stored: records.clone(),
                records,
                sightings: Sightings::default(),
            },
            predecessor: None,
            findings: Vec::new(),
            reaped: 0,
            trouble: None,
            not_before: Moment::default(),
            round: None,
        })
    }

    /// Learns which agent has this host: one that had it before and has it no more is succeeded by this one.
    pub(super) fn see_holder(&mut self, holder: &str, me: &str) {
        if holder != me {
            self.predecessor = Some(holder.to_owned());
        } else if let Some(former) = self.predecessor.take() {
            info!(former, "this agent succeeds another one on this host");
            self.known.records.succeed(former);
        }
    }

    /// What is to be told of with the host.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let more = self.findings.len().saturating_sub(TOLD_MAX);
        let more = (more > 0).then(|| format!("orphan: {more} more"));
        let findings = self.findings.iter().take(TOLD_MAX).map(ToString::to_string);
        findings.chain(more).chain(self.trouble.clone())
    }

    pub(super) fn learn(&mut self, round: Round, policy: &OrphanPolicy, now: Moment) {
        // Who had this host before may have been learned during the round.
        let former = std::mem::take(&mut self.known.records);
        self.known = round.known;
        for id in former.former() {
            self.known.records.succeed(id.clone());
        }
        let pause = if round.unsettled {
            policy.confirm_after
        } else {
            policy.every
        };
        self.not_before = now.plus(pause.min(policy.every));
        self.reaped += round.reaped;
        self.trouble = round.trouble;
        if let Some(findings) = round.findings {
            self.findings = findings;
        }
    }
}

impl Running {
    /// Begins a round when it is time for one.
    pub(super) fn look_for_orphans(&mut self, now: Moment) {
        let Some((surroundings, policy)) = &self.agent.orphans else {
            return;
        };
        if self.custody.round.is_some() {
            return;
        }
        if now < self.custody.not_before {
            let later = Some(self.custody.not_before);
            self.wake_at(later);
            return;
        }
        let round = Begun {
            surroundings: Arc::clone(surroundings),
            policy: policy.clone(),
            owner: self.agent.id.owner().clone(),
            state: Arc::clone(&self.agent.state),
            clock: Arc::clone(&self.agent.clock),
            known: self.custody.known.clone(),
        };
        self.custody.round = Some(round.run().boxed());
    }
}

/// A round, with all it needs: nothing else waits for it.
struct Begun {
    surroundings: Arc<dyn Surroundings>,
    policy: OrphanPolicy,
    owner: Owner,
    state: Arc<dyn StateDir>,
    clock: Arc<dyn Clock>,
    known: Known,
}

impl Begun {
    /// Looks, remembers, judges, and ends what may be ended: in this order, so that what is ended was known
    /// to be ours before the look that condemned it.
    async fn run(self) -> Round {
        let known = self.known.clone();
        match timeout(ROUND_TIMEOUT, self.look_and_judge()).await {
            Ok(round) => round,
            Err(_) => Round {
                known,
                findings: None,
                unsettled: false,
                reaped: 0,
                trouble: Some("the engine took too long to be searched for orphans".to_owned()),
            },
        }
    }

    async fn look_and_judge(mut self) -> Round {
        let look = match self.surroundings.look().await {
            Ok(look) => look,
            // That the engine is away is told elsewhere.
            Err(_) => {
                return Round {
                    known: self.known,
                    findings: None,
                    unsettled: false,
                    reaped: 0,
                    trouble: None,
                };
            }
        };
        self.known.records = self.known.records.after(&look, &self.owner);
        let trouble = self.store().await;
        let now = self.clock.moment();
        let known = &self.known;
        let judgement = judge(&look, &known.records, &self.owner, &known.sightings, now);
        let findings = judgement.confirmed(self.policy.confirm_after, now);
        self.known.sightings = judgement.sightings;
        let (reaped, failed) = match self.policy.mode {
            OrphanMode::Report => (0, None),
            OrphanMode::Reap => self.reap(&findings).await,
        };
        Round {
            known: self.known,
            unsettled: findings.len() < judgement.findings.len() || reaped > 0,
            findings: Some(findings),
            reaped,
            trouble: failed.or(trouble),
        }
    }

    async fn store(&mut self) -> Option<String> {
        if self.known.records == self.known.stored {
            return None;
        }
        let document = schema::encode(&self.known.records);
        match self.state.save(DOCUMENT, &document).await {
            Ok(()) => {
                self.known.stored = self.known.records.clone();
                None
            }
            Err(error) => Some(error.to_string()),
        }
    }

    async fn reap(&self, findings: &[Finding]) -> (u64, Option<String>) {
        let (mut reaped, mut failed) = (0, None);
        for finding in findings.iter().filter(|finding| finding.may_be_reaped()) {
            info!(what = %finding.what, because = %finding.because, "ending an orphan");
            match self.surroundings.reap(&finding.what).await {
                Ok(()) => reaped += 1,
                Err(error) => {
                    warn!(what = %finding.what, %error, "an orphan was not ended");
                    failed = Some(format!("{finding}; {error}"));
                }
            }
        }
        (reaped, failed)
    }
}

#[cfg(test)]
mod tests;
