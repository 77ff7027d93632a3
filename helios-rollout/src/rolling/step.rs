//! Making a plan one transaction.

use std::fmt::Write as _;
use std::sync::Arc;

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::{Goal, HostName, Job, JobId, RollingUpdateReason};
use helios_core::ops::{audited, keep_job, update_host};
use helios_core::schema::{
    AuditRecord, GoalRecord, GroupMark, HostRecord, Keys, Stamp, Versioned, encode,
};
use helios_core::store::{Op, Txn};

use super::members::{Host, old_goals};
use super::record::Undone;
use super::{
    Action, Failure, Flight, GroupRecord, Phase, Policy, Rollout, RolloutPlan, RolloutState,
    Verdict,
};

/// How much of the hosts a step writes at most, in bytes, as soon as it is more than one host: the group's
/// entry and its record have to fit beside them.
const HOST_BYTES_MAX: usize = 400 * 1024;

/// How many hosts the log of a step names.
const NAMED_MAX: usize = 8;

/// How many failures are stored with their reasons; of the others the code is enough.
const REASONS_MAX: usize = 200;

/// The transaction that does what `plan` says: the group's entry, the hosts of the step, the audit record, and
/// checks of everything else the plan was made from.
///
/// `group` and `fleet` are those the plan was made from, `now` too. `master` is whose name the deployments
/// bear. Hosts that do not fit are left for the next step. An empty plan makes an empty transaction.
pub fn step(
    group: &Versioned<GroupRecord>,
    plan: &RolloutPlan,
    fleet: &FleetView,
    now: Timestamp,
    stamp: &Stamp,
    master: &str,
) -> Txn {
    let Some(rollout) = group.rollout.as_ref().filter(|_| !plan.is_empty()) else {
        return Txn::new();
    };
    let Ok(key) = Keys::group(&group.group.name) else {
        return Txn::new();
    };
    let mut draft = Draft {
        group,
        rollout: rollout.clone(),
        fleet,
        now,
        master,
        txn: Txn::new(),
    };
    draft.rollout.step += 1;
    draft.rollout.changed = now;
    let whole = draft.take_in(plan);
    let verdict = if whole {
        plan.verdict.clone()
    } else {
        Verdict::Stays
    };
    let said = describe(plan, &verdict);
    let step = draft.rollout.step;
    draft.rollout.note(now, format!("step {step}: {said}"));
    let mut next = GroupRecord::clone(group);
    next.rollout = Some(draft.rollout);
    next.follow(verdict, plan, now, stamp);
    let detail = format!("{} step {step}: {said}", group.group.name);
    let audit = AuditRecord::new(stamp, "roll")
        .job(&rollout.job)
        .detail(detail);
    audited(
        draft.txn.update(key, group.version, encode(&next)),
        stamp,
        &audit,
    )
}

/// A transaction in the making.
struct Draft<'a> {
    group: &'a GroupRecord,
    rollout: Rollout,
    fleet: &'a FleetView,
    now: Timestamp,
    master: &'a str,
    txn: Txn,
}

