//! Fleet resets on a simulated fleet: limits that always hold, the bugs of others' reset tools, transcripts, and bad input.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod bad_input;
mod fleet;
mod journeys;
mod lock_leaks;
mod lookout;
mod properties;
mod records;
mod transcript;
