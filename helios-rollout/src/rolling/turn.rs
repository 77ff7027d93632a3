//! Whose turn it is.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use helios_core::model::{Goal, Job, JobId, TaskState, natural_cmp};
use helios_core::schema::{HostRecord, Keys};

use super::advance::Planner;
use super::members::{Host, old_goals};
use super::{Action, Because, FailureCode, Verdict, WhenDown};

/// How many more hosts may be started: in a zone, and in all.
struct Slots<'a> {
    zones: BTreeMap<&'a str, u64>,
    all: u64,
}

impl Slots<'_> {
    fn are_left(&self, zone: &str) -> bool {
        self.all > 0 && self.zones.get(zone).is_some_and(|left| *left > 0)
    }

    fn take(&mut self, zone: &str) {
        self.all = self.all.saturating_sub(1);
        if let Some(left) = self.zones.get_mut(zone) {
            *left = left.saturating_sub(1);
        }
    }
}

impl<'a> Planner<'a> {
    /// Starts the next hosts and lets strangers go, as far as there are slots. Returns how many are left for
    /// later steps.
    pub(super) fn take_turns(&mut self) -> usize {
        let mut queue: Vec<Host<'a>> = self.pending().copied().collect();
        if self.rollout.policy.when_down != WhenDown::Fail {
            queue.retain(|host| {
                let here = host.is_here();
                if !here {
                    let because = if host.up {
                        Because::Drained
                    } else {
                        Because::Down
                    };
                    self.wait(host.name, because);
                }
                here
            });
        }
        let leavers: Vec<Host<'a>> = self.leavers().copied().collect();
        if queue.is_empty() && leavers.is_empty() {
            return 0;
        }
        if self.rollout.pause.is_some() {
            for host in queue.iter().chain(&leavers) {
                self.wait(host.name, Because::Paused);
            }
            return queue.len() + leavers.len();
        }
        let Some(job) = self.job(queue.is_empty()) else {
            return queue.len() + leavers.len();
        };
        let left = self.let_go(&leavers);
        left + match job {
            Some(job) => self.start_next(queue, &job),
            None => 0,
        }
    }

    /// The job, if one has to be started. `None` when that ends the step: there is no such job any more.
    fn job(&mut self, not_needed: bool) -> Option<Option<std::sync::Arc<Job>>> {
        if not_needed {
            return Some(None);
        }
        let id = &self.rollout.job;
        if let Some(record) = self.fleet.jobs.get(id) {
            return Some(Some(std::sync::Arc::clone(&record.job)));
        }
        if let Ok(key) = Keys::job(id) {
            let readable = |key: &_| !self.fleet.jobs.unreadable().any(|entry| entry.key == *key);
            if readable(&key) {
                self.plan.absent.insert(key);
                let job = id.short();
                self.fail_with(format!(
                    "there is no job {job} any more: create it, and roll it out again"
                ));
            }
        }
        None
    }

