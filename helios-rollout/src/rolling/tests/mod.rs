//! The planner with a fleet that is a map.

mod masters;
mod properties;
mod records;
mod script;
mod toy;
mod transcripts;
mod waiting;
