//! The agent: keeps one host as its goals say.
//!
//! [`Agent::run`] is a thin loop. It learns from what it watches (its entries in the store, its containers
//! in the runtime) and from how its actions ended, asks the pure functions ([`reconcile`](crate::reconcile),
//! [`Remembered::accept`]) what to do, stores what must survive, and does it. It is woken by changes and by
//! a timer, and never trusts the wake-up: it always looks anew.

mod act;
mod custody;
mod dead;
mod events;
mod history;
mod holder;
mod identity;
mod images;
mod live;
mod machine;
mod membership;
mod registry;
mod remembered;
mod report;
mod reset;
mod run;
#[cfg(test)]
mod silent;
mod status;
mod step;
mod tell;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::clock::{Clock, SystemClock};
use crate::model::{DockerVersion, HostName};
use crate::orphans::{OrphanPolicy, Surroundings};
use crate::reconcile::{KeepDead, Policy};
use crate::registrar::Registrar;
use crate::runtime::{Images, Probe, Rename, Runtime};
use crate::state_dir::{StateDir, StateDirError};
use crate::store::{KeyError, Store};

pub use events::{EventSink, TaskEvent};
pub use identity::AgentId;
pub use machine::{LinuxMachine, Machine, PortHolder};
pub use remembered::{Distrust, Remembered};
pub use reset::HostReset;
pub use status::{AgentStatus, Counts, StatusReader};

/// The shortest time that an image is kept without need: what is undeployed is often deployed again.
const IMAGES_KEPT_MIN: Duration = Duration::from_secs(60);

/// Runs the jobs that are deployed to one host.
///
/// ```no_run
/// # async fn example(
/// #     store: std::sync::Arc<dyn helios_core::Store>,
/// #     runtime: std::sync::Arc<dyn helios_core::Runtime>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use helios_core::agent::{Agent, AgentId};
/// use helios_core::state_dir::FileStateDir;
///
/// let state = Arc::new(FileStateDir::open("/var/lib/helios")?);
/// let id = AgentId::load(&*state, None).await?;
/// Agent::new("web1".parse()?, id, store, runtime, state)
///     .labels([("role", "web")])
///     .run(std::future::pending())
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Agent {
    host: HostName,
    id: AgentId,
    store: Arc<dyn Store>,
    runtime: Arc<dyn Runtime>,
    state: Arc<dyn StateDir>,
    clock: Arc<dyn Clock>,
    machine: Arc<dyn Machine>,
    probe: Option<Arc<dyn Probe>>,
    incarnation: Option<String>,
    policy: Policy,
    labels: BTreeMap<String, String>,
    engine: (Option<DockerVersion>, Option<String>),
    orphans: Option<(Arc<dyn Surroundings>, OrphanPolicy)>,
    images: Option<(Arc<dyn Images>, Duration)>,
    rename: Option<Arc<dyn Rename>>,
    reset: Option<Arc<dyn HostReset>>,
    http: Option<String>,
    status: status::StatusWriter,
    resync: Duration,
    takeover_after: Duration,
    history: bool,
    event_sinks: Vec<Arc<dyn EventSink>>,
    registrar: Option<Arc<dyn Registrar>>,
}

impl Agent {
    /// An agent for `host`, with the usual policy.
    ///
    /// The runtime must be that of the agent's [`AgentId::owner`]; the state directory must be nobody
    /// else's.
    #[must_use]
    pub fn new(
        host: HostName,
        id: AgentId,
        store: Arc<dyn Store>,
        runtime: Arc<dyn Runtime>,
        state: Arc<dyn StateDir>,
    ) -> Self {
        let policy = Policy {
            namespace: format!("helios-{}", id.as_str()),
            ..Policy::for_host(host.as_str())
        };
        Self {
            host,
            id,
            store,
            runtime,
            state,
            clock: Arc::new(SystemClock::new()),
            machine: Arc::new(LinuxMachine),
            probe: None,
            incarnation: None,
            policy,
            labels: BTreeMap::new(),
            engine: (None, None),
            orphans: None,
            images: None,
            rename: None,
            reset: None,
            http: None,
            status: status::StatusWriter::new(),
            resync: Duration::from_secs(60),
            takeover_after: Duration::from_secs(600),
            history: true,
            event_sinks: Vec::new(),
            registrar: None,
        }
    }

    /// This agent with another clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// This agent with another view of its machine.
    #[must_use]
    pub fn machine(self, machine: Arc<dyn Machine>) -> Self {
        Self { machine, ..self }
    }

    /// This agent, looking with `probe` whether containers are well. Without it a job with a health check
    /// never counts as running.
    #[must_use]
    pub fn probe(self, probe: Arc<dyn Probe>) -> Self {
        Self {
            probe: Some(probe),
            ..self
        }
    }

    /// This agent with a name for this very start of it instead of one drawn at random; it must differ at
    /// every start.
    #[must_use]
    pub fn incarnation(self, incarnation: impl Into<String>) -> Self {
        Self {
            incarnation: Some(incarnation.into()),
            ..self
        }
    }

