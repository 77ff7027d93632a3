//! The runtime on a real engine. `make services` starts what is needed; without it these tests fail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod conformance;
mod harness;
mod images;
mod proxy;
mod pulls;
mod specs;
mod troubles;
