//! Which engine it is.

use helios_core::model::DockerVersion;
use helios_core::runtime::RuntimeError;
use tokio::time::timeout;

use crate::failure::{Call, failure, timed_out};
use crate::runtime::DockerRuntime;

impl DockerRuntime {
    /// The version of the engine, as it tells it: for people who look at a host.
    ///
    /// # Errors
    /// `Unavailable` when the engine does not answer; `TimedOut`.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn version(&self) -> Result<DockerVersion, RuntimeError> {
        let told = timeout(self.timeouts.read, self.client.version())
            .await
            .map_err(|_| timed_out(Call::Version, ""))?
            .map_err(|error| failure(Call::Version, "", error))?;
        let mut version = DockerVersion::default();
        version.api_version = told.api_version;
        version.arch = told.arch;
        version.git_commit = told.git_commit;
        version.go_version = told.go_version;
        version.kernel_version = told.kernel_version;
        version.os = told.os;
        version.version = told.version;
        Ok(version)
    }
}
