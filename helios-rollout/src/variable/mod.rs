//! Named values that change gradually, and everything there is to ask about them.
//!
//! A [`Variable`] is stored data. With a [`Fleet`](crate::order::Fleet) it becomes a [`View`], which answers
//! [`value_for`](View::value_for) a host, [`flips_at`](View::flips_at), [`preview`](View::preview), [`explain`](View::explain) and
//! [`plan`](View::plan).

mod answer;
mod error;
mod held;
mod path;
#[cfg(test)]
mod tests;
mod transition;
mod transport;
mod value;
#[expect(
    clippy::module_inception,
    reason = "one type per file, and this one is the module's own"
)]
mod variable;
mod view;

pub use answer::{Because, Explanation, Flips, PlaceInLine, Preview, Step, StratumCount, Tell};
pub use error::VariableError;
pub use held::Held;
pub use transition::{Change, Part, Rollback, Running, Transition};
pub use value::{Kind, Value};
pub use variable::Variable;
pub use view::{Budget, View};
