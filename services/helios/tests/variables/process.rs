//! A master as a process, and commands against it.

use std::path::Path;
use std::process::Output;

use crate::serving::{Serving, helios, stdout};

/// A `helios master` over files, in a directory of its own.
pub(crate) struct Master {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) url: String,
    process: Option<Serving>,
}

impl Master {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = serve(dir.path(), "127.0.0.1:0");
        Self {
            dir,
            url: process.url(),
            process: Some(process),
        }
    }

    /// As kill -9 does; then again at the same address.
    pub(crate) fn crash(&mut self) {
        self.process = None;
        let address = self.url.trim_start_matches("http://");
        self.process = Some(serve(self.dir.path(), address));
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
        stdout(self.output(args))
    }
}

fn serve(dir: &Path, listen: &str) -> Serving {
    let mut command = helios(dir);
    command.args(["master", "--store", "file:store", "--name", "m1"]);
    Serving::start(command.args(["--listen", listen]))
}
