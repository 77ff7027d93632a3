//! The properties P1 to P24 of a gradual rollout, over generated fleets; and controls that show that the obvious ways do not have them.
//!
//! `PROPTEST_CASES` sets the number of cases; without it there are few enough for a debug build.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod controls;
mod curve;
mod guard;
mod order;
mod support;
mod transition;
