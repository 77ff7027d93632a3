//! What one engine holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use helios_core::JobId;
use helios_core::reconcile::JOB_LABEL;
use helios_core::runtime::{
    Container, ContainerId, ContainerSpec, ContainerState, Containers, Exit, Owner, Protocol,
    RuntimeError, RuntimeErrorKind, SpecDigest,
};
use tokio::sync::{Mutex, Notify};

use super::super::dice::Dice;
use super::super::machine::wall_clock;
use super::super::trace::Change;
use super::process::Process;

/// Whose the containers are that are nobody's here.
const NEIGHBOUR: &str = "neighbour";

/// The address of whatever runs: nobody is at it, but without one nothing is looked for there.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 17, 0, 2));

/// Whose turn it is with a container, first come, first served.
pub(super) type Turn = Arc<Mutex<()>>;

/// An engine and its containers.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    number: u16,
    /// Until when it does not answer.
    pub(crate) away_until: Duration,
    /// How often it was restarted.
    pub(crate) starts: u64,
    /// How far its wall clock jumped in all, in milliseconds.
    pub(crate) clock_jump: i64,
    containers: BTreeMap<ContainerId, Kept>,
    /// Whose turn it is with a container that is being started, or was a moment ago.
    turns: BTreeMap<ContainerId, Turn>,
    images: BTreeSet<String>,
    /// Ports that something else on the host has, and until when.
    ghosts: BTreeMap<(Protocol, u16), Duration>,
    made: u64,
    watches: Vec<Arc<Notify>>,
}

/// A container as the engine keeps it.
#[derive(Clone, Debug)]
struct Kept {
    name: String,
    owner: String,
    digest: SpecDigest,
    labels: BTreeMap<String, String>,
    ports: Vec<(Protocol, u16)>,
    state: ContainerState,
    process: Process,
}

impl Engine {
    pub(crate) fn new(number: u16) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// The containers of an owner; those that are being started as they were when they were `told` of before.
    pub(crate) fn list(&self, owner: &str, told: &Containers) -> Containers {
        let shown = |(id, kept): (&ContainerId, &Kept)| {
            if self.is_being_started(id) {
                told.iter().find(|told| told.id == *id).cloned()
            } else {
                Some(kept.shown(id))
            }
        };
        let own = self.containers.iter();
        own.filter(|(_, kept)| kept.owner == owner)
            .filter_map(shown)
            .collect()
    }

    /// The turns that a complete look at the containers of an owner has to wait for.
    pub(crate) fn starting(&self, owner: &str) -> Vec<Turn> {
        let own = |id: &ContainerId| {
            self.containers
                .get(id)
                .is_some_and(|kept| kept.owner == owner)
        };
        let starting = self.turns.iter();
        starting
            .filter(|(id, _)| own(id) && self.is_being_started(id))
            .map(|(_, turn)| Arc::clone(turn))
            .collect()
    }

    /// The turn with a container that is to be started, or that is being started.
    pub(crate) fn turn(&mut self, id: &ContainerId, to_start: bool) -> Option<Turn> {
        if to_start {
            Some(Arc::clone(self.turns.entry(id.clone()).or_default()))
        } else {
            self.turns.get(id).map(Arc::clone)
        }
    }

    /// A start is over: what was not shown meanwhile is.
    pub(crate) fn end_turn(&mut self) {
        self.turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        self.tell();
    }

    fn is_being_started(&self, id: &ContainerId) -> bool {
        self.turns
            .get(id)
            .is_some_and(|turn| turn.try_lock().is_err())
    }

    /// Restarts: nothing that it was asked before takes effect any more.
    pub(crate) fn restart(&mut self, away_until: Duration) {
        self.away_until = away_until;
        self.starts += 1;
        self.turns.clear();
    }

    /// The container of that name.
    pub(crate) fn named(&self, name: &str) -> Option<ContainerId> {
        let mut all = self.containers.iter();
        let (id, _) = all.find(|(_, kept)| kept.name == name)?;
        Some(id.clone())
    }

    /// Whether a container is there and belongs to that owner.
    pub(crate) fn is_of(&self, id: &ContainerId, owner: &Owner) -> bool {
        let kept = self.containers.get(id);
        kept.is_some_and(|kept| kept.owner == owner.as_str())
    }

