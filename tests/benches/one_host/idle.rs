//! What it costs to look after containers that go on running: the binary itself as an agent, with a master and a
//! ZooKeeper of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Outcome;
use super::ensemble::Ensemble;
use super::outside::run_docker;

const SETTLING: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(180);

/// A server of the binary, which ends with this.
struct Serving {
    process: Child,
    ready: String,
}

/// A fleet of one host.
struct Fleet {
    binary: PathBuf,
    dir: tempfile::TempDir,
    master: Serving,
    agent: Serving,
}

/// Prints what `containers` containers cost that only run.
pub(super) async fn measure(containers: usize) -> Outcome<()> {
    let ensemble = Ensemble::start(1).await;
    let fleet = Fleet::start(&ensemble.server(0))?;
    let before = fleet.agent.memory("VmRSS:")?;
    fleet.run(containers)?;
    sleep(SETTLING);
    let ticks = fleet.agent.ticks()?;
    sleep(IDLE);
    let used = fleet.agent.ticks()?.saturating_sub(ticks);
    // A tick is a hundredth of a second.
    let percent = f64::from(u32::try_from(used)?) / IDLE.as_secs_f64();
    let (resident, own) = (
        fleet.agent.memory("VmRSS:")?,
        fleet.agent.memory("RssAnon:")?,
    );
    println!(
        "idle agent with {containers} containers: {percent:.2} % of one core, {resident} MB resident ({own} MB but for pages of \
         its files; {before} MB without containers); {}",
        fleet.binary.display()
    );
    Ok(())
}

/// The binary as it is released, built from these sources, or the one that `HELIOS_BIN` names.
fn binary() -> Outcome<PathBuf> {
    if let Some(binary) = std::env::var_os("HELIOS_BIN") {
        return Ok(binary.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--release", "--package", "helios", "--locked"];
    let built = Command::new(cargo)
        .args(build)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    // Whatever this benchmark was built as: target/PROFILE/deps/one_host.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).unwrap_or(Path::new("."));
    let binary = target.join("release/helios");
    match built.success() && binary.exists() {
        true => Ok(binary),
        false => Err(format!("{} cannot be built: {build:?}", binary.display()).into()),
    }
}

impl Serving {
    /// Starts a server, and waits until it says that it is ready.
    fn start(command: &mut Command) -> Outcome<Self> {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ready = String::new();
        let said = process.stdout.take().ok_or("no output")?;
        BufReader::new(said).read_line(&mut ready)?;
        match ready.contains(" ready") {
            true => Ok(Self { process, ready }),
            false => Err(format!("{command:?} does not start: is Docker there?").into()),
        }
    }

    fn of_process(&self, file: &str) -> Outcome<String> {
        let process = self.process.id();
        Ok(fs::read_to_string(format!("/proc/{process}/{file}"))?)
    }

    /// Memory that is in use now, in whole megabytes.
    fn memory(&self, kind: &str) -> Outcome<u64> {
        let status = self.of_process("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(kind));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.ok_or("no such memory")?.div_ceil(1024))
    }

    /// Its processor time so far, in clock ticks of 10 ms.
    fn ticks(&self) -> Outcome<u64> {
        let stat = self.of_process("stat")?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields = after_name.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Fleet {
    fn start(zookeeper: &str) -> Outcome<Self> {
        let (binary, dir) = (binary()?, tempfile::tempdir()?);
        let store = format!("zk://{zookeeper}/bench");
        let server = |kind: &str| {
            let mut command = Command::new(&binary);
            command
                .env("HOME", dir.path())
                .args([kind, "--store", &store]);
            command
        };
        let master = Serving::start(server("master").args(["--listen", "127.0.0.1:0"]))?;
        let state = dir.path().join("state");
        let mut agent = server("agent");
        agent.args(["--name", "bench", "--state-dir"]).arg(state);
        let agent = Serving::start(&mut agent)?;
        Ok(Self {
            binary,
            dir,
            master,
            agent,
        })
    }

    /// Has that many containers run.
    fn run(&self, containers: usize) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.ask(&["hosts", "-q"]).is_err() {
            if Instant::now() > deadline {
                return Err(format!("the agent does not register within {PATIENCE:?}").into());
            }
            sleep(Duration::from_millis(200));
        }
        for n in 0..containers {
            let job = format!("idle-{n}:1");
            let image = "helios-test/busybox:1";
            let create = ["create", "-q", &job, image, "--network-mode", "host", "--"];
            self.ask(&[&create[..], &["/bin/idle"]].concat())?;
            self.ask(&["deploy", &job, "bench"])?;
        }
        while self.ask(&["status"])?.matches("RUNNING").count() < containers {
            if Instant::now() > deadline {
                return Err(format!("{containers} containers do not run in {PATIENCE:?}").into());
            }
            sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    fn ask(&self, args: &[&str]) -> Outcome<String> {
        let url = self.master.ready.split([' ', ',', '\n']);
        let url = url.into_iter().find(|word| word.starts_with("http"));
        let done = Command::new(&self.binary)
            .env("HOME", self.dir.path())
            .args(["-z", url.ok_or("the master says no address")?])
            .args(args)
            .output()?;
        match done.status.success() {
            true => Ok(String::from_utf8(done.stdout)?),
            false => Err(format!("helios {args:?}: {done:?}").into()),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let owner = fs::read_to_string(self.dir.path().join("state/agent-id")).unwrap_or_default();
        // Before its containers, which it would start again.
        let _ = self.agent.process.kill();
        let _ = self.agent.process.wait();
        let label = format!("label=helios.runtime.owner={}", owner.trim());
        if let Ok(ids) = run_docker(&["ps", "-aq", "--filter", &label]) {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            let _ = run_docker(&[&["rm", "-f"][..], &ids].concat());
        }
    }
}
