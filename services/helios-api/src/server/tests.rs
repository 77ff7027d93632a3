//! The router over a real cluster, in process.

mod access;
mod admin;
mod deployments;
mod groups;
mod harness;
mod history;
mod hosts;
mod jobs;
mod limits;
mod masters;
mod routes;
mod socket;
mod variables;
mod tls;
mod waiting;
