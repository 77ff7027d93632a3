//! How the fleet is after an event: what checks look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use helios_core::runtime::{ContainerId, Protocol};
use helios_core::store::Key;
use helios_core::{Goal, HostName, JobId};

use super::{Actor, Bounds, Change, Event, Fact, HostFact, Machine, Phase, Trace, Verb, What};

/// How long an agent may not know of what happened to its containers by itself.
const NOTICED_AFTER: Duration = Duration::from_secs(6);

/// The state of a fleet, built from the events of a trace.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The time of the last event.
    pub now: Duration,
    /// The machines.
    pub machines: BTreeMap<u16, MachineState>,
    /// What is stored now.
    pub entries: BTreeMap<Key, Fact>,
    /// By which limits it is judged.
    pub bounds: Bounds,
    /// Whether there was any fault yet.
    pub has_faults: bool,
    /// When the last fault ended, if that is so.
    pub healed_at: Option<Duration>,
    /// When everything had to be as wanted, if that is so.
    pub stable_since: Option<Duration>,
    /// When something was last wanted anew.
    pub wanted_since: Duration,
    hosts: BTreeMap<HostName, Vec<Wanted>>,
}

/// What was wanted of a host from a commit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The commit.
    pub zxid: u64,
    /// When it was made.
    pub at: Duration,
    /// The host's record; `None` if it was not registered.
    pub host: Option<Arc<HostFact>>,
}

/// A machine, its agent and its containers.
#[derive(Clone, Debug)]
pub struct MachineState {
    /// Which it is.
    pub machine: Machine,
    /// Which start of its agent is the latest.
    pub incarnation: u32,
    /// Whether the agent is alive.
    pub alive: bool,
    /// Whether it stays dead for good.
    pub lost: bool,
    /// Since when its agent is alive or dead.
    pub since: Duration,
    /// The last state of the host's goals that the agent read, in any of its lives.
    pub seen: Option<u64>,
    /// The newest state of the host's goals that it ever read, when, and in which life.
    pub newest: Option<(u64, Duration, u32)>,
    /// Whether it was read in this life.
    pub seen_in_this_life: bool,
    /// Whether the last attempt to read it failed.
    pub last_read_failed: bool,
    /// The containers that exist.
    pub containers: BTreeMap<ContainerId, Running>,
    /// The leases last stored, if the agent stores such a thing.
    pub leases: Option<BTreeMap<JobId, BTreeMap<String, u16>>>,
    /// When something last failed on it.
    pub trouble_at: Option<Duration>,
    /// The calls of its engine that its agent waits for in this life.
    pending: BTreeSet<u64>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Whose it is.
    pub owner: String,
    /// Its job.
    pub job: Option<JobId>,
    /// Its host ports.
    pub ports: Vec<(Protocol, u16)>,
    /// Whether it runs.
    pub runs: bool,
    /// Since when it is only kept, under another name.
    pub kept_since: Option<Duration>,
    /// The latest life of its agent in which it was found to be well.
    pub well_in: Option<u32>,
    /// When it was started by a call that its agent had given up.
    pub started_late: Option<Duration>,
}

impl Fleet {
    /// The fleet before the first event of `trace`.
    #[must_use]
    pub fn before(trace: &Trace) -> Self {
        let machine = |(number, machine): (&u16, &Machine)| {
            let state = MachineState {
                machine: machine.clone(),
                incarnation: 0,
                alive: false,
                lost: false,
                since: Duration::ZERO,
                seen: None,
                newest: None,
                seen_in_this_life: false,
                last_read_failed: false,
                containers: BTreeMap::new(),
                leases: None,
                trouble_at: None,
                pending: BTreeSet::new(),
            };
            (*number, state)
        };
        Self {
            machines: trace.machines.iter().map(machine).collect(),
            bounds: trace.bounds.clone(),
            ..Self::default()
        }
    }

    /// The machine the event was on, if it was on one.
    #[must_use]
    pub fn machine_of(&self, event: &Event) -> Option<&MachineState> {
        match event.actor {
            Actor::Agent(number) | Actor::Engine(number) => self.machines.get(&number),
            Actor::Master(_) | Actor::Store | Actor::Test => None,
        }
    }

