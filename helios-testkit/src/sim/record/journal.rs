//! What was recorded, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use helios_core::JobId;
use helios_core::reconcile::PORT_LABEL_PREFIX;
use helios_core::runtime::{Container, ContainerId, ContainerState, Containers, Protocol};
use helios_core::store::{Entry, Key, Op, Snapshot, Txn};
use tokio::time::Instant;

use super::super::engine::job_of;
use super::super::trace::{
    Actor, Bounds, Change, Event, Fact, Machine, Outcome, Trace, What, Write,
};

/// How old what an agent sees of its engine may be.
const OLD: Duration = Duration::from_secs(1);

/// What was recorded so far.
pub(super) struct Journal {
    began: Instant,
    bounds: Bounds,
    pub(super) events: Vec<Event>,
    pub(super) machines: BTreeMap<u16, Machine>,
    pub(super) lives: BTreeMap<Actor, u32>,
    zxid: u64,
    requests: u64,
    calls: u64,
    /// What each entry came to say, and by which commit; the latest last.
    entries: BTreeMap<Key, Vec<(u64, Option<Bytes>)>>,
    /// The commits of which nobody knows whether they were made.
    unsettled: BTreeMap<u64, (Actor, Txn)>,
    /// By which commit each life of an actor knows each entry.
    floors: BTreeMap<(Actor, u32, Key), u64>,
    containers: BTreeMap<(u16, ContainerId), Kept>,
    busy: BTreeMap<u64, (u16, Option<ContainerId>)>,
}

/// A container as it was last seen.
struct Kept {
    job: Option<JobId>,
    runs: bool,
    /// How often it was seen to start.
    starts: u32,
    /// The number of the event that told of it.
    told: usize,
}

impl Kept {
    /// Whether a look tells of the end of its only run. That is no old news, however old the look may be.
    fn has_ended(&self, found: &Container) -> bool {
        let exited = matches!(found.state, ContainerState::Exited(_));
        self.runs && self.starts == 1 && exited
    }
}

