//! Servers of the binary as processes, and commands beside them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A process that said it is ready. It ends with the value, as kill -9 does it.
pub(crate) struct Serving {
    child: Child,
    ready: String,
}

impl Serving {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut ready = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        lines
            .read_line(&mut ready)
            .expect("a line when it is ready");
        assert!(ready.contains(" ready"), "{ready}");
        Self { child, ready }
    }

    /// The address it said it listens on.
    pub(crate) fn url(&self) -> String {
        let mut words = self.ready.split_whitespace();
        let url = words.find(|word| word.starts_with("http"));
        url.unwrap_or_else(|| panic!("no address in {}", self.ready))
            .trim_end_matches([',', '.', ';'])
            .to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary at home in `dir`, with nothing to read.
pub(crate) fn helios(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
    command
        .current_dir(dir)
        .env("HOME", dir)
        .env_remove("HELIOS_MASTER")
        .stdin(Stdio::null());
    command
}

/// What a command said, which has to have gone well.
pub(crate) fn stdout(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    said
}

/// Waits for something, at most two minutes.
pub(crate) fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within two minutes: {what}");
        sleep(Duration::from_millis(100));
    }
}
