//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check.

#[cfg(test)]
mod crates;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod guarantees;
#[cfg(test)]
mod public;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod words;
#[cfg(test)]
mod workspace;