impl Journal {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            began: Instant::now(),
            bounds,
            events: Vec::new(),
            machines: BTreeMap::new(),
            lives: BTreeMap::new(),
            zxid: 0,
            requests: 0,
            calls: 0,
            entries: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            floors: BTreeMap::new(),
            containers: BTreeMap::new(),
            busy: BTreeMap::new(),
        }
    }

    pub(super) fn record(&mut self, actor: Actor, what: What) {
        let who = match actor {
            Actor::Engine(machine) => Actor::Agent(machine),
            actor => actor,
        };
        self.events.push(Event {
            seq: self.events.len(),
            at: self.began.elapsed(),
            actor,
            incarnation: self.lives.get(&who).copied().unwrap_or(0),
            what,
        });
    }

    pub(super) fn trace(&self) -> Trace {
        Trace {
            machines: self.machines.clone(),
            bounds: self.bounds.clone(),
            events: self.events.clone(),
        }
    }

    /// A commit begins: until its end is known, it may have been made.
    pub(super) fn begin(&mut self, actor: Actor, txn: &Txn) -> u64 {
        self.requests += 1;
        self.unsettled.insert(self.requests, (actor, txn.clone()));
        self.requests
    }

    /// A commit ended.
    pub(super) fn end(&mut self, request: u64, outcome: Outcome) {
        let Some((actor, _)) = self.unsettled.get(&request) else {
            return; // Somebody read what it wrote before its maker was told.
        };
        let actor = *actor;
        match outcome {
            Outcome::Done => self.made(request),
            Outcome::Failed(_) => {
                self.unsettled.remove(&request);
            }
            Outcome::Unknown => {}
        }
        self.record(actor, What::Reply { request, outcome });
    }

    fn made(&mut self, request: u64) {
        let Some((actor, txn)) = self.unsettled.remove(&request) else {
            return;
        };
        let writes = txn.ops().iter().filter_map(|op| match op {
            Op::Check { .. } => None,
            Op::Create { key, value, .. } | Op::Update { key, value, .. } => {
                Some((key.clone(), Some(value.clone())))
            }
            Op::Delete { key, .. } => Some((key.clone(), None)),
        });
        self.write(actor, request, writes.collect());
    }

    fn write(&mut self, actor: Actor, request: u64, values: Vec<(Key, Option<Bytes>)>) {
        self.zxid += 1;
        let zxid = self.zxid;
        let mut writes = Vec::new();
        let mut bytes = 0;
        for (key, value) in values {
            let states = self.entries.entry(key.clone()).or_default();
            let fact = |value: Option<&Bytes>| value.map(|value| Fact::read(&key, value));
            let was = states.last().and_then(|(_, value)| fact(value.as_ref()));
            let (was, is) = (
                was.unwrap_or_default(),
                fact(value.as_ref()).unwrap_or_default(),
            );
            bytes += key.as_str().len() + value.as_ref().map_or(0, Bytes::len);
            states.push((zxid, value));
            writes.push(Write { key, was, is });
        }
        let commit = What::Commit {
            zxid,
            request,
            bytes,
            writes,
        };
        self.record(actor, commit);
    }

    /// Whether what an actor reads there is nothing that is known to have been written.
    pub(super) fn is_news(&self, actor: Actor, key: &Key, found: Option<&Entry>) -> bool {
        self.place(actor, key, found).is_none()
    }

    /// An actor reads an entry. If it says what nobody is known to have written, a commit is found out.
    pub(super) fn saw(&mut self, actor: Actor, key: &Key, found: Option<&Entry>) {
        if self.place(actor, key, found).is_none() {
            self.find_out(key, found.map(|entry| entry.value.clone()));
        }
        let zxid = self.place(actor, key, found).unwrap_or(self.zxid);
        let life = self.lives.get(&actor).copied().unwrap_or(0);
        self.floors.insert((actor, life, key.clone()), zxid);
        let key = key.clone();
        self.record(actor, What::Read { key, zxid });
    }

    /// An actor reads a directory: what is there, and what it knew to be there before.
    pub(super) fn saw_all(&mut self, actor: Actor, dir: &Key, found: &Snapshot) {
        let life = self.lives.get(&actor).copied().unwrap_or(0);
        let known = self.floors.keys().filter(|(who, of, key)| {
            (*who, *of) == (actor, life) && key.parent().as_ref() == Some(dir)
        });
        let mut keys: BTreeSet<_> = known.map(|(_, _, key)| key.clone()).collect();
        keys.extend(found.iter().filter_map(|(name, _)| dir.child(name).ok()));
        for key in keys {
            self.saw(actor, &key, found.get(key.name()));
        }
    }

    /// The latest commit that left the entry like that, unless the actor has seen a later one already.
    fn place(&self, actor: Actor, key: &Key, found: Option<&Entry>) -> Option<u64> {
        let value = found.map(|entry| &entry.value);
        let life = self.lives.get(&actor).copied().unwrap_or(0);
        let floor = self.floors.get(&(actor, life, key.clone()));
        let states = self.entries.get(key).into_iter().flatten().rev();
        let mut same = states.filter(|(_, state)| state.as_ref() == value);
        let place = same.next().map(|(zxid, _)| *zxid);
        let place = place.or(value.is_none().then_some(0));
        place.filter(|place| floor.is_none_or(|floor| place >= floor))
    }

    fn find_out(&mut self, key: &Key, value: Option<Bytes>) {
        let writes = |txn: &Txn| {
            txn.ops().iter().any(|op| match op {
                Op::Check { .. } => false,
                Op::Create {
                    key: at, value: to, ..
                }
                | Op::Update {
                    key: at, value: to, ..
                } => at == key && Some(to) == value.as_ref(),
                Op::Delete { key: at, .. } => at == key && value.is_none(),
            })
        };
        let mut unsettled = self.unsettled.iter();
        let request = unsettled.find(|(_, (_, txn))| writes(txn));
        match request.map(|(request, _)| *request) {
            Some(request) => self.made(request),
            // The end of a session, or somebody who is not recorded.
            None => self.write(Actor::Store, 0, vec![(key.clone(), value)]),
        }
    }

    /// A call of an engine begins.
    pub(super) fn call(&mut self, machine: u16, container: Option<ContainerId>) -> u64 {
        self.calls += 1;
        self.busy.insert(self.calls, (machine, container));
        self.calls
    }

    /// A call of an engine ended; what it then did was done before.
    pub(super) fn answered(&mut self, call: u64, changes: Vec<Change>) {
        if let Some((machine, _)) = self.busy.remove(&call) {
            for change in changes {
                self.change(machine, call, change);
            }
        }
    }

    /// Takes in a look at an engine that began when there were `began` events. What was told since is newer, and
    /// what is being worked on will be told.
    pub(super) fn observe(&mut self, machine: u16, containers: &Containers, began: usize) {
        let busy: BTreeSet<_> = self.busy.values().cloned().collect();
        let creates = busy.contains(&(machine, None));
        let is_busy = |id: &ContainerId| busy.contains(&(machine, Some(id.clone())));
        let mut changes = Vec::new();
        for container in containers
            .iter()
            .filter(|container| !is_busy(&container.id))
        {
            let id = &container.id;
            let runs = container.state == ContainerState::Running;
            match self.containers.get(&(machine, id.clone())) {
                Some(kept) if kept.has_ended(container) => changes.push(turned(id, false)),
                Some(kept) if kept.told >= began => {}
                Some(kept) if kept.runs != runs => changes.push(turned(id, runs)),
                Some(_) => {}
                None if creates => {}
                None => {
                    changes.push(made(self.owner(machine), container));
                    changes.extend(runs.then(|| turned(id, true)));
                }
            }
        }
        let known = self
            .containers
            .iter()
            .filter(|((of, _), kept)| *of == machine && kept.told < began);
        let gone = known.filter(|((_, id), _)| {
            !is_busy(id) && !containers.iter().any(|container| container.id == *id)
        });
        for ((_, id), kept) in gone {
            changes.extend(kept.runs.then(|| turned(id, false)));
            changes.push(Change::Removed(id.clone()));
        }
        for change in changes {
            self.change(machine, 0, change);
        }
    }

    /// Takes in what the agent sees of its engine, which may be a little old.
    pub(super) fn shown(&mut self, machine: u16, containers: &Containers) {
        let now = self.began.elapsed();
        let fresh = self.events.partition_point(|event| event.at + OLD < now);
        self.observe(machine, containers, fresh);
    }

    /// Whose the containers of a machine are.
    pub(super) fn owner(&self, machine: u16) -> String {
        let machine = self.machines.get(&machine);
        machine
            .map(|machine| machine.agent_id.clone())
            .unwrap_or_default()
    }

    /// The job of a container.
    pub(super) fn job(&self, machine: u16, id: &ContainerId) -> Option<JobId> {
        self.containers.get(&(machine, id.clone()))?.job.clone()
    }

    /// Whether a container is known to run.
    pub(super) fn runs(&self, machine: u16, id: &ContainerId) -> bool {
        let kept = self.containers.get(&(machine, id.clone()));
        kept.is_some_and(|kept| kept.runs)
    }

    /// Whether a container is known at all.
    pub(super) fn knows(&self, machine: u16, id: &ContainerId) -> bool {
        self.containers.contains_key(&(machine, id.clone()))
    }

    fn change(&mut self, machine: u16, call: u64, change: Change) {
        let told = self.events.len();
        let (id, runs) = match &change {
            Change::Created { id, .. } | Change::Stopped(id) | Change::Renamed(id) => {
                (id, Some(false))
            }
            Change::Started(id) => (id, Some(true)),
            Change::Removed(id) => (id, None),
        };
        let key = (machine, id.clone());
        let job = match &change {
            Change::Created { job, .. } => job.clone(),
            _ => self.job(machine, id),
        };
        let before = self.containers.remove(&key);
        if let Some(runs) = runs {
            let starts = before.map_or(0, |kept| kept.starts) + u32::from(runs);
            let kept = Kept {
                job,
                runs,
                starts,
                told,
            };
            self.containers.insert(key, kept);
        }
        self.record(Actor::Engine(machine), What::Effect { call, change });
    }
}

