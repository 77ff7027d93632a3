//! Variables that live in a store, and the loop that moves them.
//!
//! ```text
//! variables/<name>             settled value, and where the log of the transition lies
//! rollouts/<name>/<log>:<page>  everything that happened to it: who was told what, when and why
//! rollouts/<name>/<log>.<pages>.<digest>:<part>  what the first pages of a long log were rolled up into
//! followers/<host>             hosts that ask without an agent
//! ```
//!
//! [`Variables`] reads and changes them, [`VariableDriver`] tells hosts when their turn comes. Any number of masters do both at
//! once, with no leader: each step is one transaction on what was read, so one of them wins and the others find nothing left to do. A
//! host is told only what is in the log, and answers come from the log and not from a clock; so all masters give the same answer.

mod answer;
mod book;
mod change;
mod course;
mod draft;
mod driver;
mod error;
pub(crate) mod evidence;
mod followers;
mod health;
pub(crate) mod inquiry;
mod ledger;
mod next;
mod pages;
mod record;
mod roll_up;
mod rolled;
mod roster;
#[cfg(test)]
mod tests;

pub use answer::{Desired, Since};
pub use book::{Book, BookWatch};
pub use change::{Setting, Variables};
pub use course::{Course, Sample};
pub use driver::VariableDriver;
pub use error::{ChangeError, Refusal};
pub use evidence::{EvidenceSource, NobodyToAsk, Query, Tally};
pub use ledger::{Holding, Ledger};
pub use record::{
    FollowerRecord, LogHead, Outcome, PAST_MAX, Page, Past, RolledUp, VariableRecord,
};
pub use roster::{member, roster};
