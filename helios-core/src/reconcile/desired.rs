//! What should run on this host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Goal, Job, JobId};

use super::backoff::spread;
use super::{Backoff, Flapping, HealthPolicy, KeepDead, container_name};

/// What should run, and by which rules.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The tasks by job.
    pub tasks: BTreeMap<JobId, Task>,
    /// Whether the tasks are all there are, as they are wanted now. Only then is anything stopped: an agent that
    /// has not read its goals since it started stops nothing.
    pub complete: bool,
    /// The jobs whose goals were found and cannot be read. What is here of them and not among the tasks is left alone.
    pub unread: BTreeSet<JobId>,
    /// The rules of this agent.
    pub policy: Arc<Policy>,
}

/// A job with its goal on this host.
#[derive(Clone, Debug)]
pub struct Task {
    /// The job.
    pub job: Arc<Job>,
    /// What is wanted of it.
    pub goal: Goal,
    /// The name of its container.
    pub container: String,
}

/// How an agent runs its tasks.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The host's name, which containers are told.
    pub host: String,
    /// The prefix of container names, which must be the agent's own.
    pub namespace: String,
    /// Environment for every container; the job's own wins.
    pub environment: BTreeMap<String, String>,
    /// Ports to choose from for jobs that do not name theirs.
    pub port_range: Range<u16>,
    /// The domain that services are registered under.
    pub domain: String,
    /// Name servers for every container.
    pub dns: Vec<IpAddr>,
    /// Binds for every container, as `/from:/to:ro`.
    pub binds: Vec<String>,
    /// More hosts for every container, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// The syslog that gets what every container writes, by UDP: `host:port`.
    pub syslog: Option<String>,
    /// How long a process has between SIGTERM and SIGKILL, unless its job says otherwise.
    pub kill_after: Duration,
    /// How long to wait after failures.
    pub backoff: Backoff,
    /// When a task that keeps dying is held back.
    pub flapping: Flapping,
    /// How containers are looked at whose jobs have a health check.
    pub health: HealthPolicy,
    /// Which dead containers are kept.
    pub keep_dead: KeepDead,
    /// How long to wait before an unknown image is asked for again: that long on average over all hosts.
    pub image_missing_delay: Duration,
    /// How long to wait after a registry did not give an image: that long on average over all hosts.
    pub pull_failed_delay: Duration,
}

impl Desired {
    /// Nothing wanted, and that is all.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            tasks: BTreeMap::new(),
            complete: true,
            unread: BTreeSet::new(),
            policy: Arc::new(policy),
        }
    }

    /// This, and that job with that goal.
    #[must_use]
    pub fn with(mut self, job: impl Into<Arc<Job>>, goal: Goal) -> Self {
        let job = job.into();
        let container = container_name(&self.policy.namespace, &job.id);
        self.tasks.insert(
            job.id.clone(),
            Task {
                job,
                goal,
                container,
            },
        );
        self
    }
}

impl Policy {
    /// The usual rules for the host of that name.
    #[must_use]
    pub fn for_host(host: impl Into<String>) -> Self {
        let host = host.into();
        Self {
            namespace: "helios".to_owned(),
            host,
            environment: BTreeMap::new(),
            port_range: 20_000..32_768,
            domain: String::new(),
            dns: Vec::new(),
            binds: Vec::new(),
            extra_hosts: Vec::new(),
            syslog: None,
            kill_after: Duration::from_secs(120),
            backoff: Backoff::default(),
            flapping: Flapping::default(),
            health: HealthPolicy::default(),
            keep_dead: KeepDead::default(),
            image_missing_delay: Duration::from_secs(120),
            pull_failed_delay: Duration::from_secs(30),
        }
    }

    /// How long a task is held back after its failure of that number, counted from 0.
    pub(super) fn delay(&self, job: &JobId, attempt: u32) -> Duration {
        self.backoff.delay(&self.whose(job), attempt)
    }

    /// About as long as `plain`, and on each host a little different.
    pub(super) fn spread(&self, job: &JobId, plain: Duration) -> Duration {
        spread(plain, &self.whose(job), 0)
    }

    /// Of whom the jitter is: what thousands of hosts failed at together they try again at different times.
    fn whose(&self, job: &JobId) -> String {
        format!("{}/{job}", self.host)
    }
}
