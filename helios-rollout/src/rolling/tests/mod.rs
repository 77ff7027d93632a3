//! The planner with a fleet that is a map.

mod properties;
mod records;
mod script;
mod toy;
mod transcripts;
