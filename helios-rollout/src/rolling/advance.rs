//! The planner.

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::{HostName, ResolvedRolloutOptions, RollingUpdateReason};

use super::members::{Host, Members};
use super::{
    Action, Because, Counts, FailureCode, GroupRecord, Line, Rollout, RolloutPlan, RolloutState,
    Verdict,
};

/// The most hosts that one step does something about; what is left comes with the next one.
const MOVES_MAX: usize = 100;

/// What the rollout of a group does next.
///
/// Rests on nothing but what is stored: the same entries give the same plan on every master, and a master
/// that starts in the middle goes on where the last one stopped.
///
/// ```
/// use helios_core::Timestamp;
/// use helios_core::cluster::FleetView;
/// use helios_core::model::DeploymentGroup;
/// use helios_rollout::rolling::{GroupRecord, advance};
///
/// let group = DeploymentGroup::new("front", vec!["role=web".parse()?]);
/// let record = GroupRecord::new("m1-0".to_owned(), group);
/// let plan = advance(&record, &FleetView::default(), Timestamp::from_millis(0));
/// assert!(plan.is_empty(), "nothing was rolled out yet");
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
pub fn advance(record: &GroupRecord, fleet: &FleetView, now: Timestamp) -> RolloutPlan {
    let Some(rollout) = &record.rollout else {
        return RolloutPlan::default();
    };
    let mut planner = Planner::new(record, rollout, fleet, now);
    match rollout.state {
        RolloutState::RollingOut => planner.roll(),
        RolloutState::Done => planner.join(Verdict::Reopens),
        RolloutState::Failed if rollout.stopped => {}
        RolloutState::Failed
            if record.group.rolling_update_reason == Some(RollingUpdateReason::HostsChanged) =>
        {
            planner.join(Verdict::Restarts);
        }
        RolloutState::Failed => {}
    }
    planner.count();
    planner.plan
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) record: &'a GroupRecord,
    pub(super) rollout: &'a Rollout,
    pub(super) options: ResolvedRolloutOptions,
    pub(super) fleet: &'a FleetView,
    pub(super) members: Members<'a>,
    pub(super) now: Timestamp,
    pub(super) plan: RolloutPlan,
    /// The hosts of the rollout that are still in flight after this step.
    pub(super) flying: Vec<&'a HostName>,
    /// What failed in this step, for people.
    failures: Vec<String>,
    pub(super) moves: usize,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        record: &'a GroupRecord,
        rollout: &'a Rollout,
        fleet: &'a FleetView,
        now: Timestamp,
    ) -> Self {
        Self {
            record,
            rollout,
            options: record.options(),
            fleet,
            members: Members::of(record, fleet, rollout.policy.per.as_deref()),
            now,
            plan: RolloutPlan::default(),
            flying: Vec::new(),
            failures: Vec::new(),
            moves: 0,
        }
    }

    fn roll(&mut self) {
        self.judge_flights();
        if self.is_given_up() {
            return self.give_up();
        }
        let left = self.take_turns();
        if self.is_given_up() {
            return self.give_up();
        }
        if !self.plan.verdict.is_nothing() {
            return;
        }
        if self.flying.is_empty() && left == 0 && !self.waits_for_the_absent() {
            if self.is_given_up() {
                return self.give_up();
            }
            self.plan.verdict = Verdict::Ends;
        }
    }

    /// Goes on, or starts again, if hosts joined or left since.
    fn join(&mut self, verdict: Verdict) {
        let joined = self.pending().any(|host| host.is_here());
        let left = self.leavers().next().is_some();
        if joined || left {
            self.plan.verdict = verdict;
        }
    }

    /// The members whose turn is still to come.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Host<'a>> {
        let to_come =
            |host: &&Host<'a>| !host.bears(&self.rollout.id) && self.is_untried(host.name);
        self.members.all.iter().filter(to_come)
    }

    /// The hosts that still have to leave.
    pub(super) fn leavers(&self) -> impl Iterator<Item = &Host<'a>> {
        let to_come = |host: &&Host<'a>| self.is_untried(host.name);
        self.members.strangers.iter().filter(to_come)
    }

    fn is_untried(&self, host: &HostName) -> bool {
        !self.rollout.in_flight.contains_key(host)
            && !self.rollout.failed.contains_key(host)
            && !self.rollout.left_out.contains(host)
    }

    /// At the end of a rollout whose policy it is to wait for those that are down: whether it still does.
    fn waits_for_the_absent(&mut self) -> bool {
        if self.rollout.policy.when_down != super::WhenDown::Wait {
            return false;
        }
        // Those that are here were dealt with in this very step.
        let absent = self.pending().filter(|host| !host.is_here());
        let absent: Vec<&'a HostName> = absent.map(|host| host.name).collect();
        if absent.is_empty() {
            return false;
        }
        let deadline = self.rollout.changed.plus(self.options.step_timeout());
        if self.now < deadline {
            self.wake_at(deadline);
            return true;
        }
        for host in absent.into_iter().take(MOVES_MAX) {
            let reason = format!(
                "its agent was down for longer than {} s",
                self.options.timeout
            );
            self.fail(host, FailureCode::HostDown, reason);
        }
        !self.is_given_up()
    }

    pub(super) fn act(&mut self, host: &HostName, action: Action, because: Because) {
        self.moves += 1;
        self.plan.lines.push(Line {
            host: host.clone(),
            action: Some(action),
            because,
        });
    }

    pub(super) fn wait(&mut self, host: &HostName, because: Because) {
        self.plan.lines.push(Line {
            host: host.clone(),
            action: None,
            because,
        });
    }

    pub(super) fn fail(&mut self, host: &HostName, code: FailureCode, reason: String) {
        let reason = super::failure::shortened(&reason);
        self.failures.push(format!("{host}: {reason}"));
        self.act(host, Action::Fail(code), Because::Failure(reason));
    }

    pub(super) fn wake_at(&mut self, at: Timestamp) {
        let earliest = self.plan.wake.map_or(at, |wake| wake.min(at));
        self.plan.wake = Some(earliest);
    }

    /// Whether a step has room for more.
    pub(super) fn has_room(&self) -> bool {
        self.moves < MOVES_MAX
    }

    pub(super) fn is_given_up(&self) -> bool {
        let failed = self.rollout.failed.len() + self.failures.len();
        let tolerance = self
            .rollout
            .policy
            .tolerance(&self.options, self.rollout.size);
        !self.failures.is_empty() && u64::try_from(failed).unwrap_or(u64::MAX) > tolerance
    }

    /// Ends the rollout for what failed, by going back if that is wanted and possible. What would have been
    /// started in the same step is not.
    fn give_up(&mut self) {
        let starts = |action| matches!(action, Action::Start | Action::Clear | Action::Leave);
        self.plan
            .lines
            .retain(|line| !line.action.is_some_and(starts));
        let mut error = self.failures.first().cloned().unwrap_or_default();
        let more = self.rollout.failed.len() + self.failures.len() - 1;
        if more > 0 {
            error = format!("{error} (and {more} more failed)");
        }
        self.fail_with(error);
    }

    /// Ends the rollout, by going back if that is wanted and possible.
    pub(super) fn fail_with(&mut self, error: String) {
        let by_hand = self.record.group.rolling_update_reason == Some(RollingUpdateReason::Manual);
        let wanted = self.rollout.policy.rollback && by_hand && self.rollout.undoes.is_none();
        if !wanted {
            if !by_hand {
                let untried = self.pending().chain(self.leavers());
                self.plan.left_out = untried.map(|host| host.name.clone()).collect();
            }
            self.plan.verdict = Verdict::Fails(error);
            return;
        }
        let settled = self.record.settled.as_ref();
        let back = settled.filter(|job| **job != self.rollout.job);
        self.plan.verdict = match back {
            Some(to) if self.fleet.jobs.get(to).is_some() => Verdict::RollsBack {
                error,
                to: to.clone(),
            },
            Some(to) => Verdict::Fails(format!(
                "{error}; not taken back: there is no job {} any more",
                to.short()
            )),
            None => Verdict::Fails(format!(
                "{error}; not taken back: nothing was settled before"
            )),
        };
    }

    /// Fills in how the group is after this step.
    fn count(&mut self) {
        let rollout = self.rollout;
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let mut counts = Counts {
            members: count(self.members.all.len()),
            in_flight: count(rollout.in_flight.len()),
            failed: count(rollout.failed.len()),
            ..Counts::default()
        };
        for host in &self.members.all {
            if host.bears(&rollout.id) {
                let is_done = !rollout.in_flight.contains_key(host.name)
                    && !rollout.failed.contains_key(host.name);
                counts.done += u64::from(is_done);
            } else if self.is_untried(host.name) {
                counts.waiting += u64::from(host.is_here());
                counts.down += u64::from(!host.is_here());
            }
        }
        self.plan.counts = counts;
    }
}
