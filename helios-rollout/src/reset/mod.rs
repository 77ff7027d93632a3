//! Renewing every machine of a fleet, a few at a time.
//!
//! A [`Reset`] says what is wanted of which hosts by when, and what must hold meanwhile. [`check`] refuses what can never be done, with
//! the reasons. [`advance`] is one step: from how far it has come ([`Progress`]) and what is seen of the fleet ([`Sights`]) to what is next.
//!
//! ```text
//! chosen -> draining -> drained -> resetting -> returned -> checked -> done
//!   its jobs stop, with their grace  |  another boot  |  jobs well again
//! ```
//!
//! A host has its place among those that may be away from the moment it is chosen until its jobs are well again. The place is an entry in the
//! stored progress, not a lock that somebody holds: no master's death keeps it, none's life is needed to free it, and it ends with the
//! host's registration. [`Robustness`] notes what each service had left meanwhile.
//!
//! ```
//! use helios_core::Timestamp;
//! use helios_core::schema::Drain;
//! use helios_rollout::reset::{Limits, Phase, Progress, Reset, Robustness, Sight, Sights, Wanted, advance, check};
//!
//! let now = Timestamp::from_millis(1_792_396_800_000);
//! let reset = Reset {
//!     name: "october".to_owned(),
//!     hosts: vec![],
//!     wanted: Wanted::ResetSince(now),
//!     deadline: Timestamp::from_millis(now.as_millis() + 86_400_000),
//!     action: Default::default(),
//!     limits: Limits::default(),
//!     patience: Default::default(),
//!     guard: None,
//! };
//! let host = |boot: &str| Sight { up: true, boot_id: Some(boot.to_owned()), up_since: Some(Timestamp::from_millis(0)), ..Sight::default() };
//! let sights = Sights::new([("db-1".parse()?, host("b1")), ("web-1".parse()?, host("b2"))])?;
//! let forecast = check(&reset, &sights, now).map_err(|why| why[0].to_string())?;
//! assert_eq!((forecast.line.len(), forecast.rounds), (2, 2));
//!
//! let progress = Progress::new(&reset, now)?;
//! let plan = advance(&reset, &progress, &Robustness::default(), &sights, "master-1", now);
//! let (first, away) = plan.next.away.first_key_value().ok_or("nobody")?;
//! assert_eq!((first, away.phase), (&forecast.line[0], Phase::Chosen));
//! println!("{}", plan.lines[0]); // "web-1 -> chosen: it is not as wanted, and the limits allow it"
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod advance;
mod arms;
mod because;
mod control;
mod driver;
mod forecast;
mod host_hashes;
mod journey;
mod outlook;
mod plan;
mod progress;
mod record;
mod resets;
mod robustness;
mod see;
mod sight;
mod spec;
mod standing;
mod trail;
mod watchman;

pub use action::{Ask, NoAction, ResetAction};
pub use advance::advance;
pub use because::{Because, Halt, Hold, Impossible};
pub use control::ControlError;
pub use driver::ResetDriver;
pub use forecast::{AWAY_MAX, Forecast, HOSTS_MAX, check, forecast};
pub use host_hashes::HostHashes;
pub use outlook::Outlook;
pub use plan::{Line, Order, ResetPlan, To};
pub use progress::{Asked, Away, Ending, Mishap, Phase, Progress, Stage};
pub use record::{ResetError, ResetRecord, ResetRefused};
pub use resets::{Control, Resets};
pub use robustness::{Counted, Robustness, Story, Verdict};
pub use see::Lookout;
pub use sight::{Instance, Sight, Sights};
pub use spec::{Action, GroupLimit, Limits, Patience, Reset, Wanted};
pub use trail::TrailLine;

use helios_core::Timestamp;

/// A point in time for people.
pub(crate) fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.to_string(), |at| at.to_string())
}
