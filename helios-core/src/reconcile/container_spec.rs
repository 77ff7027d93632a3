//! From a job to the container that runs it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{IpLiteral, Job, JobId, PortMapping};
use crate::runtime::{
    Container, ContainerSpec, LogDriver, Mount, MountSource, Protocol, PublishedPort,
};

use super::Policy;

/// The label that names the job of a container.
pub const JOB_LABEL: &str = "helios.job";

/// With the name of a port, the label that keeps the host port of a container.
pub const PORT_LABEL_PREFIX: &str = "helios.port.";

/// The label that keeps how many seconds the process has between SIGTERM and SIGKILL, so that an agent
/// that was not there when its job was undeployed still stops it as the job wanted.
pub const KILL_AFTER_LABEL: &str = "helios.kill-after-seconds";

/// The label that keeps how many seconds lie between the end of the registration of its services and SIGTERM;
/// there is none on a container that has neither services nor such a time.
pub const GRACE_LABEL: &str = "helios.grace-seconds";

/// The entry of a job's metadata that says which container runs after one ended: [`SAME_CONTAINER`], or a fresh one.
pub const RESTART_METADATA: &str = "helios.restart";

/// The value of [`RESTART_METADATA`] for a job whose container is started again as it is.
pub const SAME_CONTAINER: &str = "same";

/// How many bytes of a job's name and version go into a container's name.
const NAME_BYTES_MAX: usize = 60;

/// The name of the one container that `job` can have in a namespace:
/// `<namespace>-<name>_<version>_<first 12 of the hash>`, what an engine does not allow in a name
/// replaced by `_`.
///
/// Because the name follows from the job, the engine itself refuses a second container.
#[must_use]
pub fn container_name(namespace: &str, job: &JobId) -> String {
    let legal = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let part = |text: &str| {
        text.chars()
            .map(legal)
            .take(NAME_BYTES_MAX)
            .collect::<String>()
    };
    let hash: String = job.hash().unwrap_or_default().chars().take(12).collect();
    let version = job.version();
    format!(
        "{}-{}_{}_{hash}",
        part(namespace),
        part(job.name()),
        part(version)
    )
}

/// The job a container says it runs, if it says so legibly.
pub(super) fn job_of(container: &Container) -> Option<JobId> {
    container.labels.get(JOB_LABEL)?.parse().ok()
}

/// The host ports a container says it has.
pub(super) fn ports_of(container: &Container) -> BTreeMap<String, u16> {
    let port = |(label, port): (&String, &String)| {
        Some((
            label.strip_prefix(PORT_LABEL_PREFIX)?.to_owned(),
            port.parse().ok()?,
        ))
    };
    container.labels.iter().filter_map(port).collect()
}

/// How long the process of `job` has between SIGTERM and SIGKILL.
pub(super) fn kill_after(job: &Job, policy: &Policy) -> Duration {
    let seconds = job
        .seconds_to_wait_before_kill
        .and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(policy.kill_after, Duration::from_secs)
}

/// The same of a container whose job is not at hand.
pub(super) fn kill_after_of(container: &Container, policy: &Policy) -> Duration {
    let seconds = container
        .labels
        .get(KILL_AFTER_LABEL)
        .and_then(|seconds| seconds.parse().ok());
    seconds.map_or(policy.kill_after, Duration::from_secs)
}

/// How long the services of `job` are out of the registry before it is stopped; `None` if it has none, and need
/// not wait.
pub(super) fn grace(job: &Job) -> Option<Duration> {
    let seconds = job
        .grace_period
        .and_then(|seconds| u64::try_from(seconds).ok());
    let seconds = seconds.filter(|seconds| *seconds > 0);
    let has_services = !job.registration.is_empty();
    match seconds {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => has_services.then_some(Duration::ZERO),
    }
}

