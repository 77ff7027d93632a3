//! The Helios HTTP API: wire types, a router for a master, a client.
#![deny(missing_docs)]
