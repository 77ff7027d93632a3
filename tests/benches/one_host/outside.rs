//! What is done to containers behind the agent's back.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Outcome;

/// When the engine next tells that it started a container.
pub(super) fn wait_started() -> Outcome<Instant> {
    let mut events = Command::new("docker")
        .args(["events", "--filter", "event=start", "--format", "{{.ID}}"])
        .stdout(Stdio::piped())
        .spawn()?;
    let told = events.stdout.take().ok_or("no events")?;
    let read = BufReader::new(told).read_line(&mut String::new());
    let at = Instant::now();
    events.kill()?;
    events.wait()?;
    match read? {
        0 => Err("the events of the engine ended".into()),
        _ => Ok(at),
    }
}

pub(super) fn kill(container: &str) -> Outcome<()> {
    run_docker(&["kill", container]).map(drop)
}

/// Ends the container's process from outside, which Docker does not take for a wish of its user.
pub(super) fn end_process(container: &str) -> Outcome<()> {
    let pid = run_docker(&["inspect", "--format", "{{.State.Pid}}", container])?;
    let done = Command::new("kill").args(["-9", pid.trim()]).status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| format!("the process {pid} of {container} cannot be ended: {done}").into())
}

pub(super) fn run_docker(args: &[&str]) -> Outcome<String> {
    let done = Command::new("docker").args(args).output()?;
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout)?),
        false => Err(format!("docker {args:?}: {done:?}").into()),
    }
}
