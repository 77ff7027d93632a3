//! What was found.

use std::fmt;

use crate::runtime::ContainerId;

use super::{Process, ProcessId, Route};

/// Something orphaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// Why it counts as orphaned.
    pub because: Because,
    /// Whose it is.
    pub claim: Claim,
    /// The job it ran, where that is known.
    pub job: Option<String>,
}

/// What is orphaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What is left of a container.
    Processes {
        /// The container that was.
        container: ContainerId,
        /// Its processes and its shim.
        processes: Vec<Process>,
    },
    /// A process that holds a port for a container.
    Proxy {
        /// Which process.
        process: ProcessId,
        /// Which port, and for whom.
        route: Route,
    },
    /// A container.
    Container {
        /// Which one.
        id: ContainerId,
        /// Its name.
        name: String,
        /// Whose it says it is.
        owner: String,
    },
}

/// Why something counts as orphaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The engine does not know its container.
    EngineForgot,
    /// The engine says that its container has ended.
    EngineSaysEnded,
    /// No container that runs has the port it holds.
    NothingBehind,
    /// The engine that started it is gone, though a container of its address runs.
    ParentGone,
    /// The agent it belonged to has this host no more.
    FormerAgent,
}

/// Whose an orphan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Surely this agent's: it was seen as its own while it was alive.
    Ours,
    /// This agent's, and of an engine whose data are not those of today: who moved them may want it back.
    OfAnotherEngine,
    /// Perhaps somebody else's.
    Unknown,
}

impl Finding {
    /// Whether it may be ended where the policy says so. What runs for somebody, or may be somebody else's, may
    /// not.
    #[must_use]
    pub fn may_be_reaped(&self) -> bool {
        self.claim == Claim::Ours && self.because != Because::ParentGone
    }
}

impl What {
    /// One word for it, as metrics use it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Processes { .. } => "processes",
            Self::Proxy { .. } => "proxy",
            Self::Container { .. } => "container",
        }
    }
}

/// One line for people.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orphan: {}", self.what)?;
        if let Some(job) = &self.job {
            write!(f, " of job {job}")?;
        }
        write!(f, ": {}; {}", self.because, self.claim)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processes {
                container,
                processes,
            } => {
                let short: String = container.as_str().chars().take(12).collect();
                let plural = if processes.len() == 1 { "" } else { "es" };
                write!(f, "process{plural} ")?;
                for (n, process) in processes.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    write!(f, "{comma}{} ({})", process.id.pid, process.command)?;
                }
                write!(f, " of container {short}")
            }
            Self::Proxy { process, route } => {
                write!(f, "docker-proxy {}, which holds {route}", process.pid)
            }
            Self::Container { name, owner, .. } => {
                write!(f, "container {name} of agent {owner}")
            }
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EngineForgot => "the engine does not know the container",
            Self::EngineSaysEnded => "the engine says that the container has ended",
            Self::NothingBehind => "no running container has that port",
            Self::ParentGone => "the engine that started it is gone",
            Self::FormerAgent => "that agent had this host before",
        })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "it was this agent's",
            Self::OfAnotherEngine => "it was this agent's on an engine with other data",
            Self::Unknown => "it may be somebody else's, look before you end it",
        })
    }
}
