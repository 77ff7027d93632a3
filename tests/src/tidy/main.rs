//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check.

mod crates;
mod guarantees;
mod sizes;
mod words;
mod workspace;
