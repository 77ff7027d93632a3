//! Judging the hosts that a rollout waits for.

use helios_core::Timestamp;
use helios_core::model::{Goal, HostName, JobId, TaskState, ThrottleState};
use helios_core::schema::{Keys, TaskReport};

use super::advance::Planner;
use super::members::{Host, is_unreadable};
use super::{Action, Because, FailureCode, Flight, Phase};

impl<'a> Planner<'a> {
    /// Says of every host in flight whether it is done, has failed, or is waited for.
    pub(super) fn judge_flights(&mut self) {
        let rollout = self.rollout;
        for (name, flight) in &rollout.in_flight {
            if !self.has_room() {
                self.flying.push(name);
                continue;
            }
            let Some(host) = Host::find(self.record, self.fleet, name) else {
                self.judge_missing(name, flight);
                continue;
            };
            match flight.phase {
                Phase::Leaving => self.judge_leaving(host, flight),
                _ if host.matches(&self.record.group.host_selectors) == Some(false) => {
                    self.act(name, Action::Forget, Because::Stranger);
                }
                Phase::Clearing => self.judge_clearing(host, flight),
                Phase::Starting => self.judge_starting(host, flight),
            }
        }
    }

    fn judge_missing(&mut self, name: &'a HostName, flight: &Flight) {
        if !is_unreadable(self.fleet, name) {
            self.plan.absent.insert(Keys::host(name));
            return self.act(name, Action::Forget, Because::Unregistered);
        }
        let deadline = self.deadline(flight);
        if self.now >= deadline {
            let reason = "its entry in the store cannot be read".to_owned();
            return self.fail(name, FailureCode::TimedOutRetrievingJobStatus, reason);
        }
        self.keep(name, Because::Starting(None, deadline), deadline);
    }

    fn judge_leaving(&mut self, host: Host<'a>, flight: &Flight) {
        let there = flight.jobs.iter().any(|job| host.task(job).is_some());
        // Whoever is down stops them when it comes back.
        if !there || !host.up {
            return self.act(host.name, Action::Left, Because::Stopped);
        }
        let deadline = self.deadline(flight);
        if self.now >= deadline {
            let reason = self.timed_out("the jobs of a host that left the group to be gone");
            return self.fail(
                host.name,
                FailureCode::TimedOutWaitingForJobToUndeploy,
                reason,
            );
        }
        self.keep(host.name, Because::Stopping(deadline), deadline);
    }

    fn judge_clearing(&mut self, host: Host<'a>, flight: &Flight) {
        let deadline = self.deadline(flight);
        if host.task(&self.rollout.job).is_none() && host.is_here() {
            return self.start(host, Because::Cleared);
        }
        if self.now >= deadline {
            let reason = self.timed_out("an earlier deployment of the job to be gone");
            return self.fail(
                host.name,
                FailureCode::TimedOutWaitingForJobToUndeploy,
                reason,
            );
        }
        self.keep(host.name, Because::Leftover, deadline);
    }

    fn judge_starting(&mut self, host: Host<'a>, flight: &Flight) {
        let job = &self.rollout.job;
        let owner = host.record.goals.get(job).map(|goal| goal.group.as_deref());
        if owner != Some(Some(self.record.group.name.as_str())) {
            let job = job.short();
            let reason = format!("somebody undeployed job {job} in the middle of the rollout");
            return self.fail(host.name, FailureCode::JobUnexpectedlyUndeployed, reason);
        }
        let task = host.task(job);
        let state = task.map(|task| task.state);
        if host.up && state == Some(TaskState::Running) {
            return self.judge_healthy(host, flight);
        }
        let deadline = self.deadline(flight);
        if self.now >= deadline {
            let (code, reason) = self.why_late(host, task);
            return self.fail(host.name, code, reason);
        }
        if flight.healthy.is_some() {
            self.act(host.name, Action::Relapse, Because::Relapsed(state));
            self.flying.push(host.name);
            return self.wake_at(deadline);
        }
        self.keep(host.name, Because::Starting(state, deadline), deadline);
    }

    fn judge_healthy(&mut self, host: Host<'a>, flight: &Flight) {
        let needed = self.rollout.policy.healthy_for();
        if needed.is_zero() {
            return self.act(host.name, Action::Settle, Because::Healthy);
        }
        let until = flight.healthy.map(|since| since.plus(needed));
        match until {
            Some(until) if self.now >= until => {
                let because = Because::HealthyFor(needed.as_secs());
                self.act(host.name, Action::Settle, because);
            }
            Some(until) => self.keep(host.name, Because::Proving(until), until),
            None => {
                let until = self.now.plus(needed);
                self.act(host.name, Action::Prove, Because::Proving(until));
                self.flying.push(host.name);
                self.wake_at(until);
            }
        }
    }

    fn keep(&mut self, host: &'a HostName, because: Because, until: Timestamp) {
        self.flying.push(host);
        self.wait(host, because);
        self.wake_at(until);
    }

    /// Until when a flight may take. What was healthy has time to show that it stays so.
    fn deadline(&self, flight: &Flight) -> Timestamp {
        let proof = match flight.phase {
            Phase::Starting => self.rollout.policy.healthy_for(),
            Phase::Clearing | Phase::Leaving => std::time::Duration::ZERO,
        };
        flight.since.plus(self.options.step_timeout() + proof)
    }

    fn timed_out(&self, what: &str) -> String {
        format!(
            "timed out after {} s, waiting for {what}",
            self.options.timeout
        )
    }

    /// Why a job did not get healthy in time.
    fn why_late(&self, host: Host<'a>, task: Option<&TaskReport>) -> (FailureCode, String) {
        let job = &self.rollout.job;
        let short = job.short();
        if !host.up {
            let reason = self.timed_out(&format!("job {short} while its agent was down"));
            return (FailureCode::HostDown, reason);
        }
        let Some(task) = task else {
            let reason = self.timed_out(&format!("its agent to report job {short}"));
            return (FailureCode::TimedOutRetrievingJobStatus, reason);
        };
        let (code, due_to) = match task.throttled {
            ThrottleState::ImageMissing => (FailureCode::ImageMissing, ", its image is missing"),
            ThrottleState::ImagePullFailed => {
                (FailureCode::ImagePullFailed, ", its image cannot be pulled")
            }
            ThrottleState::Flapping => (
                FailureCode::TimedOutWaitingForJobToReachRunning,
                ", it keeps ending",
            ),
            ThrottleState::No => (FailureCode::TimedOutWaitingForJobToReachRunning, ""),
        };
        let error = match task.error.as_str() {
            "" => String::new(),
            error => format!("; container error: {error}"),
        };
        let stopped = match host.record.goals.get(job).map(|goal| goal.goal) {
            Some(Goal::Start) | None => "",
            Some(_) => "; somebody stopped it",
        };
        let what = format!(
            "job {short} to be RUNNING (it is {}{due_to}{error}{stopped})",
            task.state
        );
        (code, self.timed_out(&what))
    }

    pub(super) fn start(&mut self, host: Host<'a>, because: Because) {
        self.act(host.name, Action::Start, because);
        self.flying.push(host.name);
        let proof = self.rollout.policy.healthy_for();
        self.wake_at(self.now.plus(self.options.step_timeout() + proof));
    }

    /// Whether the agent still reports a job that is not deployed there any more.
    pub(super) fn has_leftover(host: Host<'a>, job: &JobId) -> bool {
        !host.record.goals.contains_key(job) && host.task(job).is_some()
    }
}
