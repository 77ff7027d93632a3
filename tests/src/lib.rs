//! The test tiers above the crates: one folder and one binary each.
//!
//! | tier | what it shows | needs |
//! |---|---|---|
//! | `tidy` | the sources keep the rules of `ARCHITECTURE.md` and `CONTRIBUTING.md` | nothing |
