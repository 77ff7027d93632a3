//! Which task has which ports of the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha1_smol::Sha1;

use crate::model::{Goal, Job, JobId};
use crate::runtime::{Container, Protocol};

use super::container_spec::{ports_of, protocol};
use super::{Desired, Leases, Observed, Task};

/// The leases after a look.
pub(super) struct Leased {
    /// All leases.
    pub(super) table: Arc<Leases>,
    /// The tasks that cannot have their ports, and why.
    pub(super) refused: BTreeMap<JobId, String>,
}

/// Takes ports back from tasks that are neither wanted nor here any more, and gives ports to every task
/// that is to run and has none: all of its ports, or none.
///
/// A lease stays as it is for as long as the task is deployed. The one exception is a port the agent chose
/// itself and somebody else took before the container could: it is given back, and another one chosen.
pub(super) fn lease(
    desired: &Desired,
    observed: &Observed,
    leaving: &[(JobId, Option<&Container>)],
) -> Leased {
    let mut table = Arc::clone(&observed.leases);
    let mut refused = BTreeMap::new();
    if observed.leases_frozen {
        let waiting = desired
            .tasks
            .iter()
            .filter(|(id, task)| needs_lease(id, task, observed));
        let reason = "the agent cannot store which ports it gave away".to_owned();
        refused.extend(waiting.map(|(id, _)| (id.clone(), reason.clone())));
        return Leased { table, refused };
    }
    release(&mut table, desired, observed, leaving);
    let needy: Vec<_> = desired
        .tasks
        .iter()
        .filter(|(id, task)| needs_lease(id, task, observed))
        .collect();
    if needy.is_empty() {
        return Leased { table, refused };
    }
    let leases = Arc::make_mut(&mut table);
    for (id, _) in &needy {
        leases.remove(*id);
    }
    let mut taken = taken(desired, leases);
    for (id, task) in needy {
        let found = observed
            .container(&task.container)
            .map(ports_of)
            .unwrap_or_default();
        let ports = if found.len() == task.job.ports.len() && !in_trouble(id, observed) {
            Ok(found)
        } else {
            choose(&task.job, &taken, desired, observed)
        };
        match ports {
            Ok(ports) => {
                taken.extend(ports.iter().filter_map(|(name, port)| {
                    Some(((protocol(task.job.ports.get(name)?), *port), id.clone()))
                }));
                leases.insert(id.clone(), ports.into());
            }
            Err(reason) => {
                refused.insert(id.clone(), reason);
            }
        }
    }
    if *table == *observed.leases {
        // Whoever stores them sees at once that there is nothing to store.
        table = Arc::clone(&observed.leases);
    }
    Leased { table, refused }
}

fn release(
    table: &mut Arc<Leases>,
    desired: &Desired,
    observed: &Observed,
    leaving: &[(JobId, Option<&Container>)],
) {
    if !desired.complete || observed.containers.is_none() {
        return;
    }
    let leaving: BTreeSet<_> = leaving.iter().map(|(id, _)| id).collect();
    let kept = |id: &JobId| {
        desired
            .tasks
            .get(id)
            .is_some_and(|task| task.goal != Goal::Undeploy)
            || leaving.contains(id)
    };
    if table.keys().any(|id| !kept(id)) {
        Arc::make_mut(table).retain(|id, _| kept(id));
    }
}

fn needs_lease(id: &JobId, task: &Task, observed: &Observed) -> bool {
    if task.goal != Goal::Start || task.job.ports.is_empty() {
        return false;
    }
    let Some(lease) = observed.leases.get(id) else {
        return true;
    };
    // A new choice is made only once the container that was to use the old one is gone.
    observed.containers.is_some()
        && observed.container(&task.container).is_none()
        && lost_port(id, task, Some(&**lease), observed).is_some()
}

