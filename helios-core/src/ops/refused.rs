//! Why something was not done.

use std::fmt;

use thiserror::Error;

use crate::model::{HostName, JobId, Violation};

/// Why something that was asked for is not done. Nothing was changed.
///
/// The message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The job breaks rules; all of them are listed.
    #[error("job {id} cannot be created: {}", List(violations))]
    InvalidJob {
        /// The job.
        id: JobId,
        /// The rules it breaks, each with what would be right.
        violations: Vec<Violation>,
    },
    /// The name and version are taken, by this job or by another content.
    #[error("{} exists already, as {by}: use another version, or remove that one", id.without_hash())]
    JobAlreadyExists {
        /// The job that was to be created.
        id: JobId,
        /// The job that has its name and version.
        by: JobId,
    },
    /// There is no such job.
    #[error("there is no job {job}: create it, or look for its id among the jobs there are")]
    JobNotFound {
        /// The job that was asked for.
        job: JobId,
    },
    /// The given token is not the job's.
    #[error("the token is not that of job {job}: {}", if *has_token { "give the token the job was created with" } else { "the job has none, so give none" })]
    Forbidden {
        /// The job.
        job: JobId,
        /// Whether the job has a token at all.
        has_token: bool,
    },
    /// There is no such host.
    #[error("host {host} is not registered: check its name, or start an agent on it")]
    HostNotFound {
        /// The host that was asked for.
        host: HostName,
    },
    /// The job is on the host already, with whatever goal.
    #[error("job {job} is deployed on host {host} already: set its goal, or undeploy it first")]
    AlreadyDeployed {
        /// The job.
        job: JobId,
        /// The host.
        host: HostName,
    },
    /// The job is not on the host.
    #[error("job {job} is not deployed on host {host}: deploy it there first")]
    NotDeployed {
        /// The job.
        job: JobId,
        /// The host.
        host: HostName,
    },
    /// What is wanted of the job on the host now cannot be read, so it cannot be changed.
    #[error(
        "the goal of job {job} on host {host} cannot be read ({why}): undeploy the job there, and deploy it again"
    )]
    GoalUnread {
        /// The job.
        job: JobId,
        /// The host.
        host: HostName,
        /// Why it cannot be read.
        why: String,
    },
    /// Another job of the host has a port that the job asks for by number.
    #[error(
        "port {port}/{protocol} of host {host} belongs to job {job}: undeploy that one, or use another \
         port"
    )]
    PortConflict {
        /// The host.
        host: HostName,
        /// The external port.
        port: u16,
        /// `tcp` or `udp`.
        protocol: String,
        /// The job that has it.
        job: JobId,
    },
    /// The job is deployed somewhere.
    #[error(
        "job {job} is still deployed on {}: undeploy it there first",
        List(hosts)
    )]
    StillInUse {
        /// The job.
        job: JobId,
        /// Where it is deployed.
        hosts: Vec<HostName>,
    },
    /// Another agent has the host's name.
    #[error(
        "host {host} belongs to agent {by}: use another name, or deregister the host if that agent is \
         gone for good"
    )]
    HostTaken {
        /// The host.
        host: HostName,
        /// The id of the agent that has the name.
        by: String,
    },
    /// Somebody else drains the host.
    #[error("host {host} is drained by {by} already: wait until that is done, or end it")]
    HostDrained {
        /// The host.
        host: HostName,
        /// Who drains it.
        by: String,
    },
    /// The store is not, or not any more, the cluster's that the change is for.
    #[error(
        "host {host} was to be registered in cluster {own}, and the store {}: check the store's address, \
         or give the agent an empty state directory",
        match found { Some(found) => format!("belongs to cluster {found}"), None => "belongs to none".to_owned() }
    )]
    OtherCluster {
        /// The host.
        host: HostName,
        /// The cluster that was meant.
        own: String,
        /// The one the store belongs to, if it does to one.
        found: Option<String>,
    },
    /// A host cannot be registered for an agent without an id.
    #[error("host {host} cannot be registered without an agent id: give the id of its agent")]
    NoAgentId {
        /// The host.
        host: HostName,
    },
}

/// The most items that a message lists.
const LISTED_MAX: usize = 10;

/// Items for people: the first few, and how many more there are.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().take(LISTED_MAX).enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{item}")?;
        }
        match self.0.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
