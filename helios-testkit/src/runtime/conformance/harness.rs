//! What the suite must know about the engine under test.

use std::sync::Arc;

use async_trait::async_trait;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec};

/// An engine under test, and the means to make things happen to it.
///
/// Every case has a harness of its own, and must not see what other cases leave on the same engine:
/// the harness makes owners and names distinct.
#[async_trait]
pub trait RuntimeHarness: Send + Sync {
    /// A new handle on the engine. The same text gives the same owner, another text another one.
    async fn runtime(&self, owner: &str) -> Arc<dyn Runtime>;

    /// A spec of a container that behaves like that, of an image that is here. The name may be changed
    /// to be unique on the engine, in the same way each time.
    fn spec(&self, name: &str, behaviour: Behaviour) -> ContainerSpec;

    /// The reference of an image of that sort.
    fn image(&self, sample: SampleImage) -> String;

    /// A port of this host that nobody uses.
    fn free_port(&self) -> u16;

    /// Waits until the main process has come so far that it does with signals what its behaviour says.
    async fn ready(&self, id: &ContainerId);

    /// A text that differs from one run of the main process to the next.
    async fn run_of(&self, id: &ContainerId) -> String;

    /// Kills the main process with signal 9, behind the back of every handle, and also while they are cut.
    async fn kill(&self, id: &ContainerId);

    /// Cuts every handle off the engine: calls fail until [`heal`](Self::heal).
    async fn cut(&self);

    /// Ends the cut.
    async fn heal(&self);

    /// Removes all that the case left behind.
    async fn clean_up(&self);
}

/// What the main process of a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Runs until it is asked to end, and ends at once with code 0.
    Obedient,
    /// Runs until it is asked to end, and ends with code 0 about a second later.
    Slow,
    /// Runs until it is killed.
    Stubborn,
    /// Ends by itself with that code.
    Exits(u8),
    /// Cannot be started: there is no such command.
    NoSuchCommand,
    /// Cannot even be created: the engine refuses the spec.
    Refused,
}

/// A sort of image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleImage {
    /// A registry has it, and a pull brings it.
    Pullable,
    /// A registry has it, and no case ever pulls it.
    NeverPulled,
    /// Its registry does not know it.
    Unknown,
    /// Its registry does not answer.
    Unreachable,
    /// Its registry refuses us.
    Denied,
}
