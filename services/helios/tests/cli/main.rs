//! The binary, run as people run it, against a master that answers as the original was recorded to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod access;
mod advice;
mod bad_input;
mod golden;
mod lists;
mod servers;
mod shell;
mod stand_in;

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The binary in an environment of its own.
fn helios(home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
    command
        .env_clear()
        .env("HOME", home)
        .env("TZ", "UTC")
        .current_dir(home);
    command
}

/// Runs it to its end, with that on its standard input.
fn run(mut command: Command, input: &str) -> Output {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that asks nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