/// The same of a container whose job is not at hand.
pub(super) fn grace_of(container: &Container) -> Option<Duration> {
    let seconds = container.labels.get(GRACE_LABEL)?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Everything the runtime needs to make the container of `job` with these host ports.
#[must_use]
pub fn container_spec(job: &Job, ports: &BTreeMap<String, u16>, policy: &Policy) -> ContainerSpec {
    let resources = job.resources.as_ref();
    let mut labels = job.labels.clone();
    labels.insert(JOB_LABEL.to_owned(), job.id.to_string());
    labels.extend(
        ports
            .iter()
            .map(|(name, port)| (format!("{PORT_LABEL_PREFIX}{name}"), port.to_string())),
    );
    labels.insert(
        KILL_AFTER_LABEL.to_owned(),
        kill_after(job, policy).as_secs().to_string(),
    );
    if let Some(grace) = grace(job) {
        labels.insert(GRACE_LABEL.to_owned(), grace.as_secs().to_string());
    }
    ContainerSpec {
        name: container_name(&policy.namespace, &job.id),
        image: job.image.clone().unwrap_or_default(),
        command: job.command.clone(),
        env: owned(environment(
            &policy.environment,
            &policy.host,
            ports.iter().map(|(name, port)| (name, *port)),
            job,
        )),
        labels,
        ports: published(job, ports),
        mounts: mounts(job, policy),
        hostname: job.hostname.clone().filter(|name| !name.is_empty()),
        network_mode: job.network_mode.clone(),
        memory_bytes: resources.and_then(|r| r.memory),
        memory_swap_bytes: resources.and_then(|r| r.memory_swap),
        cpu_shares: resources.and_then(|r| r.cpu_shares),
        cpuset: resources.and_then(|r| r.cpuset.clone()),
        add_capabilities: job.add_capabilities.iter().map(ToOwned::to_owned).collect(),
        drop_capabilities: job
            .drop_capabilities
            .iter()
            .map(ToOwned::to_owned)
            .collect(),
        security_options: job.security_opt.clone(),
        runtime: job.runtime.clone().filter(|name| !name.is_empty()),
        dns: policy.dns.iter().map(ToString::to_string).collect(),
        extra_hosts: policy.extra_hosts.clone(),
        log_driver: policy
            .syslog
            .as_ref()
            .map(|address| syslog(address, &job.id)),
    }
}

/// As the original does: by UDP, of the first local facility, and told apart by the job.
fn syslog(address: &str, job: &JobId) -> LogDriver {
    let options = [
        ("syslog-address", format!("udp://{address}")),
        ("syslog-facility", "local0".to_owned()),
        ("tag", job.to_string()),
    ];
    LogDriver {
        name: "syslog".to_owned(),
        options: options.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

/// The environment of a container of `job` on `host`: what the agent gives to all of them, then where its ports
/// are, then the job's own. The last word wins.
#[must_use]
pub fn environment<'a>(
    of_agent: &'a BTreeMap<String, String>,
    host: &str,
    ports: impl IntoIterator<Item = (&'a String, u16)>,
    job: &'a Job,
) -> BTreeMap<Cow<'a, str>, Cow<'a, str>> {
    fn borrowed<'a>((name, value): (&'a String, &'a String)) -> (Cow<'a, str>, Cow<'a, str>) {
        (Cow::from(name), Cow::from(value))
    }
    let told = |(name, port): (&String, u16)| {
        let name = format!("HELIOS_PORT_{name}");
        (Cow::from(name), Cow::from(format!("{host}:{port}")))
    };
    let mut env: BTreeMap<_, _> = of_agent.iter().map(borrowed).collect();
    env.extend(ports.into_iter().map(told));
    env.extend(job.env.iter().map(borrowed));
    env
}

fn owned(env: BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> BTreeMap<String, String> {
    let entry =
        |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
    env.into_iter().map(entry).collect()
}

/// Whether the job's container has the network of the host, or of another container.
pub(super) fn shares_network(job: &Job) -> bool {
    let shared = |mode: &str| mode == "host" || mode.starts_with("container:");
    job.network_mode.as_deref().is_some_and(shared)
}

/// The ports to open; none for a container that shares the network of the host or of another one.
fn published(job: &Job, ports: &BTreeMap<String, u16>) -> Vec<PublishedPort> {
    if shares_network(job) {
        return Vec::new();
    }
    let publish = |(name, mapping): (&String, &PortMapping)| {
        Some(PublishedPort {
            container_port: u16::try_from(mapping.internal_port).ok()?,
            host_port: *ports.get(name)?,
            host_ip: mapping.ip.as_ref().map(IpLiteral::address),
            protocol: protocol(mapping),
        })
    };
    job.ports.iter().filter_map(publish).collect()
}

pub(crate) fn protocol(mapping: &PortMapping) -> Protocol {
    if mapping.protocol == "udp" {
        Protocol::Udp
    } else {
        Protocol::Tcp
    }
}

fn mounts(job: &Job, policy: &Policy) -> Vec<Mount> {
    let volumes = job.volumes.iter().map(|(path, source)| {
        let (path, options) = match path.split_once(':') {
            Some((path, options)) => (path.to_owned(), Some(options.to_owned())),
            None => (path.clone(), None),
        };
        let source = match source.as_str() {
            "" => MountSource::Anonymous,
            source => MountSource::Bind(source.to_owned()),
        };
        Mount {
            path,
            source,
            options,
        }
    });
    let ramdisks = job.ramdisks.iter().map(|(path, options)| Mount {
        path: path.clone(),
        source: MountSource::Tmpfs,
        options: Some(options.clone()).filter(|options| !options.is_empty()),
    });
    let binds = policy.binds.iter().map(|bind| {
        let mut parts = bind.splitn(3, ':');
        let from = parts.next().unwrap_or_default().to_owned();
        Mount {
            path: parts.next().map_or_else(|| from.clone(), ToOwned::to_owned),
            source: MountSource::Bind(from),
            options: parts.next().map(ToOwned::to_owned),
        }
    });
    volumes.chain(ramdisks).chain(binds).collect()
}
