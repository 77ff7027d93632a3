//! How keys are spelled.

use crate::model::{HostName, JobId};
use crate::store::{Key, KeyError};
use crate::time::Timestamp;

use super::OperationId;

/// The keys of everything that is stored.
///
/// Host names and operation ids always fit a key, by the rules of their types. Job ids and names of
/// masters may not: nothing can be stored under those.
#[derive(Clone, Copy, Debug)]
pub struct Keys;

impl Keys {
    /// `cluster`.
    #[must_use]
    pub fn cluster() -> Key {
        key("cluster")
    }

    /// `jobs`, the directory of all jobs.
    #[must_use]
    pub fn jobs() -> Key {
        key("jobs")
    }

    /// `jobs/<id>`.
    ///
    /// # Errors
    /// [`KeyError`] when the id does not fit a key; there is no such job then.
    pub fn job(id: &JobId) -> Result<Key, KeyError> {
        Self::jobs().child(id.as_str())
    }

    /// `names/<name>:<version>`.
    ///
    /// # Errors
    /// As [`job`](Self::job).
    pub fn job_name(id: &JobId) -> Result<Key, KeyError> {
        key("names").child(id.without_hash().as_str())
    }

    /// `removed`, the directory of removed jobs of which something may be left.
    #[must_use]
    pub fn removals() -> Key {
        key("removed")
    }

    /// `removed/<operation>`, by the operation that removed the job.
    #[must_use]
    pub fn removal(operation: &OperationId) -> Key {
        key(&format!("removed/{operation}"))
    }

    /// `hosts`, the directory of all registered hosts.
    #[must_use]
    pub fn hosts() -> Key {
        key("hosts")
    }

    /// `hosts/<host>`.
    #[must_use]
    pub fn host(host: &HostName) -> Key {
        key(&format!("hosts/{host}"))
    }

    /// `up`, the directory of all live agents.
    #[must_use]
    pub fn ups() -> Key {
        key("up")
    }

    /// `up/<host>`.
    #[must_use]
    pub fn up(host: &HostName) -> Key {
        key(&format!("up/{host}"))
    }

    /// `masters`, the directory of all live masters.
    #[must_use]
    pub fn masters() -> Key {
        key("masters")
    }

    /// `masters/<master>`.
    ///
    /// # Errors
    /// [`KeyError`] when the name does not fit a key.
    pub fn master(name: &str) -> Result<Key, KeyError> {
        Self::masters().child(name)
    }

    /// `status`, the directory of all reports.
    #[must_use]
    pub fn reports() -> Key {
        key("status")
    }

    /// `status/<host>`.
    #[must_use]
    pub fn report(host: &HostName) -> Key {
        key(&format!("status/{host}"))
    }

    /// `history/<job id>`, the directory of what happened to a job, by host.
    ///
    /// # Errors
    /// As [`job`](Self::job).
    pub fn histories(job: &JobId) -> Result<Key, KeyError> {
        key("history").child(job.as_str())
    }

    /// `history/<job id>/<host>`.
    ///
    /// # Errors
    /// As [`job`](Self::job).
    pub fn history(job: &JobId, host: &HostName) -> Result<Key, KeyError> {
        Self::histories(job)?.child(host.as_str())
    }

    /// `groups`, the directory of all deployment groups.
    #[must_use]
    pub fn groups() -> Key {
        key("groups")
    }

    /// `groups/<group>`.
    ///
    /// # Errors
    /// [`KeyError`] when the name does not fit a key; there is no such group then.
    pub fn group(name: &str) -> Result<Key, KeyError> {
        Self::groups().child(name)
    }

    /// `variables`, the directory of all variables.
    #[must_use]
    pub fn variables() -> Key {
        key("variables")
    }

    /// `variables/<variable>`.
    ///
    /// # Errors
    /// [`KeyError`] when the name does not fit a key; there is no such variable then.
    pub fn variable(name: &str) -> Result<Key, KeyError> {
        Self::variables().child(name)
    }

    /// `rollouts/<variable>`, the directory of the pages of a variable's log.
    ///
    /// # Errors
    /// As [`variable`](Self::variable).
    pub fn rollout(variable: &str) -> Result<Key, KeyError> {
        key("rollouts").child(variable)
    }

    /// `rollouts/<variable>/<log>:<page>`.
    ///
    /// # Errors
    /// As [`variable`](Self::variable), and when the name of the log does not fit.
    pub fn rollout_page(variable: &str, log: &str, page: u32) -> Result<Key, KeyError> {
        Self::rollout(variable)?.child(&format!("{log}:{page:05}"))
    }

    /// `followers`, the directory of all hosts that follow variables without an agent.
    #[must_use]
    pub fn followers() -> Key {
        key("followers")
    }

    /// `followers/<host>`.
    #[must_use]
    pub fn follower(host: &HostName) -> Key {
        key(&format!("followers/{host}"))
    }

    /// `resets`, the directory of all resets.
    #[must_use]
    pub fn resets() -> Key {
        key("resets")
    }

    /// `resets/<reset>`.
    ///
    /// # Errors
    /// [`KeyError`] when the name does not fit a key; there is no such reset then.
    pub fn reset(name: &str) -> Result<Key, KeyError> {
        Self::resets().child(name)
    }

    /// `robustness/<reset>`, what a reset found out about services.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn robustness(reset: &str) -> Result<Key, KeyError> {
        key("robustness").child(reset)
    }

    /// `trails/<reset>/<page>`, what happened in a reset.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn trail_page(reset: &str, page: u32) -> Result<Key, KeyError> {
        key("trails").child(reset)?.child(&format!("{page:05}"))
    }

    /// `tokens`, the directory of all tokens.
    #[must_use]
    pub fn tokens() -> Key {
        key("tokens")
    }

    /// `tokens/<token>`, by the public part of a token.
    ///
    /// # Errors
    /// [`KeyError`] when the name does not fit a key; there is no such token then.
    pub fn token(name: &str) -> Result<Key, KeyError> {
        Self::tokens().child(name)
    }

    /// `absences`, the directory of who is away.
    #[must_use]
    pub fn absences() -> Key {
        key("absences")
    }

    /// `absences/<host>`: since when its agent is away.
    #[must_use]
    pub fn absence(host: &HostName) -> Key {
        key(&format!("absences/{host}"))
    }

    /// `audit/<minute>`, the directory of all operations of that minute, counted from the Unix epoch.
    /// One directory a minute keeps each of them small enough to be listed.
    #[must_use]
    pub fn audit_of(at: Timestamp) -> Key {
        key(&format!("audit/{:010}", at.as_millis().max(0) / 60_000))
    }

    /// `audit/<minute>/<operation>`.
    #[must_use]
    pub fn audit(at: Timestamp, operation: &OperationId) -> Key {
        key(&format!("{}/{operation}", Self::audit_of(at)))
    }
}

#[expect(
    clippy::expect_used,
    reason = "made of literals and of types whose every value fits a key; a test tries the extremes"
)]
fn key(text: &str) -> Key {
    Key::new(text).expect("a legal key")
}