    /// What was wanted of a host, from its first registration on.
    #[must_use]
    pub fn history(&self, host: &HostName) -> &[Wanted] {
        self.hosts.get(host).map_or(&[], Vec::as_slice)
    }

    /// What was wanted of a host as of that commit.
    #[must_use]
    pub fn wanted_at(&self, host: &HostName, zxid: u64) -> Option<&Arc<HostFact>> {
        let history = self.history(host);
        let later = history.partition_point(|wanted| wanted.zxid <= zxid);
        history.get(later.checked_sub(1)?)?.host.as_ref()
    }

    /// What is wanted of a host now.
    #[must_use]
    pub fn wanted(&self, host: &HostName) -> Option<&Arc<HostFact>> {
        self.history(host).last()?.host.as_ref()
    }

    /// Whether `job` was wanted on that machine all the time from `since` until now.
    #[must_use]
    pub fn is_wanted_since(&self, state: &MachineState, job: &JobId, since: Duration) -> bool {
        let history = self.history(&state.machine.host);
        let later = history.partition_point(|wanted| wanted.at <= since);
        let Some(first) = later.checked_sub(1) else {
            return false;
        };
        let mut all = history.iter().skip(first);
        all.all(|wanted| state.is_wanted(wanted.host.as_ref(), job))
    }

    /// Whether everything had time enough to come about: the last fault and the last change lie far enough
    /// back.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let since = self.healed_at.map(|at| at.max(self.wanted_since));
        since.is_some_and(|since| self.now >= since + self.bounds.settle)
    }

    /// Whether nothing fails now: not yet, or not any more.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.healed_at.is_some() || !self.has_faults
    }

    /// Makes this the fleet after `event`.
    pub fn apply(&mut self, event: &Event) {
        self.now = event.at;
        self.has_faults |= matches!(event.what, What::Fault(_));
        match &event.what {
            What::Phase(phase) => self.enter(phase, event.at),
            What::Commit { zxid, writes, .. } => {
                for write in writes {
                    self.entries.insert(write.key.clone(), write.is.clone());
                    if write.is == Fact::Absent {
                        self.entries.remove(&write.key);
                    }
                    let host = host_of(&write.key);
                    if let Some(host) = host {
                        self.wanted_since = event.at;
                        let wanted = Wanted {
                            zxid: *zxid,
                            at: event.at,
                            host: write.is.host().cloned(),
                        };
                        self.hosts.entry(host).or_default().push(wanted);
                    }
                }
            }
            _ => self.apply_to_machine(event),
        }
    }

    fn enter(&mut self, phase: &Phase, at: Duration) {
        match phase {
            Phase::Faults => {}
            Phase::Heal { lost } => {
                self.healed_at = Some(at);
                for number in lost {
                    if let Some(state) = self.machines.get_mut(number) {
                        state.lost = true;
                    }
                }
            }
            Phase::Stable => self.stable_since = Some(at),
        }
    }

    fn apply_to_machine(&mut self, event: &Event) {
        let (Actor::Agent(number) | Actor::Engine(number)) = event.actor else {
            return;
        };
        let Some(state) = self.machines.get_mut(&number) else {
            return;
        };
        match &event.what {
            What::Started if event.actor == Actor::Agent(number) => {
                (state.alive, state.since) = (true, event.at);
                state.incarnation = event.incarnation;
                state.seen_in_this_life = false;
                state.last_read_failed = false;
                state.pending.clear();
            }
            What::Crashed if event.actor == Actor::Agent(number) => {
                (state.alive, state.since) = (false, event.at);
            }
            What::Fault(_) => state.trouble_at = Some(event.at),
            What::Read { key, zxid } if state.reads_goals(key) => {
                state.seen = Some(*zxid);
                if state.newest.is_none_or(|(newest, ..)| newest < *zxid) {
                    state.newest = Some((*zxid, event.at, event.incarnation));
                }
                state.seen_in_this_life = true;
                state.last_read_failed = false;
            }
            What::ReadFailed { key } if state.reads_goals(key) => state.last_read_failed = true,
            What::Saved {
                leases: Some(leases),
                ..
            } => state.leases = Some(leases.clone()),
            What::Probed {
                container,
                well: true,
            } => {
                let life = state.incarnation;
                if let Some(container) = state.containers.get_mut(container) {
                    container.well_in = Some(life);
                }
            }
            What::Call { call, verb, .. } if *verb != Verb::List => {
                state.pending.insert(*call);
            }
            What::Answer { call, .. } => {
                state.pending.remove(call);
            }
            What::Effect { call, change } => {
                state.change(change, event.at);
                let late = *call != 0 && !state.pending.contains(call);
                if let (true, Change::Started(id)) = (late, change)
                    && let Some(container) = state.containers.get_mut(id)
                {
                    container.started_late = Some(event.at);
                }
            }
            _ => {}
        }
    }
}

