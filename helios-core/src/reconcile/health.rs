//! Whether a running container is well.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::model::{HealthCheck, Job};
use crate::runtime::{Container, ContainerId, ProbeTarget};
use crate::time::Moment;

use super::Policy;
use super::container_spec::shares_network;

/// How often containers are looked at, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// The time between two looks at a container that is well.
    pub interval: Duration,
    /// The time between two looks at one that is not, or not yet.
    pub retry: Duration,
    /// How long one look may take.
    pub timeout: Duration,
    /// How many looks in a row must fail before a container that was well counts as unwell.
    pub failures_max: u32,
    /// After how many failed looks in a row a container is stopped and replaced; `None` for never.
    pub replace_after: Option<u32>,
    /// How long after its start a container may be unwell without being replaced.
    pub start_period: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            retry: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            failures_max: 3,
            replace_after: None,
            start_period: Duration::from_secs(60),
        }
    }
}

/// What is known of the health of one container.
///
/// It begins with its start, or with that of the agent: what was looked at before is looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The container.
    pub container: ContainerId,
    /// Whether it counts as well.
    pub well: bool,
    /// How many looks in a row failed.
    pub failures: u32,
    /// When it is looked at next.
    pub next: Moment,
    /// Whether somebody is looking now.
    pub looking: bool,
    /// What the last failed look saw; empty after a good one.
    pub error: String,
}

/// A look that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// At which container.
    pub container: ContainerId,
    /// How.
    pub target: ProbeTarget,
    /// For how long at most.
    pub timeout: Duration,
}

impl Health {
    pub(super) fn unknown(container: ContainerId, now: Moment) -> Self {
        Self {
            container,
            well: false,
            failures: 0,
            next: now,
            looking: false,
            error: String::new(),
        }
    }

    pub(super) fn looked(&mut self, outcome: Result<(), &str>, policy: &HealthPolicy, now: Moment) {
        self.looking = false;
        match outcome {
            Ok(()) => {
                (self.well, self.failures) = (true, 0);
                self.error.clear();
                self.next = now.plus(policy.interval);
            }
            Err(seen) => {
                self.failures = self.failures.saturating_add(1);
                seen.clone_into(&mut self.error);
                self.well &= self.failures < policy.failures_max;
                self.next = now.plus(policy.retry);
            }
        }
    }

    /// Whether the container should be replaced for being unwell.
    pub(super) fn is_hopeless(&self, since: Moment, policy: &HealthPolicy, now: Moment) -> bool {
        policy
            .replace_after
            .is_some_and(|most| self.failures >= most)
            && now.since(since) >= policy.start_period
    }

    /// The look at `job` that is due now.
    ///
    /// # Errors
    /// Why its check cannot be made.
    pub(super) fn look(
        &self,
        job: &Job,
        container: &Container,
        ports: Option<&BTreeMap<String, u16>>,
        policy: &Policy,
    ) -> Result<Look, String> {
        let Some(check) = &job.health_check else {
            return Err("it has no health check".to_owned());
        };
        Ok(Look {
            container: self.container.clone(),
            target: target(check, job, container, ports)?,
            timeout: policy.health.timeout,
        })
    }
}

fn target(
    check: &HealthCheck,
    job: &Job,
    container: &Container,
    ports: Option<&BTreeMap<String, u16>>,
) -> Result<ProbeTarget, String> {
    let at =
        |port: &Option<String>| address(port.as_deref().unwrap_or_default(), job, container, ports);
    Ok(match check {
        HealthCheck::Http { path, port } => {
            let path = path.clone().unwrap_or_default();
            let path = if path.starts_with('/') {
                path
            } else {
                format!("/{path}")
            };
            ProbeTarget::Http {
                address: at(port)?,
                path,
            }
        }
        HealthCheck::Tcp { port } => ProbeTarget::Tcp { address: at(port)? },
        HealthCheck::Exec { command } => ProbeTarget::Exec {
            command: command.clone(),
        },
    })
}

/// Where a port can be looked at: at the container itself, since an engine's proxy in front of a published
/// port accepts connections whether or not anybody listens behind it.
fn address(
    name: &str,
    job: &Job,
    container: &Container,
    ports: Option<&BTreeMap<String, u16>>,
) -> Result<SocketAddr, String> {
    let lacks = || format!("its health check is on port {name:?}, which it does not have");
    let mapping = job.ports.get(name).ok_or_else(lacks)?;
    if shares_network(job) {
        let port = ports.and_then(|ports| ports.get(name)).ok_or_else(lacks)?;
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), *port));
    }
    let port = u16::try_from(mapping.internal_port).map_err(|_| lacks())?;
    let ip = container.ip.ok_or("its container has no address yet")?;
    Ok(SocketAddr::new(ip, port))
}
