//! Which image a reference means, and taking references away.

use async_trait::async_trait;
use bollard::query_parameters::RemoveImageOptionsBuilder;
use helios_core::runtime::{Images, RuntimeError};
use tokio::time::timeout;

use crate::failure::{Call, failure, status, timed_out};
use crate::reference;
use crate::runtime::DockerRuntime;

#[async_trait]
impl Images for DockerRuntime {
    async fn image_id(&self, image: &str) -> Result<Option<String>, RuntimeError> {
        let reference = reference::complete(image);
        let call = self.client.inspect_image(&reference);
        match timeout(self.timeouts.read, call).await {
            Err(_) => Err(timed_out(Call::InspectImage, image)),
            Ok(Err(error)) if status(&error) == Some(404) => Ok(None),
            Ok(Err(error)) => Err(failure(Call::InspectImage, image, error)),
            Ok(Ok(found)) => Ok(found.id),
        }
    }

    async fn remove_image(&self, image: &str) -> Result<(), RuntimeError> {
        let reference = reference::complete(image);
        // Without force, the engine keeps what a container was made from.
        let options = RemoveImageOptionsBuilder::new().force(false).build();
        let call = self.client.remove_image(&reference, Some(options), None);
        match timeout(self.timeouts.remove, call).await {
            Err(_) => Err(timed_out(Call::RemoveImage, image)),
            Ok(Err(error)) if status(&error) == Some(404) => Ok(()),
            Ok(Err(error)) => Err(failure(Call::RemoveImage, image, error)),
            Ok(Ok(_)) => Ok(()),
        }
    }
}
