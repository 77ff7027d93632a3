//! Who may ask: access tokens.
//!
//! A token is a text `helios_<name>_<secret>`. The store knows only the SHA-256 of it, which is enough for a
//! secret of 256 random bits. Whoever gives it is known to the master by its name.

mod book;
mod grant;
mod record;
pub(super) mod routes;
mod text;
mod tokens;

pub(super) use book::{Bearer, TokenBook};
pub(super) use grant::Target;
pub use tokens::{TokenRefused, Tokens};

#[cfg(test)]
mod tests;