impl MachineState {
    /// Whether `job` is to run here if `host` is what is wanted.
    #[must_use]
    pub fn is_wanted(&self, host: Option<&Arc<HostFact>>, job: &JobId) -> bool {
        host.filter(|host| host.agent_id == self.machine.agent_id)
            .is_some_and(|host| matches!(host.goals.get(job), Some((Goal::Start, _))))
    }

    /// Whether `job` is not to run here if `host` is what is wanted. Of a host that is another agent's nothing
    /// is known.
    #[must_use]
    pub fn is_unwanted(&self, host: Option<&Arc<HostFact>>, job: &JobId) -> bool {
        host.filter(|host| host.agent_id == self.machine.agent_id)
            .is_some_and(|host| !matches!(host.goals.get(job), Some((Goal::Start, _))))
    }

    /// The jobs that are to run here if `host` is what is wanted; `None` if that is not for this machine.
    #[must_use]
    pub fn jobs_wanted<'a>(&self, host: Option<&'a Arc<HostFact>>) -> Option<BTreeSet<&'a JobId>> {
        let host = host.filter(|host| host.agent_id == self.machine.agent_id)?;
        let goals = host.goals.iter();
        Some(
            goals
                .filter(|(_, goal)| goal.0 == Goal::Start)
                .map(|(job, _)| job)
                .collect(),
        )
    }

    /// The containers of this machine's agent.
    pub fn own(&self) -> impl Iterator<Item = (&ContainerId, &Running)> {
        let all = self.containers.iter();
        all.filter(|(_, container)| container.owner == self.machine.agent_id)
    }

    /// The container, if it runs and its agent can know that: not if a call that was given up started it a
    /// moment ago.
    #[must_use]
    pub fn known_to_run(&self, id: &ContainerId, now: Duration) -> Option<&Running> {
        let container = self.containers.get(id)?;
        let is_news = container
            .started_late
            .is_some_and(|at| now < at + NOTICED_AFTER);
        (container.runs && !is_news).then_some(container)
    }

    /// Whether reading `key` is reading the goals of this machine's host.
    #[must_use]
    pub fn reads_goals(&self, key: &Key) -> bool {
        let host = key.as_str().strip_prefix("hosts");
        host.is_some_and(|host| {
            host.is_empty() || host.strip_prefix('/') == Some(self.machine.host.as_str())
        })
    }

    fn change(&mut self, change: &Change, now: Duration) {
        match change {
            Change::Created {
                id,
                owner,
                job,
                ports,
            } => {
                let container = Running {
                    owner: owner.clone(),
                    job: job.clone(),
                    ports: ports.clone(),
                    runs: false,
                    kept_since: None,
                    well_in: None,
                    started_late: None,
                };
                self.containers.insert(id.clone(), container);
            }
            Change::Started(id) | Change::Stopped(id) => {
                if let Some(container) = self.containers.get_mut(id) {
                    container.runs = matches!(change, Change::Started(_));
                    container.well_in = None;
                }
            }
            Change::Renamed(id) => {
                if let Some(container) = self.containers.get_mut(id) {
                    container.kept_since = Some(now);
                }
            }
            Change::Removed(id) => {
                self.containers.remove(id);
            }
        }
    }
}

fn host_of(key: &Key) -> Option<HostName> {
    key.as_str().strip_prefix("hosts/")?.parse().ok()
}
