//! Whether to go on.
//!
//! A [`Guard`] lists what must not get worse and the risk of stopping a good rollout. A [`Monitor`] folds [`Evidence`] into
//! one of three answers for each [`Objective`]: harm shown, harm excluded, not known. A [`ChangeDetector`] watches after the end.
//!
//! The judge (this module) and the actor (whoever pauses or rolls back a variable) are apart on purpose: advice is data.

mod change_detector;
mod e_process;
mod evidence;
mod monitor;
mod objective;
mod sight;
#[cfg(test)]
mod tests;

pub use change_detector::ChangeDetector;
pub use e_process::EProcess;
pub use evidence::{Counts, Evidence, GuardError};
pub use monitor::{Advice, Monitor, Outcome, Termination};
pub use objective::{Action, Bake, Guard, Objective};
pub use sight::{Doubt, Glance, Missing, NoEvidence, Sight, Silence};
