//! The test tiers above the crates: one folder and one binary each.
//!
//! | tier | what it shows | needs |
//! |---|---|---|
//! | `cluster` | changes of many masters through a bad connection happen exactly once and keep the schema's invariants | nothing |
//! | `tidy` | the sources keep the rules of `ARCHITECTURE.md` and `CONTRIBUTING.md` | nothing |
