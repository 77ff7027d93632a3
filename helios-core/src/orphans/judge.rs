//! From a look to what is orphaned in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::runtime::{ContainerId, Owner};
use crate::time::Moment;

use super::records::ContainerRecord;
use super::{Because, Claim, Finding, Look, Process, ProcessId, Records, Role, ShimHome, What};

/// What looked orphaned before, and since when. It ends with the agent: a fresh one looks twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sightings(BTreeMap<Suspect, Moment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Suspect {
    Process(ProcessId),
    Container(ContainerId),
}

/// What follows from a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What looks orphaned, in a settled order. [`confirmed`](Self::confirmed) picks what does so for long enough.
    pub findings: Vec<Finding>,
    /// Since when it looks so, for the next judgement.
    pub sightings: Sightings,
}

/// Says what looks orphaned, and since when.
///
/// Total and deterministic. What the engine said to be alive before or after the processes were read is not
/// orphaned, nor is anything of another engine on the same machine.
#[must_use]
pub fn judge(
    look: &Look,
    records: &Records,
    owner: &Owner,
    sightings: &Sightings,
    now: Moment,
) -> Judgement {
    let case = Case {
        look,
        records,
        owner,
        homes: homes(look),
    };
    let mut findings = Vec::new();
    if look.daemon.is_some() {
        findings.extend(case.left_of_containers());
        findings.extend(case.proxies());
    }
    findings.extend(case.containers());
    let suspects = findings.iter().flat_map(|finding| suspects(&finding.what));
    let since = |suspect: &Suspect| sightings.0.get(suspect).copied().unwrap_or(now);
    let sightings = suspects.map(|suspect| (suspect.clone(), since(&suspect)));
    Judgement {
        sightings: Sightings(sightings.collect()),
        findings,
    }
}

impl Judgement {
    /// The findings that looked so at an earlier look already, at least that long ago; of the processes of a
    /// container only those that did.
    #[must_use]
    pub fn confirmed(&self, confirm_after: Duration, now: Moment) -> Vec<Finding> {
        let long_enough = |suspect: &Suspect| {
            let since = self.sightings.0.get(suspect);
            since.is_some_and(|since| *since < now && now.since(*since) >= confirm_after)
        };
        let confirm = |finding: &Finding| {
            let mut finding = finding.clone();
            if let What::Processes { processes, .. } = &mut finding.what {
                processes.retain(|process| long_enough(&Suspect::Process(process.id)));
            }
            let suspects = suspects(&finding.what);
            (!suspects.is_empty() && suspects.iter().all(long_enough)).then_some(finding)
        };
        self.findings.iter().filter_map(confirm).collect()
    }
}

fn suspects(what: &What) -> Vec<Suspect> {
    match what {
        What::Processes { processes, .. } => {
            processes.iter().map(|p| Suspect::Process(p.id)).collect()
        }
        What::Proxy { process, .. } => vec![Suspect::Process(*process)],
        What::Container { id, .. } => vec![Suspect::Container(id.clone())],
    }
}

/// Where shims of this engine belong: where it says, and where those of its containers do.
fn homes(look: &Look) -> BTreeSet<&ShimHome> {
    let shims = look.processes.iter().filter_map(|p| match &p.role {
        Role::Shim { container, home } => look.known(container).map(|_| home),
        _ => None,
    });
    look.homes.iter().chain(shims).collect()
}

struct Case<'a> {
    look: &'a Look,
    records: &'a Records,
    owner: &'a Owner,
    homes: BTreeSet<&'a ShimHome>,
}

impl Case<'_> {
    /// Processes in control groups, and shims, whose container the engine does not know or calls ended.
    fn left_of_containers(&self) -> Vec<Finding> {
        let mut left: BTreeMap<&ContainerId, Vec<&Process>> = BTreeMap::new();
        for process in &self.look.processes {
            if let Role::Member { container } | Role::Shim { container, .. } = &process.role
                && !self.look.is_alive(container)
            {
                left.entry(container).or_default().push(process);
            }
        }
        let finding = |(container, processes): (&ContainerId, Vec<&Process>)| {
            let (claim, job) = self.claim_on(container, &processes)?;
            let because = match self.look.known(container) {
                Some(_) => Because::EngineSaysEnded,
                None => Because::EngineForgot,
            };
            let container = container.clone();
            let processes = processes.into_iter().cloned().collect();
            let what = What::Processes {
                container,
                processes,
            };
            Some(Finding {
                what,
                because,
                claim,
                job,
            })
        };
        left.into_iter().filter_map(finding).collect()
    }

    /// Whose the processes of a container are; `None` if they are no business of this engine's.
    fn claim_on(
        &self,
        container: &ContainerId,
        processes: &[&Process],
    ) -> Option<(Claim, Option<String>)> {
        if let Some(known) = self.look.known(container) {
            let is_ours = known
                .owner
                .as_deref()
                .is_some_and(|owner| self.is_us(owner));
            let claim = if is_ours { Claim::Ours } else { Claim::Unknown };
            return Some((claim, known.job.clone()));
        }
        if let Some(record) = self.records.container(container.as_str()) {
            return Some((self.claim_by(record), record.job.clone()));
        }
        let mut homes = processes.iter().filter_map(|process| match &process.role {
            Role::Shim { home, .. } => Some(home),
            _ => None,
        });
        let is_this_engines = match homes.next() {
            Some(home) => self.homes.contains(home),
            None => self.look.is_alone(),
        };
        is_this_engines.then_some((Claim::Unknown, None))
    }

    fn claim_by(&self, record: &ContainerRecord) -> Claim {
        if record.engine == self.look.engine {
            Claim::Ours
        } else {
            Claim::OfAnotherEngine
        }
    }

    fn is_us(&self, owner: &str) -> bool {
        owner == self.owner.as_str() || self.records.former().contains(owner)
    }

    /// Processes that hold a port for nobody.
    fn proxies(&self) -> Vec<Finding> {
        let finding = |process: &Process| {
            let Role::Proxy(route) = &process.role else {
                return None;
            };
            let look = self.look;
            if look.is_of_another_daemon(process.parent) {
                return None;
            }
            let is_child = look.daemon == Some(process.parent);
            let record = self.records.of_proxy(process.id, &look.boot);
            let because = match look.served_by(route).next() {
                Some(_) if is_child => return None,
                Some(_) => Because::ParentGone,
                None => Because::NothingBehind,
            };
            // What has lost its parent is any engine's.
            if !is_child && record.is_none() && !look.is_alone() {
                return None;
            }
            Some(Finding {
                what: What::Proxy {
                    process: process.id,
                    route: route.clone(),
                },
                because,
                claim: record.map_or(Claim::Unknown, |record| self.claim_by(record)),
                job: record.and_then(|record| record.job.clone()),
            })
        };
        self.look.processes.iter().filter_map(finding).collect()
    }

    /// Containers of agents that had this host before. Those of an agent that merely shares the engine are its own.
    fn containers(&self) -> Vec<Finding> {
        let known = self.look.after.iter();
        let known = known.filter(|(id, _)| self.look.before.contains_key(*id));
        let finding = |(id, container): (&ContainerId, &super::KnownContainer)| {
            let owner = container.owner.clone()?;
            if owner == self.owner.as_str() || !self.records.former().contains(&owner) {
                return None;
            }
            Some(Finding {
                what: What::Container {
                    id: id.clone(),
                    name: container.name.clone(),
                    owner,
                },
                because: Because::FormerAgent,
                claim: Claim::Ours,
                job: container.job.clone(),
            })
        };
        known.filter_map(finding).collect()
    }
}
