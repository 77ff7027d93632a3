//! From what is wanted and what is there to what is done: the pure middle of the agent.
//!
//! [`reconcile`] looks at a [`Desired`] and an [`Observed`] and returns a [`Plan`]. It knows no clock, no
//! randomness and no input but its arguments, so everything an agent ever does can be asked for in a
//! test, and explained afterwards: every line of a plan says why.
//!
//! What happens between two looks is kept in one [`Memory`] per task, which learns from looks
//! ([`Memory::see`]) and from the outcome of actions ([`Memory::done`]).

mod backoff;
mod container_spec;
mod dead;
mod decide;
mod desired;
mod flapping;
mod health;
mod memory;
mod observed;
mod plan;
mod ports;
mod report;
mod services;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub(crate) use container_spec::protocol;
pub use container_spec::{
    GRACE_LABEL, JOB_LABEL, KILL_AFTER_LABEL, PORT_LABEL_PREFIX, RESTART_METADATA, SAME_CONTAINER,
    container_name, container_spec, environment,
};
pub(crate) use dead::is_kept;
pub use dead::{Dead, KeepDead, dead};
pub use desired::{Desired, Policy, Task};
pub use flapping::Flapping;
pub use health::{Health, HealthPolicy, Look};
pub use memory::{Failure, Leaving, Memory};
pub use observed::{Leases, Observed};
pub use plan::{Action, Because, Line, Plan, TaskPlan, Verb, Waiting};
pub use services::services;

use std::collections::BTreeSet;

use crate::model::{Goal, JobId};
use crate::runtime::Container;
use crate::time::Moment;

/// Decides what is to be done now, for every task.
///
/// Total and deterministic: the same arguments give the same plan, and no arguments make it fail. At most
/// one action is planned for a task, and none for a task that has one under way. Applied until nothing is
/// left to do, it comes to rest.
///
/// ```
/// use helios_core::model::{Goal, Job};
/// use helios_core::reconcile::{Action, Because, Desired, Observed, Policy, reconcile};
/// use helios_core::runtime::Containers;
/// use helios_core::Moment;
///
/// let job = Job::new("web:1", "nginx:1.27")?.with_computed_id();
/// let desired = Desired::new(Policy::for_host("web1")).with(job, Goal::Start);
/// let observed = Observed { containers: Some(Containers::new()), ..Observed::default() };
///
/// let plan = reconcile(&desired, &observed, Moment::default());
/// assert!(matches!(plan.tasks[0].action, Some(Action::Create(_))));
/// assert_eq!(plan.tasks[0].because, Because::Deployed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn reconcile(desired: &Desired, observed: &Observed, now: Moment) -> Plan {
    let wanted: Vec<_> = desired
        .tasks
        .iter()
        .filter(|(_, task)| task.goal != Goal::Undeploy)
        .map(|(id, task)| (id, task, observed.container(&task.container)))
        .collect();
    let with_container = wanted
        .iter()
        .filter(|(_, _, container)| container.is_some());
    let unwanted = unwanted(desired, observed, with_container.count());
    let leases = ports::lease(desired, observed, &unwanted);
    let mut plan = Plan {
        leases: leases.table,
        tasks: Vec::with_capacity(wanted.len() + unwanted.len()),
        wake: None,
    };
    for (id, task, container) in wanted {
        let refused = leases.refused.get(id).map(String::as_str);
        let ports = plan.leases.get(id);
        let decision = decide::wanted(
            task,
            container,
            observed,
            desired,
            (ports.map(|ports| &**ports), refused),
            now,
        );
        let again = decision.again;
        let line = report::line(id.clone(), task.goal, container, observed, ports, decision);
        plan.add(line, now);
        plan.wake_at(again);
    }
    for (id, container) in unwanted {
        let decision = decide::unwanted(&id, container, observed, desired, now);
        let ports = plan.leases.get(&id);
        let line = report::line(id, Goal::Undeploy, container, observed, ports, decision);
        plan.add(line, now);
    }
    plan
}

/// The tasks that are here and not wanted: containers, and work under way.
///
/// `wanted_containers` is how many containers wanted tasks have. In the usual case those are all there are,
/// which can be seen without reading a label.
fn unwanted<'a>(
    desired: &Desired,
    observed: &'a Observed,
    wanted_containers: usize,
) -> Vec<(JobId, Option<&'a Container>)> {
    let wanted = |id: &JobId| {
        desired
            .tasks
            .get(id)
            .is_some_and(|task| task.goal != Goal::Undeploy)
    };
    let containers = observed.containers.as_ref();
    let containers = containers.filter(|containers| containers.len() > wanted_containers);
    let mut found: Vec<_> = containers
        .iter()
        .flat_map(|containers| containers.iter())
        .filter(|container| !is_kept(container))
        .filter_map(|container| Some((container_spec::job_of(container)?, Some(container))))
        .filter(|(id, _)| !wanted(id))
        .collect();
    let with_container: BTreeSet<_> = found.iter().map(|(id, _)| id.clone()).collect();
    let at_work = observed.memories.iter().filter(|(id, memory)| {
        memory.under_way.is_some() && !wanted(id) && !with_container.contains(*id)
    });
    found.extend(at_work.map(|(id, _)| (id.clone(), None)));
    found
}
