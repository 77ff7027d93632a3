//! What resets machines.

use std::error::Error;
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use helios_core::HostName;
use helios_core::agent::{Agent, HostReset};
use helios_rollout::reset::{Ask, ResetAction};
use tokio::process::Command;

use super::authorities::Authorities;
use super::boot_file::BootFile;
use super::webhook::Webhook;
use crate::Failure;
use crate::args::{HostResetOptions, MasterResetOptions};

/// The agent, resetting its host as the options say.
pub(super) fn resetting(agent: Agent, host: HostName, options: HostResetOptions) -> Agent {
    let agent = match options.boot_file {
        Some(file) => agent.machine(Arc::new(BootFile(file))),
        None => agent,
    };
    match options.reset_command {
        Some(command) => agent.on_reset(Arc::new(HostCommand { command, host })),
        None => agent,
    }
}

/// A command that resets the host it runs on. What it says goes where the agent's log goes.
#[derive(Debug)]
struct HostCommand {
    command: String,
    host: HostName,
}

#[async_trait]
impl HostReset for HostCommand {
    async fn reset(&self, id: &str) -> Result<(), String> {
        let variables = [
            ("HELIOS_RESET_HOST", self.host.as_str()),
            ("HELIOS_RESET_ID", id),
        ];
        // It may well outlive the agent: whatever ends the host ends the agent first.
        let run = run(&self.command, &variables, false).await;
        run.map_err(|error| error.to_string())
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
        Ok(run(&self.0, &variables, true).await?)
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

async fn run(
    command: &str,
    variables: &[(&str, &str)],
    ends_with_us: bool,
) -> Result<(), CommandError> {
    let failed = |trouble: &dyn fmt::Display| CommandError(format!("{command:?} {trouble}"));
    let status: ExitStatus = Command::new("/bin/sh")
        .args(["-c", command])
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(ends_with_us)
        .status()
        .await
        .map_err(|error| failed(&format_args!("cannot be run: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(&format_args!(
            "ended with {status}: the log before this says more"
        )))
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
        let command = HostCommand {
            command: "test \"$HELIOS_RESET_ID\" = october.1.1".to_owned(),
            host: "n1".parse().unwrap(),
        };
        command.reset("october.1.1").await.unwrap();
        assert!(command.reset("another").await.is_err());
    }

    #[tokio::test]
    async fn a_master_that_was_not_told_how_says_what_to_do() {
        let action = action(&MasterResetOptions::default(), &Authorities::default()).unwrap();
        let error = action.ask(&ask()).await.unwrap_err().to_string();
        assert!(error.contains("--reset-webhook"), "{error}");
    }
}
