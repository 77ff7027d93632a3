//! A whole fleet on one engine: ten machines that lose their power and boot, and masters that are killed meanwhile.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::containers::Containers;
use crate::ensemble::Ensemble;
use crate::serving::{Serving, stdout};

pub(crate) const MACHINES: usize = 10;
const IMAGE: &str = "helios-test/busybox:1";

/// Where everything of the fleet lies.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) dir: PathBuf,
    pub(crate) store: String,
}

impl Site {
    /// A site with a store of its own, for as long as that takes.
    pub(crate) async fn during(story: fn(&Self)) {
        let ensemble = Ensemble::start(1).await;
        let dir = tempfile::tempdir().unwrap();
        let site = Self {
            dir: dir.path().to_owned(),
            store: format!("zk://{}/helios", ensemble.server(0)),
        };
        tokio::task::spawn_blocking(move || story(&site))
            .await
            .unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.dir)
            .current_dir(&self.dir)
            .args(args)
            .stdin(Stdio::null());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A process that goes on running, once it says that it is ready.
    fn serve(&self, args: &[&str]) -> Serving {
        let mut command = self.command(args);
        command.args(["--store", &self.store]);
        Serving::start(&mut command)
    }
}

/// A master that can be killed.
pub(crate) struct Master {
    name: &'static str,
    process: Option<Serving>,
    url: String,
}

impl Master {
    pub(crate) fn start(site: &Site, name: &'static str) -> Self {
        let process = site.serve(&["master", "--name", name, "--listen", "127.0.0.1:0"]);
        Self {
            name,
            url: process.url(),
            process: Some(process),
        }
    }

    /// As kill -9 does; then another start.
    fn crash(&mut self, site: &Site) {
        drop(self.process.take());
        *self = Self::start(site, self.name);
    }
}

/// A machine: it boots an agent, and loses its power when something on it asks for that.
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) boots: Arc<AtomicUsize>,
    off: Arc<AtomicBool>,
    power: Option<JoinHandle<()>>,
}

impl Machine {
    pub(crate) fn start(site: &Site, number: usize) -> Self {
        let name = format!("web{number}");
        let (boots, off) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (counter, switch) = (Arc::clone(&boots), Arc::clone(&off));
        let (site, machine) = (site.clone(), name.clone());
        let power = spawn(move || run_machine(&site, &machine, &counter, &switch));
        Self {
            name,
            boots,
            off,
            power: Some(power),
        }
    }

    fn boots(&self) -> usize {
        self.boots.load(Ordering::SeqCst)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.off.store(true, Ordering::SeqCst);
        let _ = self.power.take().map(JoinHandle::join);
    }
}

/// Boots, and boots again whenever the plug is pulled, until it is switched off. Nothing of it stays on the engine then.
fn run_machine(site: &Site, name: &str, boots: &AtomicUsize, off: &AtomicBool) {
    let (boot_file, plug) = (
        site.path(&format!("{name}.boot")),
        site.path(&format!("{name}.plug")),
    );
    let mut containers: Option<Containers> = None;
    loop {
        let number = boots.load(Ordering::SeqCst) + 1;
        fs::write(&boot_file, format!("{name}-boot-{number}")).expect("a boot file");
        let state = format!("{name}.state");
        let command = format!("echo $HELIOS_RESET_ID > {}", plug.display());
        let agent = site.serve(&[
            "agent",
            "--name",
            name,
            "--state-dir",
            &state,
            "--labels",
            "role=web",
            "--boot-file",
            boot_file.to_str().unwrap(),
            "--reset-command",
            &command,
        ]);
        boots.store(number, Ordering::SeqCst);
        while !off.load(Ordering::SeqCst) && !plug.exists() {
            sleep(Duration::from_millis(50));
        }
        drop(agent);
        let id = || fs::read_to_string(site.path(&state).join("agent-id")).unwrap();
        let containers = containers.get_or_insert_with(|| Containers::of(id().trim()));
        if off.load(Ordering::SeqCst) {
            return;
        }
        for id in containers.ids().lines() {
            let _ = Command::new("docker").args(["kill", id]).output();
        }
        fs::remove_file(&plug).expect("the plug is in again");
    }
}

/// People at the command line, who ask whichever master lives.
pub(crate) struct People<'a> {
    site: &'a Site,
    masters: [&'a str; 2],
}

impl<'a> People<'a> {
    pub(crate) fn of(site: &'a Site, [one, other]: &'a [Master; 2]) -> Self {
        Self {
            site,
            masters: [&one.url, &other.url],
        }
    }

    fn output(&self, args: &[&str]) -> Output {
        let [one, other] = self.masters;
        let mut command = self.site.command(&["-z", &format!("{one},{other}")]);
        command.args(args);
        command.output().expect("the binary runs")
    }