    /// Takes the group's jobs from hosts that do not belong to it any more.
    fn let_go(&mut self, leavers: &[Host<'a>]) -> usize {
        let size = u64::try_from(self.members.all.len()).unwrap_or(u64::MAX);
        let width = self.rollout.policy.width(&self.options, size);
        let leaving = self.rollout.in_flight.iter();
        let leaving = leaving.filter(|(name, flight)| {
            flight.phase == super::Phase::Leaving && self.flying.contains(name)
        });
        let mut slots = width.saturating_sub(u64::try_from(leaving.count()).unwrap_or(u64::MAX));
        let mut left = 0;
        for host in leavers {
            if slots == 0 || self.is_given_up() || !self.has_room() {
                left += 1;
                self.wait(host.name, Because::Full);
            } else if let Some(reason) = self.wrong_token(host.record, None) {
                self.fail(host.name, FailureCode::TokenVerificationError, reason);
            } else {
                slots -= 1;
                self.act(host.name, Action::Leave, Because::Stranger);
                self.flying.push(host.name);
            }
        }
        left
    }

    /// Starts those whose turn it is, in their order, and then marks those that are right already.
    fn start_next(&mut self, queue: Vec<Host<'a>>, job: &Job) -> usize {
        let (right, mut queue): (Vec<_>, Vec<_>) =
            queue.into_iter().partition(|host| self.is_right(*host));
        let mut slots = self.slots();
        let mut left = 0;
        self.bring_forward(&mut queue);
        for host in queue {
            let zone = host.zone(self.rollout.policy.per.as_deref());
            if self.is_given_up() || !self.has_room() {
                left += 1;
            } else if !slots.are_left(zone) {
                left += 1;
                self.wait(host.name, Because::Full);
            } else if let Some((code, reason)) = self.obstacle(host, job) {
                self.fail(host.name, code, reason);
            } else {
                slots.take(zone);
                let because = self.turn(host, zone);
                if Self::has_leftover(host, &job.id) {
                    self.act(host.name, Action::Clear, Because::Leftover);
                    self.flying.push(host.name);
                } else {
                    self.start(host, because);
                }
            }
        }
        if slots.all == 0 && left > 0 && self.rollout.pause_at.is_some() {
            let because = format!(
                "{} hosts were started, as asked",
                self.rollout.pause_at.unwrap_or(0)
            );
            self.plan.verdict = Verdict::Pauses(because);
        }
        for host in right {
            if self.is_given_up() || !self.has_room() {
                left += 1;
            } else {
                self.act(host.name, Action::Adopt, Because::RunsAlready);
            }
        }
        left
    }

    fn slots(&self) -> Slots<'a> {
        let policy = &self.rollout.policy;
        let mut zones: BTreeMap<&str, u64> = self
            .members
            .zones
            .iter()
            .map(|(zone, members)| (*zone, policy.width(&self.options, *members)))
            .collect();
        for name in &self.flying {
            let Some(host) = Host::find(self.record, self.fleet, name) else {
                continue;
            };
            let zone = host.zone(policy.per.as_deref());
            // Nobody knows the zone of a host whose agent has not reported yet, as after it took the name over.
            let is_anywhere = host.report.is_none();
            for (_, left) in zones
                .iter_mut()
                .filter(|(name, _)| is_anywhere || **name == zone)
            {
                *left = left.saturating_sub(1);
            }
        }
        let pause_at = self.rollout.pause_at.unwrap_or(u64::MAX);
        Slots {
            zones,
            all: pause_at.saturating_sub(self.rollout.started),
        }
    }

