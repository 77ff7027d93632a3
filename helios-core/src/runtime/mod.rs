//! The `Runtime` port: the containers one agent owns on one host.

mod container;
mod error;
mod images;
mod owner;
mod probe;
mod rename;
mod spec;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

pub use container::{Container, ContainerId, ContainerState, Containers, Exit};
pub use error::{RuntimeError, RuntimeErrorKind};
pub use images::Images;
pub use owner::{Owner, OwnerError};
pub use probe::{Probe, ProbeTarget};
pub use rename::Rename;
pub use spec::{ContainerSpec, LogDriver, Mount, MountSource, Protocol, PublishedPort, SpecDigest};

/// What runs containers, seen through the eyes of one [`Owner`].
///
/// Every verb is idempotent, so that a caller who does not know whether a call took effect may repeat
/// it. A container that is not the owner's is never listed and never touched. The runtime never starts
/// anything by itself: an engine's own restart policy is off. Every implementation passes the conformance
/// suite of `helios-testkit`, one case for each numbered guarantee.
///
/// There are no default methods on purpose: a wrapper that forgets to forward one would lose it silently.
#[async_trait]
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Reads all containers of the owner.
    ///
    /// # Guarantees
    /// * R-01 Exactly the owner's containers, in every state.
    /// * R-02 What this handle did and was acknowledged, it reads.
    ///
    /// # Errors
    /// `Unavailable`, `TimedOut`, `Failed`; never an empty or partial list instead.
    ///
    /// # Cancellation
    /// Harmless.
    async fn list(&self) -> Result<Containers, RuntimeError>;

    /// Follows the containers of the owner.
    ///
    /// # Guarantees
    /// * R-03 The first item is the present.
    /// * R-04 After every later change a complete look at or after it follows, also when the engine was away
    ///   meanwhile; bursts may merge. Of a container that is being started a look may show what the look before
    ///   showed, which is nothing if it was made since; the end of the start is a change.
    /// * R-05 An `Err` item reports trouble and does not end the stream.
    ///
    /// # Errors
    /// As `list`, as items of the stream.
    ///
    /// # Cancellation
    /// Dropping the stream ends the watch and frees what it held.
    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>>;

    /// Makes sure that the image is here, newest as its registry has it.
    ///
    /// # Guarantees
    /// * R-06 After `Ok` a `create` with this image does not fail with `ImageUnknown`.
    ///
    /// # Errors
    /// `ImageUnknown`, `RegistryUnreachable`, `RegistryDenied`, `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Idempotence
    /// Pulling what is up to date costs little.
    ///
    /// # Cancellation
    /// The pull may go on; nothing else is left behind.
    async fn pull(&self, image: &str) -> Result<(), RuntimeError>;

    /// Makes the container of `spec`, not started.
    ///
    /// # Guarantees
    /// * R-07 There is never a second container of one name.
    /// * R-08 Labels and digest are part of the container from the moment it exists.
    /// * R-09 Nothing is pulled: an image that is not here is `ImageUnknown`.
    ///
    /// # Errors
    /// `ImageUnknown`, `NameInUse` (a container of another spec, or not the owner's, has the name),
    /// `BadSpec`, `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Idempotence
    /// R-10 Creating the same spec again gives the id of the container that is there, whatever its state.
    ///
    /// # Cancellation
    /// The container may come into being later; create again, or remove.
    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError>;

    /// Starts the container.
    ///
    /// # Guarantees
    /// * R-11 After `Ok` its main process was started.
    ///
    /// # Errors
    /// `NotFound`, `PortInUse`, `BadSpec` (as a command that does not exist), `Unavailable`, `TimedOut`,
    /// `Failed`. After a failed start the container is still there.
    ///
    /// # Idempotence
    /// R-12 Starting the running succeeds and changes nothing.
    ///
    /// # Cancellation
    /// The container may still start.
    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError>;

    /// Asks the main process to end, and kills it when `grace` is over.
    ///
    /// # Guarantees
    /// * R-13 After `Ok` the container does not run.
    /// * R-14 The process has `grace` to end by itself, and is not waited for longer than that.
    ///
    /// # Errors
    /// `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Idempotence
    /// R-15 Stopping the stopped, or the missing, succeeds.
    ///
    /// # Cancellation
    /// The container may still stop.
    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError>;

    /// Removes the container and its anonymous volumes; one that runs is killed first.
    ///
    /// # Guarantees
    /// * R-16 After `Ok` its name is free for a `create`.
    ///
    /// # Errors
    /// `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Idempotence
    /// R-17 Removing the missing succeeds.
    ///
    /// # Cancellation
    /// The container may still be removed.
    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError>;
}

/// The output of a command run by [`Exec`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its exit code.
    pub code: i64,
    /// The first [`EXEC_OUTPUT_BYTES_MAX`] bytes it wrote, both streams in order of arrival.
    pub output: Bytes,
}

/// How much of a command's output [`Exec`] keeps, in bytes.
pub const EXEC_OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// A runtime that can run a command inside a container.
#[async_trait]
pub trait Exec: fmt::Debug + Send + Sync + 'static {
    /// Runs `command` inside the container and waits for its end, at most `timeout`.
    ///
    /// # Guarantees
    /// `Ok` only if the command ran to its end.
    ///
    /// # Errors
    /// `NotFound`, `TimedOut`, `Unavailable`, `Failed`.
    ///
    /// # Cancellation
    /// The command may go on running.
    async fn exec(
        &self,
        id: &ContainerId,
        command: &[String],
        timeout: Duration,
    ) -> Result<ExecOutput, RuntimeError>;
}

/// A runtime that keeps what containers write.
pub trait Logs: fmt::Debug + Send + Sync + 'static {
    /// What the container wrote: the last `tail_lines` lines, and with `follow` all that comes.
    ///
    /// # Guarantees
    /// Chunks come in order of arrival. Without `follow` the stream ends at the present.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`, `Failed`, as the last item.
    ///
    /// # Cancellation
    /// Dropping the stream is harmless.
    fn logs(
        &self,
        id: &ContainerId,
        tail_lines: usize,
        follow: bool,
    ) -> BoxStream<'static, Result<Bytes, RuntimeError>>;
}
