//! What is deployed.

mod setters;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::number_text::quote_odd_numbers;
use super::redacted::{Redacted, RedactedValues};
use super::{
    Capabilities, HealthCheck, JobId, ParseError, PortMapping, ReadError, Resources,
    RolloutOptions, ServiceEndpoint, ServicePorts,
};
use crate::time::Timestamp;

/// What is deployed: an image and everything a host needs to know to run it.
///
/// A job never changes: its id ends in a hash of its content, so another content is another job.
/// All members are public data. Start with [`Job::new`], add with the methods of the same names, and
/// finish with [`with_computed_id`](Job::with_computed_id).
///
/// ```
/// use helios_core::model::{HealthCheck, Job, PortMapping};
///
/// let job = Job::new("web:1", "nginx:1.27")?
///     .port("http", PortMapping::tcp(8080))
///     .env("MODE", "live")
///     .health_check(HealthCheck::http("http", "/health"))
///     .with_computed_id();
/// assert!(job.id.is_fully_qualified());
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
///
/// In JSON a job has always all of its members, in the order below, also those that are null.
/// [`Job::from_json`] reads them in any order, and null or nothing means empty.
///
/// ```
/// # use helios_core::model::Job;
/// let job = Job::from_json(r#"{"id":"web:1","image":"nginx","env":{"WORKERS":4}}"#)?;
/// assert_eq!(job.env["WORKERS"], "4");
/// assert_eq!(Job::from_json(&serde_json::to_string(&job)?)?, job);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = needs_only_an_id))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Job {
    /// Name, version, and the hash of all that follows.
    pub id: JobId,
    /// The image to run. Can be absent in what is read; validation then refuses the job.
    pub image: Option<String>,
    /// The host name inside the container.
    pub hostname: Option<String>,
    /// When a master took the job in. Not part of the hash.
    pub created: Option<Timestamp>,
    /// Arguments for the image's entry point, or its command.
    pub command: Vec<String>,
    /// The environment of the container.
    pub env: BTreeMap<String, String>,
    /// Limits on what the container may use.
    pub resources: Option<Resources>,
    /// Ports by name. The names are what health checks and registrations refer to.
    pub ports: BTreeMap<String, PortMapping>,
    /// Names under which ports can be discovered.
    pub registration: BTreeMap<ServiceEndpoint, ServicePorts>,
    /// How long to wait between taking the job out of discovery and stopping it, in seconds.
    pub grace_period: Option<i32>,
    /// What is mounted: container path with optional `:ro` or `:rw`, to host path or volume name. An
    /// empty value is a new volume for every container.
    pub volumes: BTreeMap<String, String>,
    /// When the job is undeployed everywhere and removed.
    pub expires: Option<Timestamp>,
    /// The domain under which the job is registered; the agent's if empty.
    pub registration_domain: String,
    /// Who created the job. Not part of the hash.
    pub creating_user: Option<String>,
    /// A word that has to be repeated to deploy or remove the job. Guards against mistakes, not against
    /// people.
    pub token: String,
    /// How to find out that the container is ready.
    pub health_check: Option<HealthCheck>,
    /// Security options of the container engine.
    pub security_opt: Vec<String>,
    /// The network mode; the engine's default if absent.
    pub network_mode: Option<String>,
    /// Notes that nobody interprets.
    pub metadata: BTreeMap<String, String>,
    /// Linux capabilities to give in addition.
    pub add_capabilities: Capabilities,
    /// Linux capabilities to take away.
    pub drop_capabilities: Capabilities,
    /// Labels of the container.
    pub labels: BTreeMap<String, String>,
    /// How long the container may take to stop before it is killed, in seconds.
    pub seconds_to_wait_before_kill: Option<i32>,
    /// In-memory file systems: mount point to mount options.
    pub ramdisks: BTreeMap<String, String>,
    /// Wishes for rolling updates to this job.
    pub rollout_options: Option<RolloutOptions>,
    /// The runtime of the container engine to use.
    pub runtime: Option<String>,
}

/// What is left out of a job has its default.
#[cfg(feature = "schema")]
fn needs_only_an_id(schema: &mut schemars::Schema) {
    schema.insert("required".to_owned(), ["id"].into_iter().collect());
}