fn turned(id: &ContainerId, runs: bool) -> Change {
    if runs {
        Change::Started(id.clone())
    } else {
        Change::Stopped(id.clone())
    }
}

fn made(owner: String, container: &Container) -> Change {
    let port = |(label, port): (&String, &String)| {
        label.strip_prefix(PORT_LABEL_PREFIX)?;
        Some((Protocol::Tcp, port.parse().ok()?))
    };
    Change::Created {
        id: container.id.clone(),
        owner,
        job: job_of(&container.labels),
        ports: container.labels.iter().filter_map(port).collect(),
    }
}

#[cfg(test)]
mod tests {
    use helios_core::runtime::Exit;

    use super::*;

    #[test]
    fn the_end_of_the_only_run_counts_although_its_start_was_told_just_now() {
        let mut journal = Journal::new(Bounds::default());
        let id = ContainerId::new("c1");
        let mut found = Container {
            id: id.clone(),
            name: "helios-web".to_owned(),
            digest: None,
            labels: BTreeMap::new(),
            state: ContainerState::Created { error: None },
            ip: None,
        };
        let call = journal.call(0, None);
        let made = made(String::new(), &found);
        journal.answered(call, vec![made, Change::Started(id.clone())]);

        let look = |found: &Container| [found.clone()].into_iter().collect();
        journal.shown(0, &look(&found));
        assert!(
            journal.runs(0, &id),
            "it was made just now: the look is old"
        );

        found.state = ContainerState::Exited(Exit::default());
        journal.shown(0, &look(&found));
        assert!(!journal.runs(0, &id));

        let call = journal.call(0, Some(id.clone()));
        journal.answered(call, vec![Change::Started(id.clone())]);
        journal.shown(0, &look(&found));
        assert!(journal.runs(0, &id), "the end may be that of its first run");
    }
}
