//! One runnable file per way of embedding Helios: `cargo run --example quickstart`.
