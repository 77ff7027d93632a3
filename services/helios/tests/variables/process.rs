//! A master as a process, and commands against it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A `helios master` over files, in a directory of its own.
pub(crate) struct Master {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) url: String,
    process: Child,
}

impl Master {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (process, url) = serve(dir.path(), "127.0.0.1:0");
        Self { dir, url, process }
    }

    /// As kill -9 does; then again at the same address.
    pub(crate) fn crash(&mut self) {
        self.process.kill().expect("a kill");
        self.process.wait().expect("an end");
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.process, self.url) = serve(self.dir.path(), &address);
    }

    pub(crate) fn output(&self, args: &[&str]) -> Output {
        helios(self.dir.path())
            .args(["-z", &self.url])
            .args(args)
            .output()
            .expect("the binary runs")
    }

    /// What a command says, which has to succeed.
    pub(crate) fn ask(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}{complained}");
        said
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(dir: &Path, listen: &str) -> (Child, String) {
    let mut process = helios(dir)
        .args([
            "master",
            "--store",
            "file:store",
            "--name",
            "m1",
            "--listen",
            listen,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let out = process.stdout.take().expect("its output");
    let mut line = String::new();
    let mut lines = BufReader::new(out);
    lines.read_line(&mut line).expect("a line when it is ready");
    let mut words = line.split_whitespace();
    let url = words.find(|word| word.starts_with("http://"));
    let url = url.unwrap_or_default().trim_end_matches(',').to_owned();
    (process, url)
}

fn helios(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
    command
        .current_dir(dir)
        .env("HOME", dir)
        .env_remove("HELIOS_MASTER")
        .stdin(Stdio::null());
    command
}
