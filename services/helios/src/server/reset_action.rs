//! What resets machines.

use std::error::Error;
use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::HostName;
use helios_core::agent::{Agent, HostReset};
use helios_rollout::reset::{Ask, ResetAction};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::sleep;

use super::authorities::Authorities;
use super::boot_file::BootFile;
use super::webhook::Webhook;
use crate::Failure;
use crate::args::{HostResetOptions, MasterResetOptions};

/// How long a command that is called off has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// The agent, resetting its host as the options say.
pub(super) fn resetting(agent: Agent, host: HostName, options: HostResetOptions) -> Agent {
    let agent = match options.boot_file {
        Some(file) => agent.machine(Arc::new(BootFile(file))),
        None => agent,
    };
    match options.reset_command {
        Some(command) => agent.on_reset(Arc::new(HostCommand::new(command, host))),
        None => agent,
    }
}

/// A command that resets the host it runs on. What it says goes where the agent's log goes.
#[derive(Debug)]
struct HostCommand {
    command: String,
    host: HostName,
    /// The order that was called off last.
    called_off: watch::Sender<String>,
}

impl HostCommand {
    fn new(command: String, host: HostName) -> Self {
        Self {
            command,
            host,
            called_off: watch::Sender::default(),
        }
    }
}

#[async_trait]
impl HostReset for HostCommand {
    async fn reset(&self, id: &str) -> Result<(), String> {
        let variables = [
            ("HELIOS_RESET_HOST", self.host.as_str()),
            ("HELIOS_RESET_ID", id),
        ];
        let mut called_off = self.called_off.subscribe();
        let called_off = async { drop(called_off.wait_for(|order| order == id).await) };
        let run = async {
            // It may well outlive the agent: whatever ends the host ends the agent first.
            let mut running = Running::begin(&self.command, &variables, false)?;
            tokio::select! {
                biased;
                outcome = running.end() => outcome,
                () = called_off => running.call_off().await,
            }
        };
        run.await.map_err(|error: CommandError| error.to_string())
    }

    fn call_off(&self, id: &str) {
        self.called_off.send_replace(id.to_owned());
    }
}

/// What a master does about resets that are left to masters.
pub(super) fn action(
    options: &MasterResetOptions,
    authorities: &Authorities,
) -> Result<Arc<dyn ResetAction>, Failure> {
    Ok(match (&options.reset_command, &options.reset_webhook) {
        (Some(command), _) => Arc::new(MasterCommand(command.clone())),
        (None, Some(url)) => Arc::new(Webhook::new(url, authorities)?),
        (None, None) => Arc::new(NotTold),
    })
}

/// A command that resets a host from outside.
#[derive(Debug)]
struct MasterCommand(String);

#[async_trait]
impl ResetAction for MasterCommand {
    async fn ask(&self, ask: &Ask) -> Result<(), Box<dyn Error + Send + Sync>> {
        let variables = [
            ("HELIOS_RESET_HOST", ask.host.as_str()),
            ("HELIOS_RESET", ask.reset.as_str()),
            ("HELIOS_RESET_ID", ask.id.as_str()),
        ];
        // Nobody waits for it any more when the master is gone or its time is over.
        let mut running = Running::begin(&self.0, &variables, true)?;
        Ok(running.end().await?)
    }
}

/// A master that was not told how.
#[derive(Debug)]
struct NotTold;

#[async_trait]
impl ResetAction for NotTold {
    async fn ask(&self, _: &Ask) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("no master knows how: start all of them with --reset-command or --reset-webhook".into())
    }
}

/// A command that is run, with all that it starts.
struct Running {
    command: String,
    child: Child,
    ends_with_us: bool,
}

