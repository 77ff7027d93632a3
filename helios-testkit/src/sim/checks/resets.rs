//! What checks of resets have to know of hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use helios_core::{HostName, JobId, TaskState};
use helios_rollout::reset::{Away, Ending, ResetRecord, Stage};

use super::super::trace::{HostFact, Write};

/// How old what a master sees may be, when it goes by it: it may have lost its watches for a while.
const SEEN_LATE: Duration = Duration::from_secs(100);

/// The hosts by name.
#[derive(Debug, Default)]
pub(super) struct Hosts(pub(super) BTreeMap<String, Known>);

/// What is known of a host, now and of a while ago.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// As it is registered, if it is.
    pub(super) host: Option<Arc<HostFact>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) boot: Option<String>,
    /// Since when each job is deployed.
    goals: BTreeMap<JobId, Duration>,
    up: bool,
    /// When it was last up, and each job was last well.
    was_up: Option<Duration>,
    was_well: BTreeMap<JobId, Duration>,
    running: BTreeSet<JobId>,
}

impl Hosts {
    pub(super) fn see(&mut self, now: Duration, writes: &[Write]) {
        for write in writes {
            let Some((dir, host)) = write.key.as_str().split_once('/') else {
                continue;
            };
            if !matches!(dir, "hosts" | "up" | "status") {
                continue;
            }
            let known = self.0.entry(host.to_owned()).or_default();
            known.remember(now);
            match dir {
                "hosts" => known.register(now, write.is.host().cloned()),
                "up" => known.up = write.is.presence().is_some(),
                _ => {
                    let Some(report) = write.is.report() else {
                        known.running.clear();
                        continue;
                    };
                    let running = report.tasks.iter();
                    let running = running.filter(|(_, task)| task.0 == TaskState::Running);
                    known.running = running.map(|(job, _)| job.clone()).collect();
                    known.labels.clone_from(&report.labels);
                    known.boot.clone_from(&report.boot);
                }
            }
        }
    }

    /// The hosts that the reset has taken away: those it chose, and those that are still drained for it.
    pub(super) fn away<'a>(&'a self, name: &'a str, reset: &'a ResetRecord) -> BTreeSet<&'a str> {
        let chosen = reset.progress.away.keys().map(HostName::as_str);
        let drained = self.0.iter().filter(|(_, known)| known.is_drained_by(name));
        chosen
            .chain(drained.map(|(host, _)| host.as_str()))
            .collect()
    }
}

impl Known {
    fn remember(&mut self, now: Duration) {
        if self.up {
            self.was_up = Some(now);
            let running = self.running.iter().map(|job| (job.clone(), now));
            self.was_well.extend(running);
        }
    }

    fn register(&mut self, now: Duration, host: Option<Arc<HostFact>>) {
        let goals = host.iter().flat_map(|host| host.goals.keys());
        let since = |job: &JobId| self.goals.get(job).copied().unwrap_or(now);
        self.goals = goals.map(|job| (job.clone(), since(job))).collect();
        self.host = host;
    }

    pub(super) fn is_drained_by(&self, reset: &str) -> bool {
        let drain = self.host.as_ref().and_then(|host| host.drain.as_ref());
        drain.is_some_and(|drain| drain.by == reset)
    }

    /// The jobs that are deployed to it, as every master knows.
    pub(super) fn jobs(&self, now: Duration) -> impl Iterator<Item = &JobId> {
        let long = self
            .goals
            .iter()
            .filter(move |(_, since)| now >= **since + SEEN_LATE);
        long.map(|(job, _)| job)
    }

    /// Whether a master can have seen it up.
    pub(super) fn seemed_up(&self, now: Duration) -> bool {
        self.up || self.was_up.is_some_and(|at| now < at + SEEN_LATE)
    }

    /// Whether a master can have seen the job well there.
    pub(super) fn seemed_well(&self, job: &JobId, now: Duration) -> bool {
        let was = self.was_well.get(job);
        self.up && self.running.contains(job) || was.is_some_and(|at| now < *at + SEEN_LATE)
    }
}

/// A reset that a commit writes, and how it was before, if it is the same one.
pub(super) struct Turn<'a> {
    pub(super) name: &'a str,
    pub(super) was: Option<&'a ResetRecord>,
    pub(super) is: &'a ResetRecord,
}

/// The resets that a commit writes.
pub(super) fn turns(writes: &[Write]) -> impl Iterator<Item = Turn<'_>> {
    writes.iter().filter_map(|write| {
        let name = write.key.as_str().strip_prefix("resets/")?;
        let is = write.is.reset()?;
        let same = |was: &&ResetRecord| was.progress.created == is.progress.created;
        let was = write.was.reset().filter(same);
        Some(Turn { name, was, is })
    })
}

impl<'a> Turn<'a> {
    /// The hosts that are chosen.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &'a HostName> {
        let was = self.was.map(|was| &was.progress.away);
        let away = self.is.progress.away.iter();
        let new = away.filter(move |(host, away)| {
            let before = was.and_then(|was| was.get(*host));
            before.is_none_or(|before| before.id != away.id)
        });
        new.map(|(host, _)| host)
    }

    /// The hosts that are done, and how they were away.
    pub(super) fn done(&self) -> impl Iterator<Item = (&'a HostName, &'a Away)> {
        let is = &self.is.progress;
        let away = self.was.into_iter().flat_map(|was| &was.progress.away);
        away.filter(|(host, _)| is.done.contains(host))
    }
}

/// What a campaign should have seen.
pub(super) fn seen(turn: &Turn<'_>) -> Option<&'static str> {
    let was = &turn.was?.progress;
    let is = &turn.is.progress;
    let came = was.stage != is.stage;
    match &is.stage {
        Stage::Ended(Ending::Done) if came && is.mishaps.is_empty() => {
            return Some("a reset came to every host");
        }
        Stage::Halted(_) if came => return Some("a reset was halted"),
        Stage::Aborting if came && !is.away.is_empty() => {
            return Some("a reset was aborted while hosts were away");
        }
        _ => {}
    }
    if is.left > was.left {
        return Some("a host was deregistered while it was away");
    }
    let mut mishaps = is
        .mishaps
        .iter()
        .filter(|(host, _)| !was.mishaps.contains_key(*host));
    mishaps
        .any(|(_, mishap)| mishap.lost)
        .then_some("a host did not come back from its reset")
}
