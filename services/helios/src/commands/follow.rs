//! `helios follow`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use helios_api::client::{Follower, write_atomically};
use tokio::process::Command;
use tokio::time::sleep;

use super::Call;
use crate::args::FollowArgs;
use crate::output::one_line;
use crate::{Failure, Outcome, times};

/// How much of what a command says is told to the master, in characters.
const SAID_CHARS_MAX: usize = 200;

pub(super) async fn run(args: &FollowArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let name = args.name.as_deref().or_else(|| call.environment.machine());
    let name = name.ok_or_else(|| Failure::new("this host has no name").advise("give --name"))?;
    let labels = args.labels.iter().map(|label| match label.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Failure::new(format!("--label {label:?} is not NAME=VALUE"))),
    });
    let labels: Vec<(String, String)> = labels.collect::<Result<_, _>>()?;
    let state = state_file(&args.out);
    let follower = Follower::open(call.client.clone(), name, &state).map_err(|error| {
        Failure::new(format!("{} cannot be read", state.display())).caused_by(error)
    })?;
    let mut follower = follower.labels(labels).every(times::duration(&args.every)?);
    if args.once {
        follower.ask().await?;
        if follower.again() {
            enact(args, &mut follower, call).await?;
        }
        return Ok(Outcome::Done);
    }
    loop {
        follower.next().await;
        if enact(args, &mut follower, call).await.is_err() {
            // Ask again before the command is run again: it may be told something better.
            sleep(follower.pause()).await;
            if let Err(error) = follower.ask().await {
                tracing::warn!(%error, "no answer");
            }
            follower.again();
        }
    }
}

/// Beside the file of the values: what is needed to go on after a restart, and without a master.
fn state_file(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".state");
    out.with_file_name(name)
}

/// Writes the values, and runs the command if they are not enacted yet.
async fn enact(
    args: &FollowArgs,
    follower: &mut Follower,
    call: &mut Call<'_>,
) -> Result<(), Failure> {
    let text = serde_json::to_vec(follower.values())
        .map_err(|error| Failure::new("the values cannot be written").caused_by(error))?;
    let out = args.out.display();
    write_atomically(&args.out, &text)
        .map_err(|error| Failure::new(format!("{out} cannot be written")).caused_by(error))?;
    let outcome = command(args).await;
    let told = follower.enacted(outcome.clone());
    told.map_err(|error| {
        Failure::new(format!("the state beside {out} cannot be written")).caused_by(error)
    })?;
    let values = String::from_utf8_lossy(&text);
    match outcome {
        Ok(()) => {
            call.console.say(format_args!("enacted: {values}"));
            call.console.flush();
            Ok(())
        }
        Err(why) => {
            let failure = Failure::new(format!("not enacted: {why}: {values}"));
            call.console.complain(&failure);
            Err(failure)
        }
    }
}

async fn command(args: &FollowArgs) -> Result<(), String> {
    let Some((program, rest)) = args.command.split_first() else {
        return Ok(());
    };
    let output = Command::new(program)
        .args(rest)
        .env("HELIOS_DESIRED", &args.out)
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&output.stderr).into_owned();
    let said: String = one_line(said.trim()).chars().take(SAID_CHARS_MAX).collect();
    Err(format!("{program} ended with {}: {said}", output.status))
}
