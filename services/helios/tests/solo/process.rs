//! Processes of the binary, and the engine beside them.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::serving::{Serving, helios, stdout, within};

/// The image of a process that idles and obeys SIGTERM, made by `scripts/test-image`.
pub(crate) const IMAGE: &str = "helios-test/busybox:1";

/// The image of a web server, made by the same script.
pub(crate) const WEB_IMAGE: &str = "helios-test/web:1";

/// A `helios solo` with its own state, which can be killed and started again. Its containers go with it.
pub(crate) struct Solo {
    dir: tempfile::TempDir,
    process: Option<Serving>,
    pub(crate) url: String,
    /// What it is started with, besides what all are.
    options: Vec<String>,
}

impl Solo {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), options)
    }

    /// With its state in `state` of that directory.
    pub(crate) fn start_in(dir: tempfile::TempDir, options: &[&str]) -> Self {
        let mut solo = Self {
            dir,
            process: None,
            url: String::new(),
            options: Vec::new(),
        };
        solo.start_again_with(options);
        solo
    }

    pub(crate) fn start_again_with(&mut self, options: &[&str]) {
        self.options = options.iter().map(|option| (*option).to_owned()).collect();
        self.start_again();
    }

    pub(crate) fn start_again(&mut self) {
        let mut command = helios(self.dir.path());
        command.args(["solo", "--name", "n1", "--state-dir", "state"]);
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(&self.options);
        let process = Serving::start(&mut command);
        self.url = process.url();
        self.process = Some(process);
    }

    /// As kill -9 does.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// What a client command answers, which has to succeed.
    pub(crate) fn ask(&self, args: &[&str]) -> String {
        let mut command = helios(self.dir.path());
        let output = command.args(["-z", &self.url]).args(args).output();
        stdout(output.expect("the binary runs"))
    }

    /// What a client command complains of, which has to fail.
    pub(crate) fn ask_wrongly(&self, args: &[&str]) -> String {
        let mut command = helios(self.dir.path());
        let output = command.args(["-z", &self.url]).args(args).output();
        let output = output.expect("the binary runs");
        assert!(!output.status.success(), "{args:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The job's state on this host, as `helios status --json` tells it.
    pub(crate) fn state(&self, job: &str) -> String {
        let status: Value =
            serde_json::from_str(&self.ask(&["status", "--json", "-j", job])).expect("JSON");
        let tasks = status
            .as_object()
            .and_then(|jobs| jobs.values().next().cloned())
            .unwrap_or_default();
        tasks["taskStatuses"]["n1"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// A document of the agent's state; empty if it is not there.
    pub(crate) fn path_of(&self, document: &str) -> PathBuf {
        self.dir.path().join("state").join(document)
    }

    /// What is in that file of its state directory.
    pub(crate) fn document(&self, name: &str) -> String {
        std::fs::read_to_string(self.path_of(name)).unwrap_or_default()
    }

    /// Under which its containers are kept; empty before its first start.
    pub(crate) fn owner(&self) -> String {
        self.document("agent-id").trim().to_owned()
    }

    /// The job's id with its hash, as it is shown with each of its containers.
    pub(crate) fn full_id(&self, job: &str) -> String {
        self.ask(&["jobs", "-q", "-f", job]).trim().to_owned()
    }

    /// What the `docker` command says of this host's engine.
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        let engine = self.options.iter().position(|option| option == "--docker");
        let engine = engine.and_then(|at| self.options.get(at + 1));
        let to = engine.map(|engine| ["-H", engine.as_str()]);
        docker(&[to.as_ref().map_or(&[][..], |to| &to[..]), args].concat())
    }

    /// The container of a job, which has exactly one.
    pub(crate) fn container_of(&self, job: &str) -> String {
        match &self.containers_of(job)[..] {
            [(id, _)] => id.clone(),
            others => panic!("{job} has the containers {others:?}"),
        }
    }

    /// The container of a job, if there is exactly one and it runs.
    pub(crate) fn running_of(&self, job: &str) -> Option<String> {
        match &self.containers_of(job)[..] {
            [(id, state)] if state == "running" => Some(id.clone()),
            _ => None,
        }
    }

    /// The containers of a job, without those that died and are only kept: (id, state).
    pub(crate) fn containers_of(&self, job: &str) -> Vec<(String, String)> {
        of_use(self.list(&[format!("label=helios.job={}", self.full_id(job))]))
    }

    /// The containers of this agent, without those that died and are only kept: (id, state).
    pub(crate) fn containers(&self) -> Vec<(String, String)> {
        of_use(self.list(&[]))
    }

    fn list(&self, filters: &[String]) -> Vec<(String, String, bool)> {
        let owner = self.owner();
        if owner.is_empty() {
            return Vec::new();
        }
        let owner = format!("label=helios.runtime.owner={owner}");
        let mut args = vec!["ps", "-a", "--no-trunc", "--filter", &owner];
        args.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
        args.extend(["--format", "{{.ID}} {{.State}} {{.Names}}"]);
        let listed = self.docker(&args);
        let pair = |line: &str| {
            let mut words = line.split(' ');
            let (id, state) = (words.next()?, words.next()?);
            let is_kept = words.next()?.ends_with(&format!(".{}", id.get(..12)?));
            Some((id.to_owned(), state.to_owned(), is_kept))
        };
        listed.lines().filter_map(pair).collect()
    }

    /// Waits until there is exactly one container, and it runs.
    pub(crate) fn until_one_runs(&self) -> String {
        within("exactly one container runs", || {
            match &self.containers()[..] {
                [(id, state)] if state == "running" => Some(id.clone()),
                _ => None,
            }
        })
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        // An engine of the test's own takes its containers with it, and may be gone by now.
        let has_own_engine = self.options.iter().any(|option| option == "--docker");
        let containers = if has_own_engine {
            Vec::new()
        } else {
            self.list(&[])
        };
        self.kill();
        for (id, ..) in containers {
            self.docker(&["rm", "-f", &id]);
        }
    }
}

/// A port of loopback that nobody listens at.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// What the `docker` command says; the engine has to be there.
pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("docker: run `make services` first");
    assert!(
        output.status.success() || args.contains(&"rm"),
        "docker {args:?}: {}; run `make services` first",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn of_use(mut all: Vec<(String, String, bool)>) -> Vec<(String, String)> {
    all.retain(|(_, _, is_kept)| !is_kept);
    all.into_iter().map(|(id, state, _)| (id, state)).collect()
}