    /// This agent with rules that `change` makes from the usual ones.
    #[must_use]
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// This agent with these labels for host selectors, beside those it has.
    #[must_use]
    pub fn labels<K: Into<String>, V: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.labels.extend(
            labels
                .into_iter()
                .map(|(key, value)| (key.into(), value.into())),
        );
        self
    }

    /// This agent, telling people which engine it uses and where.
    #[must_use]
    pub fn engine(self, version: Option<DockerVersion>, address: Option<String>) -> Self {
        Self {
            engine: (version, address),
            ..self
        }
    }

    /// This agent, looking in `surroundings` for what nothing manages any more, and telling of it with its host.
    /// Without it nobody looks.
    #[must_use]
    pub fn orphans(self, surroundings: Arc<dyn Surroundings>, policy: OrphanPolicy) -> Self {
        Self {
            orphans: Some((surroundings, policy)),
            ..self
        }
    }

    /// This agent, removing the images that it pulled once no job of its host has needed them for `keep_for`, which is
    /// at least a minute. Without it every image stays.
    #[must_use]
    pub fn images(self, images: Arc<dyn Images>, keep_for: Duration) -> Self {
        Self {
            images: Some((images, keep_for.max(IMAGES_KEPT_MIN))),
            ..self
        }
    }

    /// This agent, keeping the last dead containers of each job for a while, under another name, to be looked at. Without
    /// it they are removed as soon as a fresh one takes their place.
    #[must_use]
    pub fn keep_dead(mut self, rename: Arc<dyn Rename>, keep: KeepDead) -> Self {
        self.rename = Some(rename);
        self.policy.keep_dead = keep;
        self
    }

    /// This agent, resetting its host like that when a reset of the fleet says so. Without it such a host fails.
    #[must_use]
    pub fn on_reset(self, reset: Arc<dyn HostReset>) -> Self {
        Self {
            reset: Some(reset),
            ..self
        }
    }

    /// This agent, telling masters the address where it can be asked for what its containers write, as
    /// `http://127.0.0.1:5803`.
    #[must_use]
    pub fn http(self, address: impl Into<String>) -> Self {
        Self {
            http: Some(address.into()),
            ..self
        }
    }

    /// The host it runs.
    #[must_use]
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// What reads the status of this agent once it runs.
    #[must_use]
    pub fn status(&self) -> StatusReader {
        self.status.reader()
    }

    /// This agent, looking at everything at least this often.
    #[must_use]
    pub fn resync(self, every: Duration) -> Self {
        Self {
            resync: every,
            ..self
        }
    }

    /// This agent, taking its host's name over from an agent that was gone for this long.
    #[must_use]
    pub fn takeover_after(self, gone_for: Duration) -> Self {
        Self {
            takeover_after: gone_for,
            ..self
        }
    }

    /// This agent, not writing down what happens to its tasks.
    #[must_use]
    pub fn without_history(self) -> Self {
        Self {
            history: false,
            ..self
        }
    }

    /// This agent, telling `sink` too what happens to its tasks.
    #[must_use]
    pub fn event_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.event_sinks.push(sink);
        self
    }

    /// This agent, keeping the services of its jobs in that registry.
    #[must_use]
    pub fn registrar(self, registrar: Arc<dyn Registrar>) -> Self {
        Self {
            registrar: Some(registrar),
            ..self
        }
    }

    /// Runs until `shutdown` is done.
    ///
    /// # Guarantees
    /// Containers are left running when it ends. While the store is away, what was last known keeps running.
    ///
    /// # Errors
    /// [`AgentError`] at start only: when the state directory cannot be read or written. What goes wrong
    /// later is reported with the host's status and tried again.
    ///
    /// # Cancellation
    /// Dropping the future is a crash: nothing is lost, and the next start adopts what runs.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), AgentError> {
        let incarnation = match &self.incarnation {
            Some(incarnation) => incarnation.clone(),
            None => identity::draw().map_err(AgentError::state)?,
        };
        run::run(self, incarnation, shutdown).await
    }
}

/// An agent that could not start.
#[derive(Debug, Error)]
#[error("the agent cannot start: {trouble}")]
pub struct AgentError {
    trouble: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl AgentError {
    fn state(source: StateDirError) -> Self {
        Self {
            trouble: "its state directory is of no use",
            source: source.into(),
        }
    }

    fn incarnation(source: KeyError) -> Self {
        Self {
            trouble: "the name of its incarnation is no segment of a key",
            source: source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::silent::Silent;
    use super::*;

    #[test]
    fn an_agent_keeps_what_it_is_told() {
        let agent = Silent::agent()
            .incarnation("i1")
            .resync(Duration::from_secs(7))
            .takeover_after(Duration::from_secs(8))
            .on_reset(Arc::new(Silent));
        assert_eq!((agent.host().as_str(), agent.id.as_str()), ("web1", "a1"));
        assert_eq!(agent.incarnation.as_deref(), Some("i1"));
        assert_eq!(agent.resync, Duration::from_secs(7));
        assert_eq!(agent.takeover_after, Duration::from_secs(8));
        assert!(agent.reset.is_some() && agent.history);
        assert!(!agent.without_history().history);
    }

    #[test]
    fn every_start_has_a_name_of_its_own() {
        let drawn = [identity::draw().unwrap(), identity::draw().unwrap()];
        assert!(drawn.iter().all(|name| name.len() == 20));
        assert_ne!(drawn.first(), drawn.last());
    }
}
