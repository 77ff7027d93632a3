//! How change spreads over a fleet: curves, orders, variables, guards, rolling updates.
#![deny(missing_docs)]
