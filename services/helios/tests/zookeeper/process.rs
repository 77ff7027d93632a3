//! Processes of the binary, and what they leave on the engine.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A process that said it is ready, and ends with the value.
pub(crate) struct Serving {
    child: Child,
    ready: String,
}

impl Serving {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut ready).unwrap();
        assert!(ready.contains(" ready"), "{ready}");
        Self { child, ready }
    }

    /// The address it said it listens on.
    pub(crate) fn url(&self) -> String {
        let words = self.ready.split_whitespace();
        let mut words = words.map(|word| word.trim_end_matches(','));
        let url = words.find(|word| word.starts_with("http"));
        url.unwrap_or_else(|| panic!("no address in {}", self.ready))
            .to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it said; it has to have gone well.
pub(crate) fn stdout(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits for an answer, at most a minute.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The containers of the agent of that id, which end with the value.
pub(crate) struct Containers(String);

impl Containers {
    pub(crate) fn of(agent: &str) -> Self {
        Self(agent.to_owned())
    }

    pub(crate) fn ids(&self) -> String {
        let filter = format!("label=helios.runtime.owner={}", self.0);
        let mut docker = Command::new("docker");
        let listed = docker.args(["ps", "-aq", "--filter", &filter]).output();
        stdout(listed.expect("docker is missing: run scripts/docker-engine"))
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for id in self.ids().lines() {
            let _ = Command::new("docker").args(["rm", "-f", id]).output();
        }
    }
}