    /// Makes a container, unless it is there.
    pub(crate) fn create(
        &mut self,
        owner: &str,
        spec: &ContainerSpec,
    ) -> Result<(ContainerId, Option<Change>), RuntimeError> {
        let same_name = self
            .containers
            .iter()
            .find(|(_, kept)| kept.name == spec.name);
        if let Some((id, kept)) = same_name {
            if kept.owner == owner && kept.digest == spec.digest() {
                return Ok((id.clone(), None));
            }
            let message = format!("{} cannot be created: the name is taken by {id}", spec.name);
            return Err(RuntimeError::new(RuntimeErrorKind::NameInUse, message));
        }
        if !self.images.contains(&spec.image) {
            let message = format!("{} cannot be created: no image {}", spec.name, spec.image);
            return Err(RuntimeError::new(RuntimeErrorKind::ImageUnknown, message));
        }
        let process = Process::of(&spec.command);
        if process == Process::Refused {
            let message = format!("{} cannot be created: the engine refuses it", spec.name);
            return Err(RuntimeError::new(RuntimeErrorKind::BadSpec, message));
        }
        self.made += 1;
        let id = ContainerId::new(format!("e{}c{}", self.number, self.made));
        let ports = spec
            .ports
            .iter()
            .map(|port| (port.protocol, port.host_port));
        let kept = Kept {
            name: spec.name.clone(),
            owner: owner.to_owned(),
            digest: spec.digest(),
            labels: spec.labels.clone(),
            ports: ports.collect(),
            state: ContainerState::Created { error: None },
            process,
        };
        let change = Change::Created {
            id: id.clone(),
            owner: kept.owner.clone(),
            job: job_of(&kept.labels),
            ports: kept.ports.clone(),
        };
        self.containers.insert(id.clone(), kept);
        self.tell();
        Ok((id, Some(change)))
    }

    /// Has a container that belongs to somebody else, and runs.
    pub(crate) fn house(&mut self, number: u16) -> Vec<Change> {
        let id = ContainerId::new(format!("e{}n{number}", self.number));
        let owner = NEIGHBOUR.to_owned();
        let kept = Kept {
            name: format!("neighbour{number}"),
            owner: owner.clone(),
            digest: SpecDigest::from_text("neighbour"),
            labels: BTreeMap::new(),
            ports: Vec::new(),
            state: ContainerState::Running,
            process: Process::Usual,
        };
        self.containers.insert(id.clone(), kept);
        let made = Change::Created {
            id: id.clone(),
            owner,
            job: None,
            ports: Vec::new(),
        };
        vec![made, Change::Started(id)]
    }

    /// Starts a container, unless it runs.
    pub(crate) fn start(
        &mut self,
        id: &ContainerId,
        now: Duration,
    ) -> Result<Option<Change>, RuntimeError> {
        let Some(kept) = self.containers.get(id) else {
            let message = format!("container {id} cannot be started: there is none");
            return Err(RuntimeError::new(RuntimeErrorKind::NotFound, message));
        };
        if kept.state == ContainerState::Running {
            return Ok(None);
        }
        if kept.process == Process::Missing {
            let message = format!("container {id} cannot be started: there is no such command");
            let error = Some("no such command".to_owned());
            self.put(id, ContainerState::Created { error });
            return Err(RuntimeError::new(RuntimeErrorKind::BadSpec, message));
        }
        let taken = self.taken(now);
        let wanted = kept.ports.iter().find(|port| taken.contains(port)).copied();
        let state = match wanted {
            Some(_) => ContainerState::Created {
                error: Some("port is already allocated".to_owned()),
            },
            None => ContainerState::Running,
        };
        self.put(id, state);
        match wanted {
            Some((protocol, port)) => {
                let message =
                    format!("container {id} cannot be started: port {port}/{protocol} is taken");
                Err(RuntimeError::new(RuntimeErrorKind::PortInUse, message))
            }
            None => Ok(Some(Change::Started(id.clone()))),
        }
    }

    fn put(&mut self, id: &ContainerId, state: ContainerState) {
        if let Some(kept) = self.containers.get_mut(id) {
            kept.state = state;
        }
        self.tell();
    }

    /// What the main process of a container does.
    pub(crate) fn process(&self, id: &ContainerId) -> Process {
        let kept = self.containers.get(id);
        kept.map_or(Process::Usual, |kept| kept.process)
    }

    /// How long a container takes to end when it is asked to, and with which code.
    pub(crate) fn ending(
        &self,
        id: &ContainerId,
        grace: Duration,
        dice: &mut Dice,
    ) -> (Duration, i64) {
        self.process(id).ending(grace, dice)
    }

    /// Ends a container that runs.
    pub(crate) fn end(&mut self, id: &ContainerId, code: i64, now: Duration) -> Option<Change> {
        let ended_at = Some(wall_clock(now, self.clock_jump));
        let kept = self.containers.get_mut(id)?;
        if kept.state != ContainerState::Running {
            return None;
        }
        kept.state = ContainerState::Exited(Exit {
            code,
            ended_at,
            ..Exit::default()
        });
        self.tell();
        Some(Change::Stopped(id.clone()))
    }

