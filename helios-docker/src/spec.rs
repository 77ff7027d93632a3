//! From a container's spec to what Docker's API takes.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, PortBinding, PortMap, RestartPolicy,
    RestartPolicyNameEnum,
};
use helios_core::runtime::{
    ContainerSpec, MountSource, Owner, PublishedPort, RuntimeError, RuntimeErrorKind,
};

use crate::labels;

/// The body of a create.
///
/// # Errors
/// `BadSpec` for what Docker would take without a word and then not do.
pub(crate) fn create_body(
    owner: &Owner,
    spec: &ContainerSpec,
) -> Result<ContainerCreateBody, RuntimeError> {
    // Docker creates a container of no image, and fails to start it.
    if spec.image.is_empty() {
        return Err(RuntimeError::new(
            RuntimeErrorKind::BadSpec,
            format!("container {:?} has no image: name one", spec.name),
        ));
    }
    // Docker gives a container without a name one of its own making.
    if spec.name.is_empty() {
        return Err(RuntimeError::new(
            RuntimeErrorKind::BadSpec,
            format!("a container of {:?} has no name: give it one", spec.image),
        ));
    }
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: some(spec.command.clone()),
        env: some(
            spec.env
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        ),
        hostname: spec.hostname.clone(),
        labels: Some(labels::write(owner, spec)?),
        exposed_ports: some(spec.ports.iter().map(inside).collect()),
        volumes: some(
            spec.mounts
                .iter()
                .filter(|mount| mount.source == MountSource::Anonymous)
                .map(|mount| mount.path.clone())
                .collect(),
        ),
        host_config: Some(host_config(spec)),
        ..ContainerCreateBody::default()
    })
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    HostConfig {
        port_bindings: port_bindings(&spec.ports),
        binds: some(binds(spec)),
        tmpfs: tmpfs(spec),
        network_mode: spec.network_mode.clone(),
        memory: spec.memory_bytes,
        memory_swap: spec.memory_swap_bytes,
        cpu_shares: spec.cpu_shares,
        cpuset_cpus: spec.cpuset.clone(),
        cap_add: some(spec.add_capabilities.iter().cloned().collect()),
        cap_drop: some(spec.drop_capabilities.iter().cloned().collect()),
        security_opt: some(spec.security_options.clone()),
        runtime: spec.runtime.clone(),
        dns: some(spec.dns.clone()),
        extra_hosts: some(spec.extra_hosts.clone()),
        log_config: spec.log_driver.as_ref().map(|driver| HostConfigLogConfig {
            typ: Some(driver.name.clone()),
            config: Some(driver.options.clone().into_iter().collect()),
        }),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

fn inside(port: &PublishedPort) -> String {
    format!("{}/{}", port.container_port, port.protocol)
}

fn port_bindings(ports: &[PublishedPort]) -> Option<PortMap> {
    let mut bindings: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
    for port in ports {
        bindings.entry(inside(port)).or_default().push(PortBinding {
            host_ip: port.host_ip.map(|ip| ip.to_string()),
            host_port: Some(port.host_port.to_string()),
        });
    }
    let bindings: HashMap<_, _> = bindings
        .into_iter()
        .map(|(port, bound)| (port, Some(bound)))
        .collect();
    (!bindings.is_empty()).then_some(bindings)
}

fn binds(spec: &ContainerSpec) -> Vec<String> {
    let bind = |mount: &helios_core::runtime::Mount| match (&mount.source, &mount.options) {
        (MountSource::Bind(source), None) => Some(format!("{source}:{}", mount.path)),
        (MountSource::Bind(source), Some(options)) => {
            Some(format!("{source}:{}:{options}", mount.path))
        }
        (MountSource::Anonymous | MountSource::Tmpfs, _) => None,
    };
    spec.mounts.iter().filter_map(bind).collect()
}

fn tmpfs(spec: &ContainerSpec) -> Option<HashMap<String, String>> {
    let tmpfs: HashMap<_, _> = spec
        .mounts
        .iter()
        .filter(|mount| mount.source == MountSource::Tmpfs)
        .map(|mount| {
            (
                mount.path.clone(),
                mount.options.clone().unwrap_or_default(),
            )
        })
        .collect();
    (!tmpfs.is_empty()).then_some(tmpfs)
}

/// Docker distinguishes an empty list from none, as in a command: none is the image's own.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests;
