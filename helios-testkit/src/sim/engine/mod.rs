//! The container engines of a simulated fleet: slow, sometimes away, and with effects that come late.

mod handle;
mod model;

pub(super) use handle::SimRuntime;
pub(super) use model::{Engine, job_of};
