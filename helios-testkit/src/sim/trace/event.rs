//! One thing that happened.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use helios_core::JobId;
use helios_core::runtime::{ContainerId, Protocol, RuntimeErrorKind};
use helios_core::store::{Key, StoreErrorKind};

use super::Fact;
use super::fact::short;

/// Who does things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A master.
    Master(u16),
    /// The agent of a machine.
    Agent(u16),
    /// The container engine of a machine.
    Engine(u16),
    /// The store.
    Store,
    /// The simulator, or whoever runs a test.
    Test,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the trace.
    pub seq: usize,
    /// When, since the start of the run, by a clock that never jumps.
    pub at: Duration,
    /// Who did it.
    pub actor: Actor,
    /// Which start of that actor, counted from 1.
    pub incarnation: u32,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An actor started.
    Started,
    /// An actor ended without a word, as by a kill.
    Crashed,
    /// An actor did something no actor may: the text names it.
    Misbehaved(String),
    /// A fault began or was injected.
    Fault(String),
    /// The run went on to its next phase.
    Phase(Phase),
    /// A transaction was committed.
    Commit {
        /// Its place in the order of all commits.
        zxid: u64,
        /// The request it came from; 0 if from none.
        request: u64,
        /// The size of the request in bytes.
        bytes: usize,
        /// What it changed.
        writes: Vec<Write>,
    },
    /// A request to commit was answered.
    Reply {
        /// The request.
        request: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// An actor got to read an entry or directory, as of a commit.
    Read {
        /// The entry or directory.
        key: Key,
        /// The last commit it reflects.
        zxid: u64,
    },
    /// An actor could not read.
    ReadFailed {
        /// What it wanted to read.
        key: Key,
    },
    /// A session ended because nobody was heard of for too long.
    Expired {
        /// The session.
        session: u64,
    },
    /// An actor asked its engine for something.
    Call {
        /// The number of the call.
        call: u64,
        /// What it asked for. A list has no answer here: it changes nothing.
        verb: Verb,
        /// About which job, as far as labels say so.
        job: Option<JobId>,
        /// About which container, if it exists.
        container: Option<ContainerId>,
    },
    /// An engine did something, for a call or by itself.
    Effect {
        /// The call; 0 for none.
        call: u64,
        /// What it did.
        change: Change,
    },
    /// A call of the engine was answered.
    Answer {
        /// The call.
        call: u64,
        /// The error, if it was one.
        error: Option<RuntimeErrorKind>,
    },
    /// An agent looked whether a container is well.
    Probed {
        /// The container.
        container: ContainerId,
        /// Whether it is.
        well: bool,
    },
    /// A document was safely stored.
    Saved {
        /// Its name.
        name: String,
        /// The ports leased to jobs, if the document says so.
        leases: Option<BTreeMap<JobId, BTreeMap<String, u16>>>,
    },
    /// Somebody asked a master for a change.
    Asked {
        /// On whose behalf; nobody asks twice.
        principal: String,
        /// For what.
        change: String,
    },
    /// A master answered.
    Told {
        /// On whose behalf.
        principal: String,
        /// How it ended; `Failed` for a refusal.
        outcome: Outcome,
    },
    /// A machine began to restart, because it was told to.
    Reset {
        /// By which order.
        order: String,
    },
    /// Something a campaign must have seen at least once.
    Sometimes(&'static str),
}

/// How a request ended, as its maker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done.
    Failed(Option<StoreErrorKind>),
    /// It is not known.
    Unknown,
}

/// Part of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Anything fails.
    Faults,
    /// Nothing fails any more, but these machines stay as they are, for good.
    Heal {
        /// The machines that stay dead.
        lost: Vec<u16>,
    },
    /// Everything must be as wanted, and stay so.
    Stable,
}

/// What a [`What::Commit`] did to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The entry.
    pub key: Key,
    /// What it said before.
    pub was: Fact,
    /// What it says now.
    pub is: Fact,
}

/// What an engine can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the verbs of the Runtime port")]
pub enum Verb {
    List,
    Pull,
    Create,
    Start,
    Stop,
    Rename,
    Remove,
}

/// What an engine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A container was made.
    Created {
        /// Its id.
        id: ContainerId,
        /// Whose it is.
        owner: String,
        /// The job its labels name.
        job: Option<JobId>,
        /// The host ports it will have.
        ports: Vec<(Protocol, u16)>,
    },
    /// It runs.
    Started(ContainerId),
    /// It runs no more.
    Stopped(ContainerId),
    /// It has another name, and is only kept.
    Renamed(ContainerId),
    /// It is gone.
    Removed(ContainerId),
}