    /// Puts those first that can be dealt with in this step, in their order; the rest stays behind them. A
    /// full sort of a large group would take longer than everything else.
    fn bring_forward(&self, queue: &mut [Host<'a>]) {
        let first = usize::try_from(self.rollout.policy.width(&self.options, self.rollout.size));
        let zones = self.members.zones.len().max(1);
        let first = first.unwrap_or(usize::MAX).saturating_mul(zones);
        if self.rollout.policy.per.is_some() || first >= queue.len() {
            queue.sort_by(|a, b| self.order(a, b));
            return;
        }
        queue.select_nth_unstable_by(first, |a, b| self.order(a, b));
        let (next, _) = queue.split_at_mut(first);
        next.sort_by(|a, b| self.order(a, b));
    }

    /// Natural order, with what failed before at the end; what is taken back goes last in, first out.
    pub(super) fn order(&self, a: &Host<'a>, b: &Host<'a>) -> Ordering {
        let by_name = || natural_cmp(a.name.as_str(), b.name.as_str());
        if self.rollout.undoes.is_none() {
            let is_last = |host: &Host<'a>| self.rollout.last.contains(host.name);
            return is_last(a).cmp(&is_last(b)).then_with(by_name);
        }
        let key = |host: &Host<'a>| Reverse(self.undone_step(*host));
        key(a).cmp(&key(b)).then_with(|| by_name().reverse())
    }

    /// In which step of the rollout that is taken back a host was started, if it was.
    fn undone_step(&self, host: Host<'a>) -> Option<u64> {
        let undone = self.rollout.undoes.as_ref()?;
        let mark = host.mark?;
        (mark.rollout == undone.rollout).then_some(mark.step)
    }

    fn turn(&self, host: Host<'a>, zone: &str) -> Because {
        if let Some(step) = self.undone_step(host) {
            return Because::TakenBack { step };
        }
        let per = self.rollout.policy.per.as_ref();
        let size = self.members.zones.get(zone).copied().unwrap_or_default();
        Because::Turn {
            width: self.rollout.policy.width(&self.options, size),
            zone: per.map(|_| zone.to_owned()),
        }
    }

    /// Whether the host runs the job for this group, and nothing else of it.
    pub(super) fn is_right(&self, host: Host<'a>) -> bool {
        let (name, job) = (&self.record.group.name, &self.rollout.job);
        let goal = host.record.goals.get(job);
        goal.is_some_and(|goal| goal.group.as_ref() == Some(name) && goal.goal == Goal::Start)
            && old_goals(host.record, name, Some(job)).next().is_none()
            && host.is_here()
            && host
                .task(job)
                .is_some_and(|task| task.state == TaskState::Running)
    }

    /// What makes it useless to start the job on that host.
    pub(super) fn obstacle(&self, host: Host<'a>, job: &Job) -> Option<(FailureCode, String)> {
        let name = self.record.group.name.as_str();
        if !host.is_here() {
            let reason = if host.up {
                "it is drained"
            } else {
                "its agent is down"
            };
            return Some((FailureCode::HostDown, reason.to_owned()));
        }
        if let Some(reason) = self.wrong_token(host.record, Some(job)) {
            return Some((FailureCode::TokenVerificationError, reason));
        }
        let goal = host.record.goals.get(&job.id);
        let owner = goal.map(|goal| goal.group.as_deref());
        if owner.is_some_and(|owner| owner != Some(name)) && !self.options.migrate {
            let by = owner
                .flatten()
                .map_or("by hand".to_owned(), |group| format!("by group {group}"));
            let reason = format!(
                "job {} is deployed there already, {by}: migrate would take it over",
                job.id.short()
            );
            return Some((FailureCode::JobAlreadyDeployed, reason));
        }
        let taken = port_conflict(host.record, name, job, self.options.overlap)?;
        Some((FailureCode::PortConflict, taken))
    }

    /// Which of the jobs that are started or stopped has another token than the rollout, if one has.
    fn wrong_token(&self, record: &HostRecord, job: Option<&Job>) -> Option<String> {
        let old = old_goals(record, &self.record.group.name, job.map(|job| &job.id));
        let mut jobs = old.map(|(_, goal)| goal.job.as_ref()).chain(job);
        let wrong = jobs.find(|job| job.token != self.options.token)?;
        Some(format!(
            "the token of the rollout is not that of job {}: give the one it was created with",
            wrong.id.short()
        ))
    }
}

/// Which port of the job belongs to another one once the group's old jobs are gone, if they go first.
pub(super) fn port_conflict(
    record: &HostRecord,
    group: &str,
    job: &Job,
    overlap: bool,
) -> Option<String> {
    let stays = |id: &JobId| {
        *id != job.id && (overlap || old_goals(record, group, None).all(|(old, _)| old != id))
    };
    let wanted = job
        .ports
        .values()
        .filter_map(|port| Some((port.protocol.as_str(), port.external_port?)));
    for (protocol, port) in wanted {
        let mut taken = record.static_ports();
        let by = taken.find(|(p, n, id)| *p == protocol && i32::from(*n) == port && stays(id));
        if let Some((_, _, by)) = by {
            let by = by.short();
            return Some(format!(
                "port {port}/{protocol} belongs to job {by} there: undeploy that one, or use another port"
            ));
        }
    }
    None
}