    /// Gives a container another name.
    pub(crate) fn rename(
        &mut self,
        id: &ContainerId,
        name: &str,
    ) -> Result<Option<Change>, RuntimeError> {
        let others = self.containers.iter().filter(|(other, _)| *other != id);
        if others.into_iter().any(|(_, kept)| kept.name == name) {
            let message = format!("{id} cannot be renamed: the name {name} is taken");
            return Err(RuntimeError::new(RuntimeErrorKind::NameInUse, message));
        }
        let kept = self.containers.get_mut(id);
        let Some(kept) = kept.filter(|kept| kept.name != name) else {
            return Ok(None);
        };
        name.clone_into(&mut kept.name);
        self.tell();
        Ok(Some(Change::Renamed(id.clone())))
    }

    /// Removes a container, killing it if it runs.
    pub(crate) fn remove(&mut self, id: &ContainerId, now: Duration) -> Vec<Change> {
        let stopped = self.end(id, 137, now);
        if self.containers.remove(id).is_none() {
            return Vec::new();
        }
        self.tell();
        stopped
            .into_iter()
            .chain([Change::Removed(id.clone())])
            .collect()
    }

    /// Ends all that runs, as a reboot or a restart of the engine does.
    pub(crate) fn end_all(&mut self, now: Duration) -> Vec<Change> {
        self.running()
            .into_iter()
            .filter_map(|id| self.end(&id, 255, now))
            .collect()
    }

    /// What runs.
    pub(crate) fn running(&self) -> Vec<ContainerId> {
        let running = |kept: &Kept| kept.state == ContainerState::Running;
        let all = self.containers.iter();
        all.filter(|(_, kept)| running(kept))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Whether a container runs and is well.
    pub(crate) fn is_well(&self, id: &ContainerId) -> bool {
        self.containers.get(id).is_some_and(|kept| {
            kept.state == ContainerState::Running && kept.process != Process::Unwell
        })
    }

    /// The job of a container, and whether it runs.
    pub(crate) fn job(&self, id: &ContainerId) -> Option<JobId> {
        job_of(&self.containers.get(id)?.labels)
    }

    /// An image is here now.
    pub(crate) fn keep_image(&mut self, image: &str) {
        self.images.insert(image.to_owned());
    }

    /// Something else takes a port until then.
    pub(crate) fn haunt(&mut self, port: (Protocol, u16), until: Duration) {
        self.ghosts.insert(port, until);
    }

    /// All ports that something listens on.
    pub(crate) fn taken(&self, now: Duration) -> BTreeSet<(Protocol, u16)> {
        let running = self.containers.values();
        let running = running.filter(|kept| kept.state == ContainerState::Running);
        let ghosts = self.ghosts.iter().filter(|(_, until)| now < **until);
        running
            .flat_map(|kept| kept.ports.iter().copied())
            .chain(ghosts.map(|(port, _)| *port))
            .collect()
    }

    /// Ports that a container may want one day, for something else to take.
    pub(crate) fn ports_wanted(&self) -> Vec<(Protocol, u16)> {
        self.containers
            .values()
            .flat_map(|kept| kept.ports.iter().copied())
            .collect()
    }

    /// Ends all trouble.
    pub(crate) fn heal(&mut self) {
        self.away_until = Duration::ZERO;
        self.ghosts.clear();
        self.tell();
    }

    /// Says that something changed.
    pub(crate) fn tell(&self) {
        for watch in &self.watches {
            watch.notify_one();
        }
    }

    /// Wants to be told of changes.
    pub(crate) fn watch(&mut self) -> Arc<Notify> {
        self.watches.retain(|watch| Arc::strong_count(watch) > 1);
        let notify = Arc::new(Notify::new());
        notify.notify_one();
        self.watches.push(Arc::clone(&notify));
        notify
    }
}

impl Kept {
    fn shown(&self, id: &ContainerId) -> Container {
        Container {
            id: id.clone(),
            name: self.name.clone(),
            digest: Some(self.digest.clone()),
            labels: self.labels.clone(),
            state: self.state.clone(),
            ip: (self.state == ContainerState::Running).then_some(ADDRESS),
        }
    }
}

/// The job that labels name: by the label of our agents, or simply by `job`.
pub(crate) fn job_of(labels: &BTreeMap<String, String>) -> Option<JobId> {
    labels
        .get(JOB_LABEL)
        .or_else(|| labels.get("job"))?
        .parse()
        .ok()
}
