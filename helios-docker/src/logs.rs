//! What containers write.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use helios_core::runtime::{ContainerId, Logs, RuntimeError, RuntimeErrorKind};

use crate::failure::{Call, failure};
use crate::runtime::DockerRuntime;

impl Logs for DockerRuntime {
    fn logs(
        &self,
        id: &ContainerId,
        tail_lines: usize,
        follow: bool,
    ) -> BoxStream<'static, Result<Bytes, RuntimeError>> {
        let (runtime, id) = (self.clone(), id.clone());
        let begin = async move {
            if !runtime.owns(Call::Logs, &id).await? {
                let message = format!("could not read the log of container {id}: it is not there");
                return Err(RuntimeError::new(RuntimeErrorKind::NotFound, message));
            }
            let options = LogsOptionsBuilder::new()
                .stdout(true)
                .stderr(true)
                .tail(&tail_lines.to_string())
                .follow(follow)
                .build();
            let chunks = runtime.client.logs(id.as_str(), Some(options));
            Ok(chunks
                .map_ok(LogOutput::into_bytes)
                .map_err(move |error| failure(Call::Logs, id.as_str(), error))
                .boxed())
        };
        Box::pin(stream::once(begin).try_flatten())
    }
}