impl Job {
    /// A job that runs that image with nothing else set.
    ///
    /// # Errors
    /// When `id` is not `name:version` or `name:version:hash`.
    pub fn new(id: &str, image: impl Into<String>) -> Result<Self, ParseError> {
        Ok(Self {
            image: Some(image.into()),
            ..Self::blank(id.parse()?)
        })
    }

    fn blank(id: JobId) -> Self {
        Self {
            id,
            image: None,
            hostname: None,
            created: None,
            command: Vec::new(),
            env: BTreeMap::new(),
            resources: None,
            ports: BTreeMap::new(),
            registration: BTreeMap::new(),
            grace_period: None,
            volumes: BTreeMap::new(),
            expires: None,
            registration_domain: String::new(),
            creating_user: None,
            token: String::new(),
            health_check: None,
            security_opt: Vec::new(),
            network_mode: None,
            metadata: BTreeMap::new(),
            add_capabilities: Capabilities::default(),
            drop_capabilities: Capabilities::default(),
            labels: BTreeMap::new(),
            seconds_to_wait_before_kill: None,
            ramdisks: BTreeMap::new(),
            rollout_options: None,
            runtime: None,
        }
    }

    /// Reads a job from its JSON text, the way a request body or a job file gives it.
    ///
    /// Lenient: unknown members are ignored (see [`unknown_members`](super::unknown_members)), of equal
    /// members the last one wins, numbers and booleans count as text where text is wanted, and text as
    /// numbers. Prefer this to a general JSON reader for anything from outside: it keeps the text of
    /// numbers such as `1.50`, which job hashes depend on.
    ///
    /// # Errors
    /// When the text is no JSON object, the id is missing or malformed, a value has the wrong type, or
    /// null stands for a value in a list or map.
    pub fn from_json(json: &str) -> Result<Self, ReadError> {
        serde_json::from_str(&quote_odd_numbers(json)).map_err(|error| ReadError::new("job", error))
    }
}

read_members!(Job from Job::blank(JobId::missing()); then Job::require_id; {
    "id" => id,
    "image" => image,
    "hostname" => hostname,
    "created" => created,
    "command" => command,
    "env" => env,
    "resources" => resources,
    "ports" => ports,
    "registration" => registration,
    "gracePeriod" => grace_period,
    "volumes" => volumes,
    "expires" => expires,
    "registrationDomain" => registration_domain,
    "creatingUser" => creating_user,
    "token" => token,
    "healthCheck" => health_check,
    "securityOpt" => security_opt,
    "networkMode" => network_mode,
    "metadata" => metadata,
    "addCapabilities" => add_capabilities,
    "dropCapabilities" => drop_capabilities,
    "labels" => labels,
    "secondsToWaitBeforeKill" => seconds_to_wait_before_kill,
    "ramdisks" => ramdisks,
    "rolloutOptions" => rollout_options,
    "runtime" => runtime,
});

impl Job {
    fn require_id(self) -> Result<Self, &'static str> {
        if self.id.is_missing() {
            Err("the member id is missing: use \"id\":\"name:version\"")
        } else {
            Ok(self)
        }
    }
}

/// The values of `env` and the token are not shown.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("image", &self.image)
            .field("hostname", &self.hostname)
            .field("created", &self.created)
            .field("command", &self.command)
            .field("env", &RedactedValues(&self.env))
            .field("resources", &self.resources)
            .field("ports", &self.ports)
            .field("registration", &self.registration)
            .field("grace_period", &self.grace_period)
            .field("volumes", &self.volumes)
            .field("expires", &self.expires)
            .field("registration_domain", &self.registration_domain)
            .field("creating_user", &self.creating_user)
            .field("token", &Redacted(&self.token))
            .field("health_check", &self.health_check)
            .field("security_opt", &self.security_opt)
            .field("network_mode", &self.network_mode)
            .field("metadata", &self.metadata)
            .field("add_capabilities", &self.add_capabilities)
            .field("drop_capabilities", &self.drop_capabilities)
            .field("labels", &self.labels)
            .field(
                "seconds_to_wait_before_kill",
                &self.seconds_to_wait_before_kill,
            )
            .field("ramdisks", &self.ramdisks)
            .field("rollout_options", &self.rollout_options)
            .field("runtime", &self.runtime)
            .finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
