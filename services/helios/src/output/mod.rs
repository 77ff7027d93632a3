//! Tables, JSON and words for people.

mod json;
mod near;
mod short_host;
mod state;
mod table;
mod words;

pub(crate) use json::{compact, pretty};
pub(crate) use near::near;
pub(crate) use short_host::{relative_host, short_host};
pub(crate) use state::{exit_cell, goal_cell, state_cell, state_tone};
pub(crate) use table::{Cell, Table};
pub(crate) use words::{ago, counted, duration, local_time, one_line, pairs, quoted};
