//! The properties P1 to P24 of a gradual rollout, over generated fleets; and controls that show that the obvious ways do not have them.
//!
//! What each says is a table in the documentation of the crate. `PROPTEST_CASES` sets the number of cases; without it there are
//! few enough for a debug build, and `scripts/properties` runs hundreds of thousands.
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

#[test]
fn every_property_is_promised_and_tested() {
    let promises = include_str!("../../src/lib.rs");
    let tests = [
        include_str!("curve.rs"),
        include_str!("guard.rs"),
        include_str!("order.rs"),
        include_str!("transition.rs"),
    ];
    for number in 1..=24 {
        let row = format!("//! | P{number} | ");
        assert!(promises.contains(&row), "P{number} is not in the table");
        let name = format!("fn p{number:02}_");
        let tested = tests.iter().any(|file| file.contains(&name));
        assert!(tested, "P{number} has no test");
    }
}
