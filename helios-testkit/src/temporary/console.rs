//! What a test says: captured with its output, so it is seen when the test fails, or with `--nocapture`.

/// Says it on stderr, from the thread of the test: only what that one prints is captured.
#[expect(
    clippy::print_stderr,
    reason = "the output of a test is what its author reads"
)]
pub(super) fn say(text: &str) {
    eprintln!("{text}");
}
