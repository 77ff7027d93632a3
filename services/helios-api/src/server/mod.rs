//! A master's HTTP interface, to be served alone or mounted in somebody's own axum application.
//!
//! [`router`] answers what the original master answers, so that its clients work unchanged; [`serve`]
//! serves it in the way those clients need: their header names are compared by case. [`admin_router`]
//! is for another listener, which only operators reach.
//!
//! Reads come from a watch of the store and cost it nothing. Whoever was told that a change was made sees
//! it in the next answer of the same master.
//!
//! Lists and statuses can be followed: with `?wait=SECONDS`, and the `ETag` of the answer that is known
//! already as `If-None-Match`, a request is answered once there is another answer, or with 304.

mod admin;
mod agent;
mod body;
mod book_cache;
mod compress;
mod deployments;
mod desired;
mod events;
mod fault;
mod fleet_cache;
mod groups;
mod guards;
mod history;
mod host_filter;
mod host_texts;
mod hosts;
mod job_filter;
mod jobs;
mod json_limits;
mod list_filter;
mod logs;
mod masters;
mod metrics;
mod openapi;
mod pace;
mod page;
mod params;
mod pattern;
mod pieces;
mod redact;
mod reply;
mod resets;
mod rollout_shown;
mod route;
mod router;
mod serve;
mod shown;
mod state;
mod tls;
mod token;
mod variables;
mod waiting;

pub use admin::admin_router;
pub use agent::{AgentState, LOG_BYTES_MAX, LOG_LINES_MAX, agent_router};
pub use router::router;
pub use serve::{serve, serve_beyond_loopback, serve_tls};
pub use state::MasterState;
pub use tls::TlsIdentity;
pub use token::{TokenRefused, Tokens};

#[cfg(test)]
mod tests;
