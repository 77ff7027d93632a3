//! How long somebody waits for a command: from its start to the first byte of its output, on loopback.
//!
//! `helios jobs` asks a master with one job, `helios --version` nobody: what is between them is the asking.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const TIMES: usize = 50;
/// What may be waited for without thinking that something is slow.
const LIMIT: Duration = Duration::from_millis(30);

fn main() -> Outcome {
    let home = tempfile::tempdir()?;
    let mut master = helios(home.path())
        .args(["master", "--name", "m1", "--store", "file:store"])
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let measured = address(&mut master).and_then(|url| measure(home.path(), &url));
    master.kill()?;
    master.wait()?;
    measured
}

fn measure(home: &Path, url: &str) -> Outcome {
    let created = helios(home)
        .args(["-z", url, "create", "-q", "web:1", "nginx:1.27"])
        .stdout(Stdio::null())
        .status()?;
    if !created.success() {
        return Err("no job was created".into());
    }
    for args in [&["-z", url, "jobs"][..], &["--version"]] {
        let took = median(home, args)?;
        let name = args.last().copied().unwrap_or_default();
        println!("helios {name}: {took:?} to the first byte; {LIMIT:?} are allowed");
    }
    Ok(())
}

fn median(home: &Path, args: &[&str]) -> Outcome<Duration> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        let mut process = helios(home).args(args).stdout(Stdio::piped()).spawn()?;
        let mut stdout = process.stdout.take().ok_or("no output")?;
        stdout.read_exact(&mut [0])?;
        took.push(begun.elapsed());
        stdout.read_to_end(&mut Vec::new())?;
        process.wait()?;
    }
    took.sort();
    Ok(took.get(TIMES / 2).copied().unwrap_or_default())
}

/// The address that a master says it is ready at.
fn address(master: &mut Child) -> Outcome<String> {
    let stdout = master.stdout.take().ok_or("no output")?;
    let mut ready = String::new();
    BufReader::new(stdout).read_line(&mut ready)?;
    let url = ready
        .split([' ', ','])
        .find(|word| word.starts_with("http://"));
    Ok(url.ok_or("the master is not ready")?.to_owned())
}

fn helios(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
    command.env_clear().env("HOME", home).current_dir(home);
    command
}
