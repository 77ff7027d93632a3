//! What a rollout does next, and why.

use std::collections::BTreeSet;
use std::fmt;

use helios_core::Timestamp;
use helios_core::model::{HostName, JobId, TaskState, format_date};
use helios_core::store::Key;

use super::FailureCode;

/// What a rollout does next, host by host with the reasons, and when to look again.
///
/// Shown as a text with one line for each host, which tests compare and people read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is committed"]
pub struct RolloutPlan {
    /// The hosts something is done about or waited for.
    pub lines: Vec<Line>,
    /// What becomes of the rollout.
    pub verdict: Verdict,
    /// How the group is.
    pub counts: Counts,
    /// When something is due although nothing may change until then.
    pub wake: Option<Timestamp>,
    /// Entries whose absence the plan rests on. A view of the fleet can lag behind; a fresh look has to
    /// confirm it before the plan is committed.
    pub absent: BTreeSet<Key>,
    /// When it fails after hosts joined: those it had not come to, which are no reason to start again.
    pub left_out: BTreeSet<HostName>,
}

impl RolloutPlan {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verdict.is_nothing() && self.lines.iter().all(|line| line.action.is_none())
    }

    /// The lines in which something is done.
    pub fn moves(&self) -> impl Iterator<Item = (&HostName, &Action, &Because)> {
        self.lines.iter().filter_map(|line| {
            let action = line.action.as_ref()?;
            Some((&line.host, action, &line.because))
        })
    }
}

/// One host of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The host.
    pub host: HostName,
    /// What is done about it. Nothing: it is waited for, or has to wait.
    pub action: Option<Action>,
    /// Why.
    pub because: Because,
}

/// What a step does about a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Marks it: everything is as it should be already.
    Adopt,
    /// Takes the old jobs from it, and waits until a leftover is gone.
    Clear,
    /// Deploys the job.
    Start,
    /// Begins to count how long its job is healthy.
    Prove,
    /// Gives up counting.
    Relapse,
    /// Lets it be done; old jobs that were kept until now are undeployed.
    Settle,
    /// Gives it up.
    Fail(FailureCode),
    /// Takes the group's jobs from it.
    Leave,
    /// Lets it go.
    Left,
    /// Waits for it no longer.
    Forget,
}

/// Why something is done about a host, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// It runs the job already, for this group.
    RunsAlready,
    /// It is its turn.
    Turn {
        /// So many may be in flight at a time.
        width: u64,
        /// In this zone, if there are zones.
        zone: Option<String>,
    },
    /// It bears the mark of the rollout that is taken back.
    TakenBack {
        /// In which step it was started.
        step: u64,
    },
    /// Its agent still reports an earlier deployment of the job.
    Leftover,
    /// The earlier deployment is gone.
    Cleared,
    /// The job is healthy.
    Healthy,
    /// The job has been healthy for that long, in seconds.
    HealthyFor(u64),
    /// The job is healthy, but not for long enough yet: until then.
    Proving(Timestamp),
    /// The job is not healthy yet; there is time until then.
    Starting(Option<TaskState>, Timestamp),
    /// The job was healthy and is not any more.
    Relapsed(Option<TaskState>),
    /// Its labels do not fulfil the group's selectors any more.
    Stranger,
    /// Its jobs are not gone yet; there is time until then.
    Stopping(Timestamp),
    /// Its jobs are gone.
    Stopped,
    /// It is not registered any more.
    Unregistered,
    /// Its agent is not there.
    Down,
    /// It is drained.
    Drained,
    /// As many hosts are in flight as may be.
    Full,
    /// The rollout is paused.
    Paused,
    /// What went wrong.
    Failure(String),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunsAlready => f.write_str("it runs the job already, for this group"),
            Self::Turn { width, zone: None } => write!(f, "it is its turn, {width} at a time"),
            Self::Turn {
                width,
                zone: Some(zone),
            } => {
                write!(f, "it is its turn, {width} at a time in {zone:?}")
            }
            Self::TakenBack { step } => {
                write!(f, "it was started in step {step} of what is taken back")
            }
            Self::Leftover => f.write_str("an earlier deployment of the job is not gone yet"),
            Self::Cleared => f.write_str("the earlier deployment of the job is gone"),
            Self::Healthy => f.write_str("the job is healthy"),
            Self::HealthyFor(seconds) => write!(f, "the job has been healthy for {seconds} s"),
            Self::Proving(until) => write!(
                f,
                "the job is healthy, and has to be until {}",
                format_date(*until)
            ),
            Self::Starting(state, until) => {
                write!(
                    f,
                    "the job is {}, and has time until {}",
                    Shown(*state),
                    format_date(*until)
                )
            }
            Self::Relapsed(state) => write!(f, "the job was healthy, and is {} now", Shown(*state)),
            Self::Stranger => f.write_str("its labels do not match the selectors"),
            Self::Stopping(until) => {
                write!(
                    f,
                    "its jobs are being stopped, and have time until {}",
                    format_date(*until)
                )
            }
            Self::Stopped => f.write_str("its jobs are gone"),
            Self::Unregistered => f.write_str("it is not registered any more"),
            Self::Down => f.write_str("its agent is down"),
            Self::Drained => f.write_str("it is drained"),
            Self::Full => f.write_str("as many hosts are in flight as may be"),
            Self::Paused => f.write_str("the rollout is paused"),
            Self::Failure(reason) => f.write_str(reason),
        }
    }
}

/// A state, if there is one.
struct Shown(Option<TaskState>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(state) => state.fmt(f),
            None => f.write_str("not reported"),
        }
    }
}

/// What becomes of a rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing.
    #[default]
    Stays,
    /// It starts no further host until somebody resumes it.
    Pauses(String),
    /// It is done.
    Ends,
    /// It is given up.
    Fails(String),
    /// It is given up, and another rollout goes back to that job.
    RollsBack {
        /// Why it is given up.
        error: String,
        /// The job that was settled before.
        to: JobId,
    },
    /// It goes on, since hosts joined or left the group.
    Reopens,
    /// It had failed; another one begins, since hosts joined or left the group.
    Restarts,
}

impl Verdict {
    /// Whether nothing becomes of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::Stays
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stays => f.write_str("goes on"),
            Self::Pauses(because) => write!(f, "pauses: {because}"),
            Self::Ends => f.write_str("done"),
            Self::Fails(error) => write!(f, "failed: {error}"),
            Self::RollsBack { error, to } => {
                write!(f, "failed, goes back to {}: {error}", to.short())
            }
            Self::Reopens => f.write_str("goes on: hosts joined or left the group"),
            Self::Restarts => f.write_str("starts again: hosts joined or left the group"),
        }
    }
}

/// How a group is, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its members.
    pub members: u64,
    /// Those the rollout came to and that did not fail.
    pub done: u64,
    /// Those it waits for, and those that leave.
    pub in_flight: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose turn is still to come.
    pub waiting: u64,
    /// Those whose turn would be still to come, but whose agent is not there or that are drained.
    pub down: u64,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adopt => "adopt",
            Self::Clear => "clear",
            Self::Start => "start",
            Self::Prove => "prove",
            Self::Relapse => "relapse",
            Self::Settle => "done",
            Self::Fail(code) => return write!(f, "fail {code}"),
            Self::Leave => "leave",
            Self::Left => "left",
            Self::Forget => "forget",
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "{}: {action}, because {}", self.host, self.because),
            None => write!(f, "{}: wait, because {}", self.host, self.because),
        }
    }
}

impl fmt::Display for RolloutPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(f, "{}", self.verdict)
    }
}
