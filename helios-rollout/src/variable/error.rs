//! Why a change to a variable is refused.

use thiserror::Error;

use super::{Kind, Value};
use crate::curve::CurveError;
use crate::order::OrderError;
use crate::share::Share;

/// A variable, or a change to one, that cannot mean anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VariableError {
    /// The name is not one.
    #[error("{name:?} is no variable name: use 1 to 128 of a-z, A-Z, 0-9, '.', '_', '-'")]
    Name {
        /// The text.
        name: String,
    },
    /// The value has another type.
    #[error("variable {name} holds {kind}, and {value} is none")]
    WrongKind {
        /// The variable.
        name: String,
        /// What it holds.
        kind: Kind,
        /// The value.
        value: Value,
    },
    /// The value is not among the allowed ones.
    #[error("{value} is not among the allowed values of variable {name}")]
    UnknownValue {
        /// The variable.
        name: String,
        /// The value.
        value: Value,
    },
    /// From and to are the same.
    #[error("the transition of variable {name} would change nothing")]
    NoChange {
        /// The variable.
        name: String,
    },
    /// Another transition is running.
    #[error("variable {name} already has a transition: finish, abort or roll it back first")]
    Overlaps {
        /// The variable.
        name: String,
    },
    /// There is no transition to do that to.
    #[error("variable {name} has no transition {wanted}")]
    NoTransition {
        /// The variable.
        name: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The change is forbidden.
    #[error("variable {name} must not change from {from} to {to}{}", detour(via))]
    Forbidden {
        /// The variable.
        name: String,
        /// What it holds.
        from: Value,
        /// What it should hold.
        to: Value,
        /// A shortest allowed way there, as values between the two; `None` if there is no way.
        via: Option<Vec<Value>>,
    },
    /// The parts of a mix are not a whole.
    #[error(
        "the parts of a mix of variable {name} must be different values and sum up to 100%, not {sum}"
    )]
    Mix {
        /// The variable.
        name: String,
        /// What they sum up to.
        sum: Share,
    },
    /// A transition to nobody: its last share is nothing.
    #[error("the transition of variable {name} would stop at 0%")]
    NobodyChanges {
        /// The variable.
        name: String,
    },
    /// The transition is not at its end.
    #[error("the transition of variable {name} has not ended: {left} hosts are to be told yet")]
    NotEnded {
        /// The variable.
        name: String,
        /// How many hosts are left.
        left: u64,
    },
    /// The step was planned from another revision.
    #[error(
        "the step was planned from revision {planned} of variable {name}, which is at {present}: plan again"
    )]
    Stale {
        /// The variable.
        name: String,
        /// The revision of the plan.
        planned: u64,
        /// The revision now.
        present: u64,
    },
    /// The curve is refused.
    #[error("the curve of variable {name} is refused")]
    Curve {
        /// The variable.
        name: String,
        /// Why.
        source: CurveError,
    },
    /// The order is refused.
    #[error("the order of variable {name} is refused")]
    Order {
        /// The variable.
        name: String,
        /// Why.
        source: OrderError,
    },
}

fn detour(via: &Option<Vec<Value>>) -> String {
    match via {
        None => String::new(),
        Some(via) => {
            let names: Vec<String> = via.iter().map(Value::to_string).collect();
            format!(" directly: go through {} first", names.join(", then "))
        }
    }
}