/// The port that the agent chose for the task and that something else took, if there is one.
pub(super) fn lost_port(
    id: &JobId,
    task: &Task,
    lease: Option<&BTreeMap<String, u16>>,
    observed: &Observed,
) -> Option<u16> {
    let lease = lease.filter(|_| in_trouble(id, observed))?;
    let dynamic = task
        .job
        .ports
        .iter()
        .filter(|(_, mapping)| mapping.external_port.is_none());
    let places = dynamic.filter_map(|(name, mapping)| Some((protocol(mapping), *lease.get(name)?)));
    places
        .into_iter()
        .find(|place| observed.ports_in_use.contains(place))
        .map(|(_, port)| port)
}

fn in_trouble(id: &JobId, observed: &Observed) -> bool {
    observed
        .memories
        .get(id)
        .is_some_and(|memory| memory.port_trouble)
}

/// Who has which port. The static ports of every task count, leased or not, so that no dynamic choice
/// gets in the way of a job that cannot choose.
fn taken(desired: &Desired, leases: &Leases) -> BTreeMap<(Protocol, u16), JobId> {
    let mut taken = BTreeMap::new();
    for (id, lease) in leases {
        let job = desired.tasks.get(id).map(|task| &task.job);
        for (name, port) in &**lease {
            let mapping = job.and_then(|job| job.ports.get(name));
            match mapping {
                Some(mapping) => {
                    taken.insert((protocol(mapping), *port), id.clone());
                }
                // A lease of a task on its way out, whose job is not at hand: both protocols count.
                None => {
                    taken.extend([Protocol::Tcp, Protocol::Udp].map(|p| ((p, *port), id.clone())));
                }
            }
        }
    }
    taken
}

fn choose(
    job: &Job,
    taken: &BTreeMap<(Protocol, u16), JobId>,
    desired: &Desired,
    observed: &Observed,
) -> Result<BTreeMap<String, u16>, String> {
    let reserved: BTreeSet<_> = desired
        .tasks
        .values()
        .flat_map(|task| task.job.ports.values())
        .filter_map(|mapping| {
            Some((
                protocol(mapping),
                u16::try_from(mapping.external_port?).ok()?,
            ))
        })
        .collect();
    let mut chosen: BTreeMap<String, u16> = BTreeMap::new();
    let mut own = BTreeSet::new();
    for (name, mapping) in &job.ports {
        let kind = protocol(mapping);
        let port = match mapping.external_port {
            Some(port) => {
                let port =
                    u16::try_from(port).map_err(|_| format!("port {port} does not exist"))?;
                if let Some(other) = taken.get(&(kind, port)) {
                    return Err(format!("port {port}/{kind} is still leased to {other}"));
                }
                port
            }
            None => dynamic(job, name, desired, |port| {
                let place = (kind, port);
                taken.contains_key(&place)
                    || reserved.contains(&place)
                    || own.contains(&place)
                    || observed.ports_in_use.contains(&place)
            })?,
        };
        own.insert((kind, port));
        chosen.insert(name.clone(), port);
    }
    Ok(chosen)
}

/// The first free port, from a place that follows from job and name: two tasks rarely want the same one, and
/// a task that comes back tends to get its old port.
fn dynamic(
    job: &Job,
    name: &str,
    desired: &Desired,
    is_taken: impl Fn(u16) -> bool,
) -> Result<u16, String> {
    let range = desired.policy.port_range.clone();
    let size = range.end.saturating_sub(range.start);
    let digest = Sha1::from(format!("{}/{name}", job.id)).digest().bytes();
    let hash = digest
        .iter()
        .take(2)
        .fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte));
    let start = hash.checked_rem(size).unwrap_or_default();
    (0..size)
        .map(|step| range.start + ((u32::from(start) + u32::from(step)) % u32::from(size)) as u16)
        .find(|port| !is_taken(*port))
        .ok_or_else(|| {
            format!(
                "no free port in {}..{}: give the agent a wider range, or undeploy something",
                range.start, range.end
            )
        })
}
