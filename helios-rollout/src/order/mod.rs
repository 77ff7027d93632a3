//! Which hosts come first.
//!
//! ```text
//! labels -> strata -> a line (hash inside a stratum, chairman assignment across) -> floors, ceilings -> one turn per host
//! ```
//!
//! A host has changed once the curve's share has reached its *turn*. That one comparison makes every order monotone and
//! sticky, and turns [`Schedule::reaches`](crate::curve::Schedule::reaches) into an exact forecast for each host.

mod chairman;
mod error;
mod fleet;
mod hash;
mod index;
mod rules;
mod sequence;
mod turns;

pub(crate) use chairman::chairman as interleave;
pub use error::OrderError;
pub use fleet::{Fleet, MEMBERS_MAX, Member};
pub use hash::{Purpose, hash, threshold};
pub use rules::{Amount, Ceiling, Floor, Rule};
pub use sequence::{Place, Sequence, Sorting, Stratum, StratumPath};
pub use turns::{Cause, Mode, Order, Told, Turn, Turns};
