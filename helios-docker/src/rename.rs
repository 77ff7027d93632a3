//! Giving containers another name.

use async_trait::async_trait;
use bollard::query_parameters::RenameContainerOptionsBuilder;
use helios_core::runtime::{ContainerId, Rename, RuntimeError};
use tokio::time::timeout;

use crate::failure::{Call, failure, status, timed_out};
use crate::runtime::DockerRuntime;

#[async_trait]
impl Rename for DockerRuntime {
    async fn rename(&self, id: &ContainerId, name: &str) -> Result<(), RuntimeError> {
        let seen = self.inspect(Call::Rename, id).await?;
        // Docker refuses to give a container the name that it has.
        if seen.is_none_or(|container| container.name == name) {
            return Ok(());
        }
        let options = RenameContainerOptionsBuilder::new().name(name).build();
        let call = self.client.rename_container(id.as_str(), options);
        match timeout(self.timeouts.read, call).await {
            Err(_) => Err(timed_out(Call::Rename, id.as_str())),
            Ok(Err(error)) if status(&error) == Some(404) => Ok(()),
            Ok(Err(error)) => Err(failure(Call::Rename, id.as_str(), error)),
            Ok(Ok(())) => Ok(()),
        }
    }
}
