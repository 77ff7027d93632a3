//! The commands that go on running.

mod log;

pub(crate) use log::log_to_stderr;