impl Draft<'_> {
    /// Takes in the moves of a plan; false when some do not fit.
    fn take_in(&mut self, plan: &RolloutPlan) -> bool {
        let job = self.job_to_start(plan);
        let mut bytes = 0;
        for (name, action, because) in plan.moves() {
            let host = Host::find(self.group, self.fleet, name);
            let before = self.txn.ops().len();
            let txn = std::mem::take(&mut self.txn);
            let with = match host {
                Some(host) => self.with_host(txn.clone(), host, *action, job.as_ref()),
                None => txn.clone(),
            };
            let more: usize = with.ops().iter().skip(before).map(value_bytes).sum();
            if bytes > 0 && bytes + more > HOST_BYTES_MAX {
                self.txn = txn;
                return false;
            }
            bytes += more;
            self.txn = with;
            self.note_move(name, *action, because.to_string());
        }
        true
    }

    /// The job, which must not be removed meanwhile, if the plan starts it anywhere.
    fn job_to_start(&mut self, plan: &RolloutPlan) -> Option<Arc<Job>> {
        let mut moves = plan.moves();
        moves.find(|(_, action, _)| **action == Action::Start)?;
        let record = self.fleet.jobs.get(&self.rollout.job)?;
        self.txn = keep_job(Keys::job(&self.rollout.job).ok()?, record);
        Some(Arc::clone(&record.job))
    }

    /// What becomes of the host's entry, and what must not have changed: the entry, and the report that its
    /// labels and states are from.
    fn with_host(&self, txn: Txn, host: Host<'_>, action: Action, job: Option<&Arc<Job>>) -> Txn {
        let txn = match host.report {
            Some(report) => txn.check(Keys::report(host.name), report.version),
            None => txn,
        };
        let name = &self.group.group.name;
        let overlap = self.group.options().overlap;
        let target = &self.rollout.job;
        let is_write = match action {
            Action::Adopt | Action::Clear | Action::Start | Action::Leave => true,
            Action::Settle => old_goals(host.record, name, Some(target)).next().is_some(),
            _ => false,
        };
        if !is_write {
            return txn.check(Keys::host(host.name), host.record.version);
        }
        update_host(txn, host.name, host.record, |record| match action {
            Action::Leave => {
                remove_goals(record, name, None);
                record.groups.remove(name);
            }
            Action::Adopt => self.mark(record),
            Action::Settle => remove_goals(record, name, Some(target)),
            _ => {
                if !overlap {
                    remove_goals(record, name, Some(target));
                }
                if let Some(job) = job.filter(|_| action == Action::Start) {
                    record.goals.insert(target.clone(), self.goal(job));
                }
                self.mark(record);
            }
        })
    }

    fn goal(&self, job: &Arc<Job>) -> GoalRecord {
        GoalRecord {
            job: Arc::clone(job),
            goal: Goal::Start,
            user: None,
            master: Some(self.master.to_owned()),
            group: Some(self.group.group.name.clone()),
        }
    }

    fn mark(&self, record: &mut HostRecord) {
        let mark = GroupMark {
            group: self.group.id.clone(),
            rollout: self.rollout.id.clone(),
            step: self.rollout.step,
        };
        record.groups.insert(self.group.group.name.clone(), mark);
    }

    fn note_move(&mut self, host: &HostName, action: Action, because: String) {
        let (now, rollout) = (self.now, &mut self.rollout);
        let flight = |phase, jobs| Flight {
            phase,
            since: now,
            healthy: None,
            jobs,
        };
        match action {
            Action::Adopt => rollout.done += 1,
            Action::Clear | Action::Start => {
                let phase = if action == Action::Clear {
                    Phase::Clearing
                } else {
                    Phase::Starting
                };
                let before = rollout
                    .in_flight
                    .insert(host.clone(), flight(phase, Vec::new()));
                rollout.started += u64::from(before.is_none());
            }
            Action::Prove | Action::Relapse => {
                if let Some(flight) = rollout.in_flight.get_mut(host) {
                    flight.healthy = (action == Action::Prove).then_some(now);
                }
            }
            Action::Settle => {
                rollout.in_flight.remove(host);
                rollout.done += 1;
            }
            Action::Fail(code) => {
                rollout.in_flight.remove(host);
                let known = rollout.failed.len() < REASONS_MAX;
                let reason = if known { because } else { String::new() };
                let at = now;
                rollout
                    .failed
                    .insert(host.clone(), Failure { code, reason, at });
            }
            Action::Leave => {
                let jobs = self.jobs_on(host);
                self.rollout
                    .in_flight
                    .insert(host.clone(), flight(Phase::Leaving, jobs));
            }
            Action::Left | Action::Forget => {
                rollout.in_flight.remove(host);
            }
        }
    }

    /// What the group has on a host.
    fn jobs_on(&self, host: &HostName) -> Vec<JobId> {
        let record = self.fleet.hosts.get(host);
        let goals = record
            .into_iter()
            .flat_map(|record| old_goals(record, &self.group.group.name, None));
        goals.map(|(job, _)| job.clone()).collect()
    }
}

