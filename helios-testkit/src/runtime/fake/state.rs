//! What the engine holds, and what each verb does to it at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use helios_core::runtime::{
    Container, ContainerId, ContainerSpec, ContainerState, Containers, ExecOutput, Exit, Owner,
    PublishedPort, RuntimeError, RuntimeErrorKind,
};
use helios_core::{Clock, Timestamp};

use super::fault::{Call, Fault, Verb};
use super::image::{FakeImage, OnStop, Registry};

/// The exit code of a process that was killed by signal 9.
const KILLED: i64 = 137;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) away: bool,
    pub(super) images: BTreeMap<String, FakeImage>,
    pub(super) faults: Vec<Fault>,
    pub(super) delays: BTreeMap<Verb, Duration>,
    pub(super) taken_ports: BTreeSet<u16>,
    pub(super) calls: VecDeque<Call>,
    /// What it reads when a container ends, if anything.
    pub(super) clock: Option<Arc<dyn Clock>>,
    held: BTreeMap<String, Held>,
    ids_given: u64,
}

/// A container, and whose it is.
#[derive(Debug)]
struct Held {
    name: String,
    owner: Owner,
    id: ContainerId,
    spec: ContainerSpec,
    state: ContainerState,
    /// How often it was started; tells one run from the next.
    runs: u64,
    log: Vec<String>,
}

/// The end of one run, at a time to come.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) id: ContainerId,
    pub(super) run: u64,
    pub(super) after: Duration,
    pub(super) code: i64,
}

impl State {
    pub(super) fn look(&self, owner: &Owner) -> Containers {
        self.held
            .values()
            .filter(|held| held.owner == *owner)
            .map(Held::seen)
            .collect()
    }

    pub(super) fn image(&self, image: &str) -> FakeImage {
        self.images.get(image).cloned().unwrap_or_default()
    }

    pub(super) fn image_of(&self, id: &ContainerId) -> Option<FakeImage> {
        let held = self.held.values().find(|held| held.id == *id)?;
        Some(self.image(&held.spec.image))
    }

    /// The name of the container that has the id, or the text itself.
    pub(super) fn target(&self, name_or_id: &str) -> String {
        self.held
            .values()
            .find(|held| held.id.as_str() == name_or_id)
            .map_or_else(|| name_or_id.to_owned(), |held| held.name.clone())
    }

    /// Takes one failure that was ordered for this call, if there is one.
    pub(super) fn take_fault(&mut self, verb: Verb, target: &str) -> Option<Fault> {
        let image = self.held.get(target).map(|held| held.spec.image.as_str());
        let at = self.faults.iter().position(|fault| {
            fault.verb == verb
                && fault
                    .target
                    .as_deref()
                    .is_none_or(|wanted| wanted == target || Some(wanted) == image)
        })?;
        let fault = self.faults.get_mut(at)?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        if taken.times == 0 {
            self.faults.remove(at);
        }
        Some(taken)
    }

    pub(super) fn pull(&mut self, image: &str) -> Result<(), RuntimeError> {
        let known = self.images.entry(image.to_owned()).or_default();
        let kind = match known.registry {
            Registry::Has => {
                known.here = true;
                return Ok(());
            }
            Registry::Lacks => RuntimeErrorKind::ImageUnknown,
            Registry::Denies => RuntimeErrorKind::RegistryDenied,
            Registry::Unreachable => RuntimeErrorKind::RegistryUnreachable,
        };
        Err(failure(kind, "pull", image))
    }

    pub(super) fn create(
        &mut self,
        owner: &Owner,
        spec: &ContainerSpec,
    ) -> Result<ContainerId, RuntimeError> {
        if let Some(held) = self.held.get(&spec.name) {
            return if held.owner == *owner && held.spec == *spec {
                Ok(held.id.clone())
            } else {
                Err(failure(RuntimeErrorKind::NameInUse, "create", &spec.name))
            };
        }
        let image = self.image(&spec.image);
        if let Some(kind) = image.create_fails {
            return Err(failure(kind, "create", &spec.name));
        }
        if !image.here {
            return Err(failure(
                RuntimeErrorKind::ImageUnknown,
                "create",
                &spec.name,
            ));
        }
        self.ids_given += 1;
        let id = ContainerId::new(format!("fake-{:06}", self.ids_given));
        self.held.insert(
            spec.name.clone(),
            Held {
                name: spec.name.clone(),
                owner: owner.clone(),
                id: id.clone(),
                spec: spec.clone(),
                state: ContainerState::Created { error: None },
                runs: 0,
                log: Vec::new(),
            },
        );
        Ok(id)
    }

    /// Starts it, and says when it will end by itself, if it will.
    pub(super) fn start(
        &mut self,
        owner: &Owner,
        id: &ContainerId,
    ) -> Result<Option<Ending>, RuntimeError> {
        let missing = || failure(RuntimeErrorKind::NotFound, "start", id.as_str());
        let held = self.owned(owner, id).ok_or_else(missing)?;
        if held.state == ContainerState::Running {
            return Ok(None);
        }
        let (name, image) = (held.name.clone(), held.spec.image.clone());
        let image = self.image(&image);
        let refusal = image.start_fails.or_else(|| {
            self.port_clash(&name)
                .then_some(RuntimeErrorKind::PortInUse)
        });
        let held = self.held.get_mut(&name).ok_or_else(missing)?;
        if let Some(kind) = refusal {
            let error = failure(kind, "start", &name);
            held.state = ContainerState::Created {
                error: Some(error.to_string()),
            };
            return Err(error);
        }
        held.state = ContainerState::Running;
        held.runs += 1;
        held.log.extend(image.log);
        Ok(image.exits.map(|(after, code)| Ending {
            id: id.clone(),
            run: held.runs,
            after,
            code,
        }))
    }

