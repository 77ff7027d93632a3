//! Commands inside a container.

use std::time::Duration;

use async_trait::async_trait;
use bollard::errors::Error as DockerError;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use helios_core::runtime::{
    ContainerId, EXEC_OUTPUT_BYTES_MAX, Exec, ExecOutput, RuntimeError, RuntimeErrorKind,
};
use tokio::time::timeout;

use crate::failure::{Call, failure, timed_out};
use crate::runtime::DockerRuntime;

#[async_trait]
impl Exec for DockerRuntime {
    async fn exec(
        &self,
        id: &ContainerId,
        command: &[String],
        within: Duration,
    ) -> Result<ExecOutput, RuntimeError> {
        let run = async {
            if !self.owns(Call::Exec, id).await? {
                let message = format!("could not run a command in container {id}: it is not there");
                return Err(RuntimeError::new(RuntimeErrorKind::NotFound, message));
            }
            let (code, output) = self
                .run_inside(id, command)
                .await
                .map_err(|error| failure(Call::Exec, id.as_str(), error))?;
            let lost = || {
                let message = format!("the engine lost track of a command in container {id}");
                RuntimeError::new(RuntimeErrorKind::Failed, message)
            };
            let code = code.ok_or_else(lost)?;
            Ok(ExecOutput { code, output })
        };
        timeout(within, run)
            .await
            .unwrap_or_else(|_| Err(timed_out(Call::Exec, id.as_str())))
    }
}

impl DockerRuntime {
    async fn run_inside(
        &self,
        id: &ContainerId,
        command: &[String],
    ) -> Result<(Option<i64>, Bytes), DockerError> {
        let options = CreateExecOptions::<String> {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..CreateExecOptions::default()
        };
        let exec = self.client.create_exec(id.as_str(), options).await?;
        let started = self.client.start_exec(&exec.id, None).await?;
        let mut kept = BytesMut::new();
        if let StartExecResults::Attached { mut output, .. } = started {
            // Read to the end: a command whose output nobody reads would block.
            while let Some(chunk) = output.next().await {
                let chunk = chunk?.into_bytes();
                let room = EXEC_OUTPUT_BYTES_MAX.saturating_sub(kept.len());
                kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            }
        }
        let ended = self.client.inspect_exec(&exec.id).await?;
        Ok((ended.exit_code, kept.freeze()))
    }
}
