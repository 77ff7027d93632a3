//! What it costs to look after containers that go on running: the binary itself, as `helios solo`, which is a master and a
//! file store beside the agent.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Outcome, run_docker};

const SETTLING: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(180);

/// A solo, which ends with this.
struct Solo {
    process: Child,
    binary: PathBuf,
    dir: tempfile::TempDir,
    url: String,
}

/// Prints what `containers` containers cost that only run.
pub(super) fn measure(containers: usize) -> Outcome<()> {
    let solo = Solo::start()?;
    let before = solo.resident()?;
    for n in 0..containers {
        let job = format!("idle-{n}:1");
        solo.ask(&[
            "create",
            "-q",
            &job,
            "helios-test/busybox:1",
            "--network-mode",
            "host",
            "--",
            "/bin/idle",
        ])?;
        solo.ask(&["deploy", &job, "bench"])?;
    }
    solo.until_running(containers)?;
    sleep(SETTLING);
    let ticks = solo.ticks()?;
    sleep(IDLE);
    let used = solo.ticks()?.saturating_sub(ticks);
    // A tick is a hundredth of a second.
    let percent = f64::from(u32::try_from(used)?) / IDLE.as_secs_f64();
    println!(
        "idle with {containers} containers, master and store included: {percent:.2} % of one core, {} MB resident ({before} MB \
         without containers); {}",
        solo.resident()?,
        solo.binary.display()
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

impl Solo {
    fn start() -> Outcome<Self> {
        let (binary, dir) = (binary()?, tempfile::tempdir()?);
        let mut process = Command::new(&binary)
            .args([
                "solo",
                "--name",
                "bench",
                "--listen",
                "127.0.0.1:0",
                "--state-dir",
            ])
            .arg(dir.path().join("state"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = process.stdout.take().ok_or("no output")?;
        let lines = BufReader::new(said).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let address = line[line.find("http://")?..].split([',', ' ']).next()?;
            Some(address.to_owned())
        });
        let url =
            address.ok_or("helios solo does not start: is its address free, and Docker there?")?;
        Ok(Self {
            process,
            binary,
            dir,
            url,
        })
    }

    fn ask(&self, args: &[&str]) -> Outcome<String> {
        let done = Command::new(&self.binary)
            .env("HOME", self.dir.path())
            .args(["-z", &self.url])
            .args(args)
            .output()?;
        match done.status.success() {
            true => Ok(String::from_utf8(done.stdout)?),
            false => Err(format!("helios {args:?}: {done:?}").into()),
        }
    }

    fn until_running(&self, containers: usize) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.ask(&["status"])?.matches("RUNNING").count() < containers {
            if Instant::now() > deadline {
                return Err(
                    format!("{containers} containers do not run within {PATIENCE:?}").into(),
                );
            }
            sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    fn of_process(&self, file: &str) -> Outcome<String> {
        Ok(fs::read_to_string(format!(
            "/proc/{}/{file}",
            self.process.id()
        ))?)
    }

    /// Its memory that is in use now, in whole megabytes.
    fn resident(&self) -> Outcome<u64> {
        let status = self.of_process("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.ok_or("no VmRSS")?.div_ceil(1024))
    }

    /// Its processor time so far, in clock ticks of 10 ms.
    fn ticks(&self) -> Outcome<u64> {
        let stat = self.of_process("stat")?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields = after_name.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        let owner = fs::read_to_string(self.dir.path().join("state/agent-id")).unwrap_or_default();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let label = format!("label=helios.runtime.owner={}", owner.trim());
        if let Ok(ids) = run_docker(&["ps", "-aq", "--filter", &label]) {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            let _ = run_docker(&[&["rm", "-f"][..], &ids].concat());
        }
    }
}
