//! The cases, by what they are about. Each is listed in `runtime_conformance!`.

mod create;
mod list;
mod pull;
mod remove;
mod start;
mod stop;
mod watch;

pub(super) use create::*;
pub(super) use list::*;
pub(super) use pull::*;
pub(super) use remove::*;
pub(super) use start::*;
pub(super) use stop::*;
pub(super) use watch::*;
