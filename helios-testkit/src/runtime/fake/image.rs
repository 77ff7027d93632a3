//! How containers of an image behave.

use std::time::Duration;

use helios_core::runtime::RuntimeErrorKind;

/// What the containers of one image do, and what its registry says.
///
/// An image that was never described is the default: its registry has it, it is not here yet, its
/// containers run until they are stopped, and obey at once.
#[derive(Clone, Debug)]
pub struct FakeImage {
    pub(super) registry: Registry,
    pub(super) here: bool,
    pub(super) pull_takes: Duration,
    pub(super) start_takes: Duration,
    pub(super) create_fails: Option<RuntimeErrorKind>,
    pub(super) start_fails: Option<RuntimeErrorKind>,
    pub(super) on_stop: OnStop,
    pub(super) exits: Option<(Duration, i64)>,
    pub(super) exec_code: i64,
    pub(super) log: Vec<String>,
}

/// What a registry says about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// It has it.
    Has,
    /// It does not know it.
    Lacks,
    /// It refuses the credentials.
    Denies,
    /// It does not answer.
    Unreachable,
}

/// What a main process does when it is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStop {
    /// It ends by itself, with exit code 0, that much later.
    EndsAfter(Duration),
    /// It goes on, until it is killed.
    Ignores,
}

impl Default for FakeImage {
    fn default() -> Self {
        Self {
            registry: Registry::Has,
            here: false,
            pull_takes: Duration::ZERO,
            start_takes: Duration::ZERO,
            create_fails: None,
            start_fails: None,
            on_stop: OnStop::EndsAfter(Duration::ZERO),
            exits: None,
            exec_code: 0,
            log: Vec::new(),
        }
    }
}

impl FakeImage {
    /// The default image.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It is here already, as if it had been pulled.
    #[must_use]
    pub fn here(mut self) -> Self {
        self.here = true;
        self
    }

    /// What its registry says at a pull.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// How long a pull takes.
    #[must_use]
    pub fn pull_takes(mut self, takes: Duration) -> Self {
        self.pull_takes = takes;
        self
    }

    /// How long a start takes.
    #[must_use]
    pub fn start_takes(mut self, takes: Duration) -> Self {
        self.start_takes = takes;
        self
    }

    /// Every create fails, and leaves nothing.
    #[must_use]
    pub fn create_fails(mut self, kind: RuntimeErrorKind) -> Self {
        self.create_fails = Some(kind);
        self
    }

    /// Every start fails; the container stays, not started.
    #[must_use]
    pub fn start_fails(mut self, kind: RuntimeErrorKind) -> Self {
        self.start_fails = Some(kind);
        self
    }

    /// What the main process does when it is asked to end.
    #[must_use]
    pub fn on_stop(mut self, on_stop: OnStop) -> Self {
        self.on_stop = on_stop;
        self
    }

    /// The main process ends by itself that long after each start.
    #[must_use]
    pub fn exits_after(mut self, after: Duration, code: i64) -> Self {
        self.exits = Some((after, code));
        self
    }

    /// The exit code of every command that is run inside.
    #[must_use]
    pub fn exec_exits(mut self, code: i64) -> Self {
        self.exec_code = code;
        self
    }

    /// A line that the container writes when it starts.
    #[must_use]
    pub fn writes(mut self, line: impl Into<String>) -> Self {
        self.log.push(line.into());
        self
    }
}
