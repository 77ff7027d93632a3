//! A Helios Runtime on the Docker engine.
#![deny(missing_docs)]
