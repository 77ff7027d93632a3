//! Proving a [`Runtime`](helios_core::Runtime), and doing without a real one.
//!
//! * [`FakeRuntime`]: a whole engine in memory, for tests of what runs *on* a runtime. It obeys the
//!   contract, runs on paused time, and fails when told to.
//! * [`MockRuntime`]: expectations on single calls, for unit tests of code that makes just a few.
//! * [`runtime_conformance!`](crate::runtime_conformance): every guarantee of the trait as a test, for
//!   those who write a runtime.

pub mod conformance;
mod fake;
mod mock;

pub use fake::{Call, Effect, FakeEngine, FakeImage, FakeRuntime, Fault, OnStop, Registry, Verb};
pub use mock::MockRuntime;
