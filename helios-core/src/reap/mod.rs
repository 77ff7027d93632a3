//! What masters clean up by themselves.
//!
//! [`reap`] decides, from a view of the fleet and what is remembered; [`Reaper`] looks, again and again, and
//! does it. Any number of masters may run it over one store: whatever is done is an operation like any other,
//! and whoever comes second finds it done.

mod absence;
mod rules;
mod run;

pub use absence::{Absence, AbsenceRecord, absences};
pub use rules::{Because, Known, ReapRules, Reaping, long_unused, reap};
pub use run::Reaper;
