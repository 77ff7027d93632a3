//! A Docker engine of the test's own, which may be killed. The one of the machine is never touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::process::{IMAGE, WEB_IMAGE};
use crate::serving::within;

const NEEDED: &str =
    "these tests start Docker engines of their own, as root: run 'make services' first, as root";

/// An engine with its own data, processes, socket and bridge, and with the test images. All of it goes with it.
pub(crate) struct Engine {
    dir: tempfile::TempDir,
    bridge: String,
    live_restore: bool,
    daemon: Option<Child>,
}

impl Engine {
    pub(crate) fn start(live_restore: bool) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let number = std::process::id();
        let bridge = format!("hlx{number}");
        let address = format!("10.{}.{}.1/24", 200 + number % 50, number / 50 % 250);
        run("ip", &["link", "add", &bridge, "type", "bridge"]);
        run("ip", &["addr", "add", &address, "dev", &bridge]);
        run("ip", &["link", "set", &bridge, "up"]);
        let mut engine = Self {
            dir,
            bridge,
            live_restore,
            daemon: None,
        };
        engine.start_again();
        engine.load_images();
        engine
    }

    pub(crate) fn start_again(&mut self) {
        // A killed process keeps its number until somebody asks how it ended, and a pidfile with the number
        // of one that is still there stops an engine from starting.
        for pidfile in ["docker.pid", "run/containerd/containerd.pid"] {
            let _ = fs::remove_file(self.path(pidfile));
        }
        let mut log = fs::File::options();
        let log = log.create(true).append(true).open(self.path("log"));
        let log = log.expect("a log");
        let daemon = Command::new("dockerd")
            .arg("--data-root")
            .arg(self.path("data"))
            .arg("--exec-root")
            .arg(self.path("run"))
            .arg("--pidfile")
            .arg(self.path("docker.pid"))
            .arg(format!("--host={}", self.address()))
            .arg(format!("--bridge={}", self.bridge))
            .args(["--iptables=false", "--ip6tables=false", "--ip-masq=false"])
            .arg("--ip-forward=false")
            .arg(format!("--live-restore={}", self.live_restore))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.daemon = Some(daemon.expect(NEEDED));
        within("the engine answers", || {
            let mut version = self.command();
            let answer = version.arg("version").output().expect(NEEDED);
            answer.status.success().then_some(())
        });
    }

    /// As kill -9 does. Its containers go on.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("a kill");
            daemon.wait().expect("an end");
        }
    }

    /// As an orderly restart does.
    pub(crate) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            run("kill", &[&daemon.id().to_string()]);
            daemon.wait().expect("an end");
        }
    }

    /// Stops or continues the daemon's process: stopped, it accepts connections and answers nothing.
    pub(crate) fn signal(&self, signal: &str) {
        let daemon = self.daemon.as_ref().expect("an engine that runs");
        run("kill", &[signal, &daemon.id().to_string()]);
    }

    /// Has the engine, which must not run, lose all it knew of a container.
    pub(crate) fn lose(&self, container: &str) {
        assert!(self.daemon.is_none());
        let record = self.path("data/containers").join(container);
        fs::remove_dir_all(record).expect("a record");
    }

    /// What `--docker` takes.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// What the `docker` command says of it.
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().expect(NEEDED);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?}: {error}");
        said
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.address());
        command
    }

    /// The main process of a container.
    pub(crate) fn pid(&self, container: &str) -> u32 {
        let pid = self.docker(&["inspect", "-f", "{{.State.Pid}}", container]);
        pid.parse().expect("a number")
    }

    /// The process that holds a port of the host for this engine.
    pub(crate) fn proxy_of(&self, port: u16) -> u32 {
        let network = self.bridge_network();
        let holds = |arguments: &[String]| {
            let pair = |flag: &str, value: &dyn Fn(&str) -> bool| {
                let mut pairs = arguments.windows(2);
                pairs.any(|pair| pair[0] == flag && value(&pair[1]))
            };
            arguments[0].ends_with("docker-proxy")
                && pair("-host-port", &|text| text == port.to_string())
                && pair("-container-ip", &|text| text.starts_with(&network))
        };
        let found = processes()
            .into_iter()
            .find(|(_, arguments)| holds(arguments));
        found.expect("a proxy").0
    }

    fn bridge_network(&self) -> String {
        let number = std::process::id();
        format!("10.{}.{}.", 200 + number % 50, number / 50 % 250)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn load_images(&self) {
        let mut save = Command::new("docker")
            .args(["save", IMAGE, WEB_IMAGE])
            .stdout(Stdio::piped())
            .spawn()
            .expect(NEEDED);
        let mut load = self.command();
        load.arg("load").stdin(save.stdout.take().expect("a pipe"));
        let loaded = load.output().expect(NEEDED);
        assert!(
            save.wait().expect(NEEDED).success() && loaded.status.success(),
            "{NEEDED}"
        );
    }

    /// Ends every process that this engine left behind, known by its directory or its network.
    fn end_processes(&self) {
        let (dir, network) = (self.dir.path().display().to_string(), self.bridge_network());
        let mut ids = Vec::new();
        let mut own = Vec::new();
        for (pid, arguments) in processes() {
            let is_proxy = arguments[0].ends_with("docker-proxy");
            let is_shim = arguments[0].contains("containerd-shim");
            if is_proxy && arguments.iter().any(|text| text.starts_with(&network)) {
                own.push(pid);
            } else if is_shim && arguments.iter().any(|text| text.starts_with(&dir)) {
                let id = arguments.windows(2).find(|pair| pair[0] == "-id");
                ids.extend(id.map(|pair| pair[1].clone()));
                own.push(pid);
            }
        }
        for (pid, _) in processes() {
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            if ids.iter().any(|id| groups.contains(id)) {
                own.push(pid);
            }
        }
        for pid in own {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = Command::new("kill")
                .args(["-CONT", &daemon.id().to_string()])
                .output();
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        self.end_processes();
        sleep(Duration::from_millis(100));
        let dir = self.dir.path().display().to_string();
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for place in places.filter(|place| place.starts_with(&dir)) {
            let _ = Command::new("umount").args(["-l", place]).output();
        }
        let _ = Command::new("ip")
            .args(["link", "del", &self.bridge])
            .output();
    }
}

/// All processes that live, with their arguments.
fn processes() -> Vec<(u32, Vec<String>)> {
    let entries = fs::read_dir("/proc").expect("processes").flatten();
    let process = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let arguments: Vec<_> = line.split('\0').map(ToOwned::to_owned).collect();
        Some((pid, arguments))
    };
    entries.filter_map(process).collect()
}

/// Whether a process of that number lives: one that only waits to be buried does not.
pub(crate) fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.starts_with('Z'));
    state == Some(false) && Path::new("/proc").join(pid.to_string()).exists()
}

fn run(command: &str, args: &[&str]) {
    let output = Command::new(command).args(args).output().expect(NEEDED);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command} {args:?}: {error}; {NEEDED}"
    );
}
