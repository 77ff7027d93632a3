//! The router over a real cluster, in process.

mod access;
mod admin;
mod advice;
mod deployments;
mod events;
mod groups;
mod harness;
mod history;
mod hostile;
mod hosts;
mod jobs;
mod limits;
mod lists;
mod masters;
mod resets;
mod routes;
mod schema;
mod socket;
mod tls;
mod variables;
mod waiting;