impl Event {
    /// Whether the event is about that actor: done by it, or by the engine or to the entries of its machine.
    #[must_use]
    pub fn concerns(&self, actor: Actor) -> bool {
        let machine = |actor| match actor {
            Actor::Agent(n) | Actor::Engine(n) => Some(n),
            Actor::Master(_) | Actor::Store | Actor::Test => None,
        };
        self.actor == actor
            || machine(actor).is_some_and(|n| machine(self.actor) == Some(n))
            || matches!(self.what, What::Phase(_))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master(n) => write!(f, "master{n}"),
            Self::Agent(n) => write!(f, "agent{n}"),
            Self::Engine(n) => write!(f, "engine{n}"),
            Self::Store => f.write_str("store"),
            Self::Test => f.write_str("test"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |rest: &str| rest.parse().map_err(|_| format!("{text:?} is no actor"));
        match text {
            "store" => Ok(Self::Store),
            "test" => Ok(Self::Test),
            _ => {
                if let Some(rest) = text.strip_prefix("master") {
                    number(rest).map(Self::Master)
                } else if let Some(rest) = text.strip_prefix("agent") {
                    number(rest).map(Self::Agent)
                } else if let Some(rest) = text.strip_prefix("engine") {
                    number(rest).map(Self::Engine)
                } else {
                    Err(format!("{text:?} is no actor"))
                }
            }
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, who) = (self.at.as_millis(), self.actor.to_string());
        let (seconds, millis) = (at / 1000, at % 1000);
        write!(
            f,
            "{:6} {seconds:6}.{millis:03} {who:>8}/{:<2} {}",
            self.seq, self.incarnation, self.what
        )
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Crashed => f.write_str("crashed"),
            Self::Misbehaved(how) => write!(f, "MISBEHAVED: {how}"),
            Self::Fault(fault) => write!(f, "fault: {fault}"),
            Self::Phase(phase) => write!(f, "==== {phase:?} ===="),
            Self::Commit {
                zxid,
                request,
                writes,
                ..
            } => {
                write!(f, "commit {zxid} (request {request}):")?;
                for write in writes {
                    write!(f, " {} := {};", write.key, write.is)?;
                }
                Ok(())
            }
            Self::Reply { request, outcome } => {
                write!(f, "reply to request {request}: {outcome:?}")
            }
            Self::Read { key, zxid } => write!(f, "read {key} as of {zxid}"),
            Self::ReadFailed { key } => write!(f, "could not read {key}"),
            Self::Expired { session } => write!(f, "session {session} expired"),
            Self::Call {
                call,
                verb,
                job,
                container,
            } => {
                write!(f, "call {call}: {verb:?}")?;
                if let Some(job) = job {
                    write!(f, " {}", short(job))?;
                }
                match container {
                    Some(id) => write!(f, " ({id})"),
                    None => Ok(()),
                }
            }
            Self::Effect { call, change } => write!(f, "call {call} takes effect: {change}"),
            Self::Answer { call, error } => match error {
                Some(error) => write!(f, "answer to call {call}: {error:?}"),
                None => write!(f, "answer to call {call}: ok"),
            },
            Self::Probed { container, well } => write!(f, "probed {container}: well={well}"),
            Self::Saved { name, leases } => {
                write!(f, "saved {name}")?;
                for (job, ports) in leases.iter().flatten() {
                    for (port, number) in ports {
                        write!(f, " {}.{port}={number}", short(job))?;
                    }
                }
                Ok(())
            }
            Self::Asked { principal, change } => write!(f, "{principal} asks to {change}"),
            Self::Told { principal, outcome } => write!(f, "{principal} is told {outcome:?}"),
            Self::Reset { order } => write!(f, "is reset by {order}"),
            Self::Sometimes(name) => write!(f, "sometimes: {name}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created {
                id,
                owner,
                job,
                ports,
            } => {
                write!(f, "{id} created for {owner}")?;
                if let Some(job) = job {
                    write!(f, ", job {}", short(job))?;
                }
                for (protocol, port) in ports {
                    write!(f, ", port {port}/{protocol}")?;
                }
                Ok(())
            }
            Self::Started(id) => write!(f, "{id} runs"),
            Self::Stopped(id) => write!(f, "{id} runs no more"),
            Self::Renamed(id) => write!(f, "{id} is only kept"),
            Self::Removed(id) => write!(f, "{id} is gone"),
        }
    }
}
