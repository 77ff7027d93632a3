//! Watches a rolling update until it is clear how it ended.

use std::collections::BTreeSet;
use std::time::Duration;

use helios_api::wire::{DeploymentGroupStatusResponse, GroupStatus};
use helios_core::model::{JobId, TaskState};
use tokio::time::{Instant, sleep};

use super::when_back;
use crate::args::RollingUpdateArgs;
use crate::commands::Call;
use crate::commands::groups::progress::{bar, summary};
use crate::console::Tone;
use crate::output::one_line;
use crate::{Failure, Outcome};

/// The first pause between two looks; each is twice as long as the one before it, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How it ended.
pub(super) enum Ending {
    Done,
    Paused(String),
    Failed(String),
    TimedOut,
}

impl Ending {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Paused(_) => "PAUSED",
            Self::Failed(_) => "FAILED",
            Self::TimedOut => "TIMEOUT",
        }
    }

    pub(super) fn text(&self, group: &str) -> String {
        match self {
            Self::Done => "Done.".to_owned(),
            Self::Paused(because) => format!(
                "Paused: {}; `helios resume-deployment-group {group}` goes on",
                one_line(because)
            ),
            Self::Failed(error) => format!("Failed: {}", one_line(error)),
            Self::TimedOut => "Timed out! (rolling-update still in progress)".to_owned(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Done | Self::Paused(_) => Outcome::Done,
            Self::Failed(_) | Self::TimedOut => Outcome::NotDone,
        }
    }
}

/// Watches a rolling update, and says each thing about it once.
pub(super) struct Follow<'a> {
    args: &'a RollingUpdateArgs,
    job: &'a JobId,
    /// The hosts that were said to run it.
    running: BTreeSet<String>,
    /// Everything else that was said.
    said: BTreeSet<String>,
    /// Whether it is being taken back.
    is_taken_back: bool,
    /// Whether the group has no hosts at all.
    pub(super) is_nobody: bool,
}

impl<'a> Follow<'a> {
    pub(super) fn new(args: &'a RollingUpdateArgs, job: &'a JobId) -> Self {
        Self {
            args,
            job,
            running: BTreeSet::new(),
            said: BTreeSet::new(),
            is_taken_back: false,
            is_nobody: false,
        }
    }

    pub(super) async fn until_it_ends(
        &mut self,
        begin: Instant,
        call: &mut Call<'_>,
    ) -> Result<Ending, Failure> {
        let minutes = u64::try_from(self.args.rollout_timeout).unwrap_or(1);
        let limit = Duration::from_secs(minutes.saturating_mul(60));
        let mut pause = PAUSE_MIN;
        loop {
            let status = call
                .client
                .deployment_group_status(&self.args.group)
                .await?;
            let Some(status) = status else {
                return Ok(Ending::Failed(
                    "the deployment group was removed".to_owned(),
                ));
            };
            let rollout = status.rollout.as_ref();
            self.is_nobody = rollout.is_some_and(|rollout| rollout.members == 0);
            // It may be taken back and over before the next look: that is to be known before anything is said.
            let ending = self.ending(&status);
            self.tell(&status, call);
            if let Some(ending) = ending {
                call.console.progress(None);
                return Ok(ending);
            }
            if begin.elapsed() >= limit || call.console.is_closed() {
                call.console.progress(None);
                return Ok(Ending::TimedOut);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn ending(&mut self, status: &DeploymentGroupStatusResponse) -> Option<Ending> {
        let rollout = status.rollout.as_ref();
        let taken_back = rollout.and_then(|rollout| rollout.takes_back.as_ref());
        self.is_taken_back = taken_back == Some(self.job);
        if status.deployment_group.job_id.as_ref() != Some(self.job) && !self.is_taken_back {
            let text = "Deployment-group job id changed during rolling-update";
            return Some(Ending::Failed(text.to_owned()));
        }
        let paused = rollout.and_then(|rollout| {
            let because = rollout.paused.as_ref()?;
            rollout.in_flight.is_empty().then(|| because.clone())
        });
        match status.status {
            GroupStatus::RollingOut => paused.map(Ending::Paused),
            GroupStatus::Failed => Some(Ending::Failed(status.error.clone().unwrap_or_default())),
            _ if self.is_taken_back => {
                Some(Ending::Failed(status.error.clone().unwrap_or_default()))
            }
            _ => Some(Ending::Done),
        }
    }

    fn tell(&mut self, status: &DeploymentGroupStatusResponse, call: &mut Call<'_>) {
        if call.json {
            return;
        }
        let hosts = &status.host_statuses;
        let target = status.deployment_group.job_id.as_ref();
        if self.once("taken back".to_owned(), self.is_taken_back) {
            self.running.clear();
            let error = status.error.as_deref().map(one_line).unwrap_or_default();
            let error = call.console.toned(&error, Tone::Bad);
            call.console.say(format_args!("Going back: {error}"));
        }
        for host in hosts {
            let runs = host.job_id.as_ref() == target && host.state == Some(TaskState::Running);
            if runs && self.running.insert(host.host.clone()) {
                let state = call.console.toned("RUNNING", Tone::Good);
                let (number, all) = (self.running.len(), hosts.len());
                call.console
                    .say(format_args!("{} -> {state} ({number}/{all})", host.host));
            }
        }
        let Some(progress) = &status.rollout else {
            call.console.flush();
            return;
        };
        for failed in &progress.failed {
            if self.once(format!("{} {}", progress.id, failed.host), true) {
                let code = call.console.toned(&failed.code.to_string(), Tone::Bad);
                let reason = one_line(&failed.reason);
                call.console
                    .say(format_args!("{} -> {code}: {reason}", failed.host));
            }
        }
        for host in &progress.down {
            if self.once(format!("{} down {host}", progress.id), true) {
                let down = call.console.toned("DOWN", Tone::Pending);
                let later = when_back(self.args.how.when_down);
                call.console.say(format_args!("{host} -> {down}: {later}"));
            }
        }
        let line = format!("{} {}", bar(progress), summary(progress));
        call.console.progress(Some(&line));
        call.console.flush();
    }

    fn once(&mut self, what: String, holds: bool) -> bool {
        holds && self.said.insert(what)
    }
}
