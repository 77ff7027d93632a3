//! Wanting something else of a deployed job.

use crate::model::{Goal, HostName, JobId};
use crate::schema::{AuditRecord, Stamp};
use crate::store::Txn;

use super::{DeployView, Refused, audited, check_token, registered, update_host};

/// That something else is wanted of a job on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetGoal {
    /// Which host.
    pub host: HostName,
    /// Which job.
    pub job: JobId,
    /// What is wanted of it now.
    pub goal: Goal,
    /// The job's token.
    pub token: String,
}

impl SetGoal {
    /// That `goal` is wanted of `job`, which has no token, on `host`.
    #[must_use]
    pub fn new(host: HostName, job: JobId, goal: Goal) -> Self {
        Self {
            host,
            job,
            goal,
            token: String::new(),
        }
    }
}

/// Sets the goal of a job on a host. Who deployed it stays.
///
/// # Errors
/// [`NotDeployed`](Refused::NotDeployed) when there is no such job, [`Forbidden`](Refused::Forbidden),
/// [`HostNotFound`](Refused::HostNotFound), [`GoalUnread`](Refused::GoalUnread),
/// [`NotDeployed`](Refused::NotDeployed) when it is not on the host, looked for in that order.
pub fn set_goal(view: &DeployView, request: &SetGoal, stamp: &Stamp) -> Result<Txn, Refused> {
    let not_deployed = || Refused::NotDeployed {
        job: request.job.clone(),
        host: request.host.clone(),
    };
    let job = view.job.as_ref().ok_or_else(not_deployed)?;
    check_token(&job.job, &request.token)?;
    let host = registered(view.host.as_ref(), &request.host)?;
    if let Some(unread) = host.goals.unread_of(&request.job) {
        return Err(Refused::GoalUnread {
            job: request.job.clone(),
            host: request.host.clone(),
            why: unread.why.clone(),
        });
    }
    let current = host.goals.get(&request.job).ok_or_else(not_deployed)?;
    if current.goal == request.goal {
        return Ok(Txn::new());
    }
    let txn = update_host(Txn::new(), &request.host, host, |record| {
        if let Some(goal) = record.goals.get_mut(&request.job) {
            goal.goal = request.goal;
        }
    });
    let audit = AuditRecord::new(stamp, "set goal")
        .job(&request.job)
        .host(&request.host)
        .detail(request.goal.as_str());
    Ok(audited(txn, stamp, &audit))
}
