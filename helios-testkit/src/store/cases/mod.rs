//! The cases, by the guarantee each is named after.

pub(super) mod commits;
pub(super) mod contention;
pub(super) mod generated;
pub(super) mod reads;
pub(super) mod sessions;
pub(super) mod watches;
