//! Rolling updates: a job on its way through a deployment group, a few hosts at a time.
//!
//! ```text
//!   group + fleet + time --> advance --> RolloutPlan --> step --> Txn
//!                            (pure)      (reasons)       (pure)
//! ```
//!
//! [`advance`] says what is next and why; [`step`] makes it one transaction over the group's entry and the
//! hosts of the step, with the version of everything it rests on. So any number of masters may do it at
//! once: one of them wins each step, and a rollout that was replaced, stopped or removed commits nothing
//! more. [`Driver`] is the loop around it, and [`Groups`] what can be asked of it.

mod advance;
mod driver;
mod failure;
mod flight;
mod forecast;
mod groups;
mod members;
mod ops;
mod plan;
mod policy;
mod record;
mod refused;
mod step;
mod turn;

pub use advance::advance;
pub use driver::Driver;
pub use failure::{Failure, FailureCode};
pub use forecast::{Forecast, forecast};
pub use groups::Groups;
pub use ops::{
    Preview, RollOut, create_group, edit_group, job_before, pause_group, preview_edit,
    remove_group, resume_group, roll_back, roll_out, stop_group,
};
pub use plan::{Action, Because, Counts, Line, RolloutPlan, Verdict};
pub use policy::{Hosts, HostsError, Policy, WhenDown};
pub use record::{Flight, GroupRecord, Note, Phase, Rollout, RolloutState, Undone};
pub use refused::GroupRefused;
pub use step::step;

#[cfg(test)]
mod tests;