    pub(crate) fn ask(&self, args: &[&str]) -> String {
        stdout(self.output(args))
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = self.ask(&[args, &["--json"]].concat());
        serde_json::from_str(&text).expect("JSON")
    }
}

pub(crate) fn within<T>(seconds: u64, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < limit, "waited {seconds} s in vain: {what}");
        sleep(Duration::from_millis(200));
    }
}

/// Creates jobs, and has them run: `front` everywhere, `db` on three machines, `lonely` on one.
fn deploy(people: &People<'_>) {
    let names: Vec<String> = (1..=MACHINES)
        .map(|number| format!("web{number}"))
        .collect();
    let hosts: Vec<&str> = names.iter().map(String::as_str).collect();
    for (job, hosts) in [
        ("front:1", &hosts[..]),
        ("db:1", &hosts[..3]),
        ("lonely:1", &hosts[4..5]),
    ] {
        people.ask(&["create", job, IMAGE, "--", "/bin/idle"]);
        people.ask(&[&["deploy", job], hosts].concat());
    }
    until_all_run(people);
}

fn until_all_run(people: &People<'_>) {
    within(120, "all instances run", || {
        let status = people.json(&["status"]);
        let jobs = status.as_object().unwrap().values();
        let tasks = jobs.flat_map(|job| job["taskStatuses"].as_object().unwrap().values());
        let running = tasks.filter(|task| task["state"] == "RUNNING").count();
        (running == MACHINES + 3 + 1).then_some(())
    });
}

pub(crate) fn until_up(people: &People<'_>) {
    within(120, "all machines are up", || {
        // While none is up, that is an answer with an exit code of its own.
        let up = people.output(&["hosts", "-q", "--status", "UP"]);
        let up = String::from_utf8_lossy(&up.stdout).into_owned();
        (up.lines().count() == MACHINES).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_machines_are_renewed_while_masters_are_killed_and_the_lonely_service_is_named() {
    Site::during(a_reset_of_ten_machines).await;
}

fn a_reset_of_ten_machines(site: &Site) {
    let mut masters = [Master::start(site, "m1"), Master::start(site, "m2")];
    let machines: Vec<Machine> = (1..=MACHINES)
        .map(|number| Machine::start(site, number))
        .collect();
    let people = People::of(site, &masters);
    until_up(&people);
    deploy(&people);
    start(&people);
    // Each master is killed in its turn while machines are away, and starts again at another address.
    for (which, done) in [(0, 1), (1, 4), (0, 7)] {
        let people = People::of(site, &masters);
        within(300, "so many machines are done", || {
            let status = people.json(&["reset", "status", "october"]);
            (status["done"].as_u64().unwrap() >= done).then_some(())
        });
        masters[which].crash(site);
    }
    let people = People::of(site, &masters);
    let followed = people.output(&["reset", "status", "october", "--follow"]);
    let told = stdout(followed);
    assert!(told.contains("october: done\n"), "{told}");
    for machine in &machines {
        assert_eq!(machine.boots(), 2, "{} restarts once", machine.name);
    }
    until_all_run(&people);
    let status = people.json(&["reset", "status", "october"]);
    assert_eq!(
        (&status["done"], &status["away"], &status["mishaps"]),
        (&10.into(), &serde_json::json!({}), &serde_json::json!({}))
    );
    judge_report(&people);
}

fn start(people: &People<'_>) {
    let limits = [
        "--at-once",
        "3",
        "--per",
        "role=50%,keep=5",
        "--settle",
        "1s",
    ];
    let wanted = [
        "reset",
        "plan",
        "october",
        "--not-since",
        "now",
        "--by",
        "+1h",
    ];
    let refused = people.output(&[&wanted[..], &limits].concat());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && why.contains("waive \"lonely\""),
        "{why}"
    );
    let wanted = [
        "reset",
        "start",
        "october",
        "--not-since",
        "now",
        "--by",
        "+1h",
    ];
    let said = people.ask(&[&wanted[..], &limits, &["--waive", "lonely", "--yes"]].concat());
    for part in [
        "10 hosts, at most 3 at once, in",
        "first: web",
        "waived: lonely",
        "done",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

/// The report names the service that could not bear it, and only that one.
fn judge_report(people: &People<'_>) {
    let report = people.json(&["reset", "report", "october"]);
    let services = report["services"].as_array().unwrap().iter();
    let verdicts: Vec<(&str, &str)> = services
        .map(|service| {
            (
                service["service"].as_str().unwrap(),
                service["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ("lonely", "was_down"),
            ("db", "robust"),
            ("front", "robust")
        ]
    );
    let said = people.ask(&["reset", "report", "october"]);
    assert!(said.contains("was down while web5 was away"), "{said}");
    let fewest = report["services"][2]["healthy"].as_u64().unwrap();
    assert!(
        (7..10).contains(&fewest),
        "at most three of ten are away: {fewest}"
    );
}
