//! What happens, told as it happens.

mod changes;
mod hub;
mod named;
pub(super) mod routes;

pub(super) use changes::changes;
pub(super) use hub::EventHub;
pub(super) use named::watch_named;
