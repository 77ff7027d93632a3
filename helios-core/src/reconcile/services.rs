//! Which services ought to be registered.

use std::collections::BTreeMap;

use crate::model::{HealthCheck, Job, TaskState};
use crate::registrar::{Endpoint, HealthHint, Services};

use super::{Desired, Observed, Plan, Policy, TaskPlan, Waiting};

/// What ought to be registered now; `None` while the engine cannot be read, for then nobody knows.
///
/// A task is registered while it runs and is well. One that is to be stopped is not, so that it can be left alone
/// before it ends. Of a container that was adopted and not looked at yet, and of what no goal is known for,
/// nothing is said: a restart of the agent takes no service out.
#[must_use]
pub fn services(desired: &Desired, observed: &Observed, plan: &Plan) -> Option<Services> {
    observed.containers.as_ref()?;
    let mut services = Services::default();
    for line in &plan.tasks {
        let task = desired.tasks.get(&line.job);
        let runs = line.report.state == TaskState::Running && line.action.is_none();
        match task {
            Some(task) if runs => {
                let endpoints = endpoints(&task.job, &line.report.ports, &desired.policy);
                if !endpoints.is_empty() {
                    services.endpoints.insert(line.job.clone(), endpoints);
                }
            }
            _ if line.waiting == Some(Waiting::ForGoals) || is_unseen(line, desired, observed) => {
                services.undecided.insert(line.job.clone());
            }
            _ => {}
        }
    }
    Some(services)
}

/// Whether its container was adopted, and not looked at often enough to say that it is not well.
fn is_unseen(line: &TaskPlan, desired: &Desired, observed: &Observed) -> bool {
    let memory = observed.memories.get(&line.job);
    let health = memory.and_then(|memory| memory.health.as_ref());
    let is_adopted = memory.is_some_and(|memory| memory.starts == 0);
    let failures_max = desired.policy.health.failures_max;
    line.report.state == TaskState::Healthchecking
        && line.action.is_none()
        && is_adopted
        && health.is_some_and(|health| !health.well && health.failures < failures_max)
}

fn endpoints(job: &Job, ports: &BTreeMap<String, u16>, policy: &Policy) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for (service, of_service) in &job.registration {
        for (port_name, parameters) in of_service.ports.iter().flatten() {
            // A port that the job does not have cannot be registered.
            let Some(port) = ports.get(port_name) else {
                continue;
            };
            endpoints.push(Endpoint {
                name: service.name().to_owned(),
                protocol: service.protocol().to_owned(),
                host: policy.host.clone(),
                port: *port,
                port_name: port_name.clone(),
                domain: domain(&job.registration_domain, &policy.domain),
                tags: parameters
                    .as_ref()
                    .and_then(|parameters| parameters.tags.clone())
                    .unwrap_or_default(),
                health: job
                    .health_check
                    .as_ref()
                    .and_then(|check| hint(check, port_name)),
            });
        }
    }
    endpoints
}

/// The job's domain if it is absolute, else below that of the agent.
fn domain(of_job: &str, of_agent: &str) -> String {
    match (of_job, of_agent) {
        ("", domain) | (domain, "") => domain.to_owned(),
        (absolute, _) if absolute.ends_with('.') => absolute.to_owned(),
        (relative, parent) => format!("{relative}.{parent}"),
    }
}

/// How a registry can look at that port, if the job's check looks at it.
fn hint(check: &HealthCheck, port_name: &str) -> Option<HealthHint> {
    match check {
        HealthCheck::Http { path, port } if port.as_deref() == Some(port_name) => {
            Some(HealthHint::Http {
                path: path.clone().unwrap_or_default(),
            })
        }
        HealthCheck::Tcp { port } if port.as_deref() == Some(port_name) => Some(HealthHint::Tcp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_jobs_or_below_the_agents() {
        for (of_job, of_agent, expected) in [
            ("", "", ""),
            ("", "site.net", "site.net"),
            ("team", "", "team"),
            ("team", "site.net", "team.site.net"),
            ("team.net.", "site.net", "team.net."),
        ] {
            assert_eq!(domain(of_job, of_agent), expected);
        }
    }
}
