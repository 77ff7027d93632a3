//! What a master with a large fleet has in memory, and how fast it tells of all of it: the binary itself, its fleet in a file.

#![expect(clippy::print_stdout, reason = "figures are for people")]

#[path = "../../helios-api/benches/fleet/mod.rs"]
mod fleet;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use helios_store::FileStore;

use fleet::{HOSTS, JOBS_ON_A_HOST, Outcome, fill};

/// How often the whole fleet is asked for.
const TIMES: usize = 21;

fn main() -> Outcome {
    let home = tempfile::tempdir()?;
    let store = home.path().join("store");
    tokio::runtime::Runtime::new()?.block_on(async {
        let store = FileStore::open(&store)?;
        fill(&store).await
    })?;
    let mut master = Command::new(env!("CARGO_BIN_EXE_helios"))
        .env_clear()
        .env("HOME", home.path())
        .args(["master", "--name", "m1", "--listen", "127.0.0.1:0"])
        .arg(format!("--store=file:{}", store.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let measured = measure(&mut master);
    master.kill()?;
    master.wait()?;
    measured
}

fn measure(master: &mut Child) -> Outcome {
    let address = address(master)?;
    let status = format!("/proc/{}/status", master.id());
    let begun = megabytes(&status, "VmRSS:")?;
    let mut took = Vec::new();
    let mut bytes = 0;
    for _ in 0..TIMES {
        let asked = Instant::now();
        bytes = ask(&address)?;
        took.push(asked.elapsed());
    }
    took.sort();
    let [least, median, most] =
        [0, TIMES / 2, TIMES - 1].map(|place| took.get(place).copied().unwrap_or(Duration::MAX));
    println!(
        "GET /hosts/statuses of {HOSTS} hosts with {JOBS_ON_A_HOST} jobs, {bytes} bytes, {TIMES} times: \
         median {median:.1?}, from {least:.1?} to {most:.1?}"
    );
    println!(
        "the master: {begun} MB when it was ready, {} MB now, {} MB at most",
        megabytes(&status, "VmRSS:")?,
        megabytes(&status, "VmHWM:")?
    );
    Ok(())
}

/// Asks for the whole fleet, and tells how long the answer was.
fn ask(address: &str) -> Outcome<usize> {
    let mut master = TcpStream::connect(address)?;
    let request = "GET /hosts/statuses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    master.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    master.read_to_end(&mut answer)?;
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(answer.len()),
        false => Err(format!("the master says {}", answer.escape_ascii()).into()),
    }
}

/// The address that a master says it is ready at.
fn address(master: &mut Child) -> Outcome<String> {
    let stdout = master.stdout.take().ok_or("no output")?;
    let mut ready = String::new();
    BufReader::new(stdout).read_line(&mut ready)?;
    let mut words = ready.split([' ', ',']);
    let address = words.find_map(|word| word.trim().strip_prefix("http://"));
    Ok(address.ok_or("the master is not ready")?.to_owned())
}

/// That much memory of a process, rounded up.
fn megabytes(status: impl AsRef<Path>, kind: &str) -> Outcome<u64> {
    let status = fs::read_to_string(status)?;
    let line = status.lines().find_map(|line| line.strip_prefix(kind));
    let kilobytes = line.ok_or("no such memory")?.trim().trim_end_matches(" kB");
    Ok(kilobytes.parse::<u64>()?.div_ceil(1024))
}