impl Running {
    /// # Errors
    /// When it cannot be run.
    fn begin(
        command: &str,
        variables: &[(&str, &str)],
        ends_with_us: bool,
    ) -> Result<Self, CommandError> {
        let child = Command::new("/bin/sh")
            .args(["-c", command])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| CommandError(format!("{command:?} cannot be run: {error}")))?;
        Ok(Self {
            command: command.to_owned(),
            child,
            ends_with_us,
        })
    }

    /// Waits for its end.
    async fn end(&mut self) -> Result<(), CommandError> {
        let status = self.child.wait().await;
        let command = &self.command;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(CommandError(format!(
                "{command:?} ended with {status}: the log before this says more"
            ))),
            Err(error) => Err(CommandError(format!("{command:?} is lost: {error}"))),
        }
    }

    /// Ends it, and all that it started.
    async fn call_off(&mut self) -> Result<(), CommandError> {
        self.signal(Signal::TERM);
        // It is not waited for yet, so that its number stays its own.
        sleep(GRACE).await;
        self.signal(Signal::KILL);
        self.end().await
    }

    /// Tells its processes, unless its end is known.
    fn signal(&self, signal: Signal) {
        let number = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = number.and_then(Pid::from_raw) {
            // Those that are gone need not be told.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ends_with_us {
            self.signal(Signal::KILL);
        }
    }
}

/// A command that did not do its part.
#[derive(Debug)]
struct CommandError(String);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for CommandError {}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::path::{Path, PathBuf};

    use tokio::task::spawn_blocking;

    use super::*;

    fn ask() -> Ask {
        Ask {
            host: "n1".parse().unwrap(),
            reset: "october".to_owned(),
            id: "october.1.1".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_command_is_told_what_to_reset_and_its_end_counts() {
        let dir = tempfile::tempdir().unwrap();
        let told = dir.path().join("told");
        let command = format!(
            "echo $HELIOS_RESET_HOST $HELIOS_RESET $HELIOS_RESET_ID > {}",
            told.display()
        );
        MasterCommand(command).ask(&ask()).await.unwrap();
        assert_eq!(
            std::fs::read_to_string(&told).unwrap(),
            "n1 october october.1.1\n"
        );
        let error = MasterCommand("exit 3".to_owned()).ask(&ask()).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("\"exit 3\" ended with exit status: 3"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_host_command_gets_its_order() {
        let command = "test \"$HELIOS_RESET_ID\" = october.1.1".to_owned();
        let command = HostCommand::new(command, "n1".parse().unwrap());
        command.reset("october.1.1").await.unwrap();
        assert!(command.reset("another").await.is_err());
    }

    /// A command that says that it began, starts a process that does not end by SIGTERM, and waits for that for ever; and where
    /// both can be heard.
    fn endless(dir: &Path) -> (String, PathBuf) {
        let pipe = dir.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let stubborn = "(trap '' TERM; while :; do sleep 1; done) &";
        let command = format!("exec >{}; {stubborn} echo begun; wait", pipe.display());
        (command, pipe)
    }

    /// Waits until the command has begun.
    async fn begun(pipe: PathBuf) -> File {
        let begun = spawn_blocking(|| {
            let mut told = [0; 6];
            let mut pipe = File::open(pipe).unwrap();
            pipe.read_exact(&mut told).unwrap();
            assert_eq!(&told, b"begun\n");
            pipe
        });
        begun.await.unwrap()
    }

    /// Waits until no process is left that could be heard.
    async fn ended(mut pipe: File) {
        let ended = spawn_blocking(move || pipe.read_to_end(&mut Vec::new()));
        assert_eq!(ended.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_host_command_that_is_called_off_ends_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let (command, pipe) = endless(dir.path());
        let command = HostCommand::new(command, "n1".parse().unwrap());
        let call_off = async {
            let pipe = begun(pipe).await;
            command.call_off("another");
            command.call_off("october.1.1");
            pipe
        };
        let (outcome, pipe) = tokio::join!(command.reset("october.1.1"), call_off);
        assert!(outcome.unwrap_err().contains("signal: 15"));
        ended(pipe).await;
    }

    #[tokio::test]
    async fn a_masters_command_ends_with_all_that_it_started_when_nobody_waits_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let (command, pipe) = endless(dir.path());
        let command = MasterCommand(command);
        let ask = ask();
        let pipe = tokio::select! {
            outcome = command.ask(&ask) => panic!("{outcome:?}"),
            pipe = begun(pipe) => pipe,
        };
        ended(pipe).await;
    }

    #[tokio::test]
    async fn a_master_that_was_not_told_how_says_what_to_do() {
        let action = action(&MasterResetOptions::default(), &Authorities::default()).unwrap();
        let error = action.ask(&ask()).await.unwrap_err().to_string();
        assert!(error.contains("--reset-webhook"), "{error}");
    }
}
