//! Making jobs: one method for each member, under the member's name.

use super::Job;
use crate::model::{
    HealthCheck, PortMapping, Resources, RolloutOptions, ServiceEndpoint, ServicePorts,
};
use crate::time::Timestamp;

impl Job {
    /// Runs with those arguments.
    #[must_use]
    pub fn command<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.command = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Makes a port reachable, and gives it a name.
    #[must_use]
    pub fn port(mut self, name: impl Into<String>, mapping: PortMapping) -> Self {
        self.ports.insert(name.into(), mapping);
        self
    }

    /// Registers ports for discovery.
    #[must_use]
    pub fn register(mut self, endpoint: ServiceEndpoint, ports: ServicePorts) -> Self {
        self.registration.insert(endpoint, ports);
        self
    }

    /// Mounts a host path or named volume; an empty `source` is a new volume for every container.
    #[must_use]
    pub fn volume(mut self, container_path: impl Into<String>, source: impl Into<String>) -> Self {
        self.volumes.insert(container_path.into(), source.into());
        self
    }

    /// Mounts an in-memory file system with those mount options.
    #[must_use]
    pub fn ramdisk(mut self, mount_point: impl Into<String>, options: impl Into<String>) -> Self {
        self.ramdisks.insert(mount_point.into(), options.into());
        self
    }

    /// Labels the container.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Adds a note that nobody interprets.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Is ready when that check passes.
    #[must_use]
    pub fn health_check(mut self, check: HealthCheck) -> Self {
        self.health_check = Some(check);
        self
    }

    /// May use no more than that.
    #[must_use]
    pub fn resources(mut self, resources: Resources) -> Self {
        self.resources = Some(resources);
        self
    }

    /// Is undeployed and removed at that time.
    #[must_use]
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Waits that many seconds between leaving discovery and being stopped.
    #[must_use]
    pub fn grace_period(mut self, seconds: i32) -> Self {
        self.grace_period = Some(seconds);
        self
    }

    /// May take that many seconds to stop before it is killed.
    #[must_use]
    pub fn seconds_to_wait_before_kill(mut self, seconds: i32) -> Self {
        self.seconds_to_wait_before_kill = Some(seconds);
        self
    }

    /// Can be deployed and removed only by those who repeat that word.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Is rolled out with those wishes unless a rolling update says otherwise.
    #[must_use]
    pub fn rollout_options(mut self, options: RolloutOptions) -> Self {
        self.rollout_options = Some(options);
        self
    }

    /// Gets those Linux capabilities in addition.
    #[must_use]
    pub fn add_capabilities<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.add_capabilities.extend(names);
        self
    }

    /// Loses those Linux capabilities.
    #[must_use]
    pub fn drop_capabilities<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        self.drop_capabilities.extend(names);
        self
    }

    /// Is called that inside the container.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.hostname = Some(name.into());
        self
    }

    /// Uses that network mode: `bridge`, `host` or `container:<name>`.
    #[must_use]
    pub fn network_mode(mut self, mode: impl Into<String>) -> Self {
        self.network_mode = Some(mode.into());
        self
    }

    /// Uses that runtime of the container engine.
    #[must_use]
    pub fn runtime(mut self, runtime: impl Into<String>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// Adds a security option of the container engine.
    #[must_use]
    pub fn security_opt(mut self, option: impl Into<String>) -> Self {
        self.security_opt.push(option.into());
        self
    }

    /// Is registered under that domain instead of the agent's.
    #[must_use]
    pub fn registration_domain(mut self, domain: impl Into<String>) -> Self {
        self.registration_domain = domain.into();
        self
    }
}