fn remove_goals(record: &mut HostRecord, group: &str, except: Option<&JobId>) {
    record
        .goals
        .retain(|job, goal| goal.group.as_deref() != Some(group) || except == Some(job));
}

fn value_bytes(op: &Op) -> usize {
    match op {
        Op::Create { value, .. } | Op::Update { value, .. } => value.len(),
        Op::Check { .. } | Op::Delete { .. } => 0,
    }
}

impl GroupRecord {
    /// Does to the group what becomes of its rollout.
    fn follow(&mut self, verdict: Verdict, plan: &RolloutPlan, now: Timestamp, stamp: &Stamp) {
        let Some(rollout) = &mut self.rollout else {
            return;
        };
        match verdict {
            Verdict::Stays => {}
            Verdict::Pauses(because) => rollout.pause = Some(because),
            Verdict::Ends => {
                rollout.state = RolloutState::Done;
                (rollout.pause, rollout.pause_at) = (None, None);
                if let (None, Some((host, failure))) =
                    (&rollout.error, rollout.failed.iter().next())
                {
                    let (count, reason) = (rollout.failed.len(), &failure.reason);
                    let error = format!("done but for {count} that failed, as {host}: {reason}");
                    rollout.error = Some(error);
                }
                let job = rollout.job.clone();
                self.settle(job);
            }
            Verdict::Fails(error) => {
                rollout.state = RolloutState::Failed;
                rollout.error = Some(error);
                rollout.in_flight.clear();
                rollout.left_out = plan.left_out.iter().cloned().collect();
            }
            Verdict::RollsBack { error, to } => {
                let next = rollout.taken_back(stamp.operation.to_string(), to, &error, now);
                self.group.job_id = Some(next.job.clone());
                self.rollout = Some(next);
            }
            Verdict::Reopens => {
                rollout.state = RolloutState::RollingOut;
                (rollout.begun, rollout.done_before) = (now, rollout.done);
                rollout.size = plan.counts.members;
                rollout.pause_at = None;
                self.group.rolling_update_reason = Some(RollingUpdateReason::HostsChanged);
            }
            Verdict::Restarts => {
                let policy = rollout.policy.without_pauses();
                let id = stamp.operation.to_string();
                let mut next =
                    Rollout::new(id, rollout.job.clone(), policy, plan.counts.members, now);
                // What fails again must not keep the others from their turn.
                let again = rollout.last.intersection(&rollout.left_out);
                next.last = rollout.failed.keys().chain(again).cloned().collect();
                next.log = std::mem::take(&mut rollout.log);
                self.rollout = Some(next);
            }
        }
    }

    /// Remembers what was brought to the whole group.
    fn settle(&mut self, job: JobId) {
        if self.settled.as_ref() != Some(&job) {
            self.before = self.settled.replace(job);
        }
    }
}

impl Rollout {
    /// The rollout that takes this one back, to `job`: as fast, as careful, and never taken back itself.
    pub(super) fn taken_back(&self, id: String, job: JobId, why: &str, now: Timestamp) -> Self {
        let policy = self.policy.without_pauses();
        let mut next = Self::new(id, job, policy, self.size, now);
        next.undoes = Some(Undone {
            rollout: self.id.clone(),
            job: self.job.clone(),
        });
        next.error = Some(format!("job {} was taken back: {why}", self.job.short()));
        next.log.clone_from(&self.log);
        next
    }
}

impl Policy {
    fn without_pauses(&self) -> Self {
        Self {
            stop_after: None,
            ..self.clone()
        }
    }
}

/// What a step does and why, in a line for the log.
fn describe(plan: &RolloutPlan, verdict: &Verdict) -> String {
    let mut said = String::new();
    let mut ending = verdict.to_string();
    let mut more = 0;
    for (number, (host, action, because)) in plan.moves().enumerate() {
        if number < NAMED_MAX {
            let _ = write!(said, "{host} {action}, because {because}; ");
            // Why it failed needs saying once.
            ending = ending.replace(&format!("{host}: {because}"), host.as_str());
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let _ = write!(said, "and {more} more; ");
    }
    said + &ending
}
