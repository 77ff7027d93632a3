//! Why a change of a stored variable is refused.

use helios_core::cluster::ClusterError;
use helios_core::model::HostName;
use thiserror::Error;

use crate::audit::AuditError;
use crate::guard::GuardError;
use crate::order::OrderError;
use crate::variable::VariableError;

/// Why a change of a stored variable is refused. Nothing has changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such variable.
    #[error("there is no variable {name:?}: set it first")]
    NoVariable {
        /// The name.
        name: String,
    },
    /// The host is not known.
    #[error("host {host} is not known: let it call with its labels first, or register it")]
    NoHost {
        /// The name.
        host: HostName,
    },
    /// The variable cannot do that.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// The guard means nothing.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A guard's question cannot be asked.
    #[error("the guard cannot ask {query:?}: {why}")]
    Query {
        /// The query.
        query: String,
        /// What is wrong with it.
        why: String,
    },
    /// The fleet cannot be.
    #[error(transparent)]
    Fleet(#[from] OrderError),
    /// The log does not take it.
    #[error(transparent)]
    Log(AuditError),
    /// A transition is running.
    #[error("variable {name} has a transition: finish, abort or roll it back first")]
    Busy {
        /// The variable.
        name: String,
    },
    /// The transition concerns no host.
    #[error(
        "no host takes part in this transition of variable {name}: none that is known holds that value and is in its scope; hosts become \
         known by their agent, or by their first call"
    )]
    Nobody {
        /// The variable.
        name: String,
    },
    /// The guard holds the clock.
    #[error(
        "the guard holds the transition of variable {name}: abort it or roll it back, or pause it, which takes it from the guard"
    )]
    HeldByGuard {
        /// The variable.
        name: String,
    },
    /// Too many hosts follow without an agent.
    #[error("{max} hosts follow variables without an agent, which is the most: forget some first")]
    TooManyFollowers {
        /// The limit.
        max: usize,
    },
    /// A label that is none.
    #[error("the labels of host {host} are refused: {why}")]
    Labels {
        /// The host.
        host: HostName,
        /// Which rule they break.
        why: &'static str,
    },
}

impl From<AuditError> for Refusal {
    /// What the variable says is what people need to know.
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Variable { source, .. } => Self::Variable(*source),
            AuditError::Fleet { source, .. } => Self::Fleet(source),
            AuditError::Guard { source, .. } => Self::Guard(source),
            other => Self::Log(other),
        }
    }
}

/// Why a change of a stored variable was not made.
pub type ChangeError = ClusterError<Refusal>;

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// A refusal on its way to a [`ChangeError`].
pub(super) struct Refused(pub(super) Refusal);

impl From<Refused> for ChangeError {
    fn from(Refused(refusal): Refused) -> Self {
        Self::Refused(refusal)
    }
}
