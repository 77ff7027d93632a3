//! The container engines of a simulated fleet: slow, sometimes away, and with effects that come late.

#[cfg(test)]
mod conformance;
mod handle;
mod model;
mod process;

pub(super) use handle::SimRuntime;
pub(super) use model::{Engine, job_of};