    fn port_clash(&self, name: &str) -> bool {
        let Some(wanted) = self.held.get(name) else {
            return false;
        };
        let key = |port: &PublishedPort| (port.host_port, port.protocol);
        wanted.spec.ports.iter().any(|port| {
            self.taken_ports.contains(&port.host_port)
                || self
                    .held
                    .values()
                    .filter(|held| held.state == ContainerState::Running)
                    .flat_map(|held| &held.spec.ports)
                    .any(|other| key(other) == key(port))
        })
    }

    /// How long its process would take to end by itself, when asked now; `None` if it would not.
    pub(super) fn ends_after(&self, id: &ContainerId) -> Option<Duration> {
        let held = self.held.values().find(|held| held.id == *id)?;
        match self.image(&held.spec.image).on_stop {
            OnStop::EndsAfter(takes) if held.state == ContainerState::Running => Some(takes),
            _ => None,
        }
    }

    pub(super) fn runs(&mut self, owner: &Owner, id: &ContainerId) -> bool {
        self.owned(owner, id)
            .is_some_and(|held| held.state == ContainerState::Running)
    }

    pub(super) fn stop(&mut self, owner: &Owner, id: &ContainerId, grace: Duration) {
        let at = self.wall_time();
        let by_itself = self.ends_after(id).is_some_and(|takes| takes <= grace);
        if let Some(held) = self.owned(owner, id) {
            held.end(if by_itself { 0 } else { KILLED }, at);
        }
    }

    pub(super) fn rename(
        &mut self,
        owner: &Owner,
        id: &ContainerId,
        name: &str,
    ) -> Result<(), RuntimeError> {
        let Some(held) = self.owned(owner, id) else {
            return Ok(());
        };
        let before = held.name.clone();
        if before == name {
            return Ok(());
        }
        if self.held.contains_key(name) {
            return Err(failure(RuntimeErrorKind::NameInUse, "rename", &before));
        }
        if let Some(mut held) = self.held.remove(&before) {
            held.name = name.to_owned();
            self.held.insert(name.to_owned(), held);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, owner: &Owner, id: &ContainerId) {
        self.held
            .retain(|_, held| held.owner != *owner || held.id != *id);
    }

    pub(super) fn exec(
        &mut self,
        owner: &Owner,
        id: &ContainerId,
        command: &[String],
        timeout: Duration,
    ) -> Result<ExecOutput, RuntimeError> {
        let runs = self
            .owned(owner, id)
            .is_some_and(|held| held.state == ContainerState::Running);
        let image = self.image_of(id).filter(|_| runs);
        let image =
            image.ok_or_else(|| failure(RuntimeErrorKind::NotFound, "exec in", id.as_str()))?;
        if timeout.is_zero() {
            return Err(failure(RuntimeErrorKind::TimedOut, "exec in", id.as_str()));
        }
        Ok(ExecOutput {
            code: image.exec_code,
            output: Bytes::from(command.join(" ")),
        })
    }

    pub(super) fn log(
        &mut self,
        owner: &Owner,
        id: &ContainerId,
        tail_lines: usize,
    ) -> Result<Vec<Bytes>, RuntimeError> {
        let missing = || failure(RuntimeErrorKind::NotFound, "read the log of", id.as_str());
        let log = &self.owned(owner, id).ok_or_else(missing)?.log;
        let skipped = log.len().saturating_sub(tail_lines);
        let lines = log.iter().skip(skipped);
        Ok(lines.map(|line| Bytes::from(format!("{line}\n"))).collect())
    }

    /// Ends the run that is meant, unless it is over.
    pub(super) fn end_run(&mut self, ending: &Ending) {
        let at = self.wall_time();
        let held = self.held.values_mut().find(|held| held.id == ending.id);
        if let Some(held) = held.filter(|held| held.runs == ending.run) {
            held.end(ending.code, at);
        }
    }

    /// Ends the main process of the container of that name or id, whoever owns it.
    pub(super) fn end(&mut self, name_or_id: &str, code: Option<i64>) {
        let (at, name) = (self.wall_time(), self.target(name_or_id));
        if let Some(held) = self.held.get_mut(&name) {
            held.end(code.unwrap_or(KILLED), at);
        }
    }

    pub(super) fn starts(&self, name_or_id: &str) -> u64 {
        let name = self.target(name_or_id);
        self.held.get(&name).map_or(0, |held| held.runs)
    }

    /// What a restart of the whole machine leaves: every container, none of them running.
    pub(super) fn end_all(&mut self) {
        let at = self.wall_time();
        for held in self.held.values_mut() {
            held.end(KILLED, at);
        }
    }

    fn wall_time(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(|clock| clock.now())
    }

    fn owned(&mut self, owner: &Owner, id: &ContainerId) -> Option<&mut Held> {
        self.held
            .values_mut()
            .find(|held| held.owner == *owner && held.id == *id)
    }
}

impl Held {
    fn seen(&self) -> Container {
        Container {
            id: self.id.clone(),
            name: self.name.clone(),
            digest: Some(self.spec.digest()),
            labels: self.spec.labels.clone(),
            state: self.state.clone(),
            ip: (self.state == ContainerState::Running).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        }
    }

    fn end(&mut self, code: i64, ended_at: Option<Timestamp>) {
        if self.state == ContainerState::Running {
            self.state = ContainerState::Exited(Exit {
                code,
                ended_at,
                ..Exit::default()
            });
        }
    }
}

pub(super) fn failure(kind: RuntimeErrorKind, tried: &str, target: &str) -> RuntimeError {
    RuntimeError::new(
        kind,
        format!("the fake engine did not {tried} {target:?}: {kind:?}"),
    )
}
