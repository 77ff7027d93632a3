//! The Helios binary.
fn main() {}
