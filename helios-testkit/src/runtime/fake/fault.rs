//! Calls that go wrong on command, and the record of all calls.

use std::time::Duration;

use helios_core::runtime::{Owner, RuntimeErrorKind};

/// A call of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `list`.
    List,
    /// `pull`.
    Pull,
    /// `create`.
    Create,
    /// `start`.
    Start,
    /// `stop`.
    Stop,
    /// `rename`.
    Rename,
    /// `remove`.
    Remove,
    /// `exec`.
    Exec,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// By whom.
    pub owner: Owner,
    /// Which.
    pub verb: Verb,
    /// The image of a pull; otherwise the name of the container, or an id that no container has.
    pub target: String,
}

/// What a failing call does all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Never,
    /// All that it was asked for: only the answer is lost.
    AtOnce,
    /// All that it was asked for, but that much later.
    Late(Duration),
}

/// An order to fail.
///
/// ```
/// use helios_core::runtime::RuntimeErrorKind;
/// use helios_testkit::runtime::{Effect, Fault, Verb};
///
/// // The next two starts of "web" seem to fail, and the containers run nevertheless.
/// let fault = Fault::new(Verb::Start, RuntimeErrorKind::TimedOut)
///     .of("web")
///     .times(2)
///     .effect(Effect::AtOnce);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) verb: Verb,
    pub(super) kind: RuntimeErrorKind,
    pub(super) target: Option<String>,
    pub(super) times: u32,
    pub(super) effect: Effect,
}

impl Fault {
    /// The next call of that verb fails with that kind, and without effect.
    #[must_use]
    pub fn new(verb: Verb, kind: RuntimeErrorKind) -> Self {
        Self {
            verb,
            kind,
            target: None,
            times: 1,
            effect: Effect::Never,
        }
    }

    /// Only calls for that container name, that image, or a container of that image.
    #[must_use]
    pub fn of(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// So many calls, rather than one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// What the call does all the same.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}
