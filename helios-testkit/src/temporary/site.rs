//! The seam between a test and what runs its jobs.

use std::fmt;

use async_trait::async_trait;
use helios_core::{HostName, Job, JobId};

use super::error::TemporaryError;
use super::prefix::Prefix;
use super::sight::Sight;

/// What runs the jobs of a test: a cluster that is at hand, or a master that is asked.
///
/// The calls are made one after the other for one job, and for several jobs at a time. Those that take something
/// away may be repeated.
#[async_trait]
pub(super) trait Site: fmt::Debug + Send + Sync + 'static {
    /// The host that the jobs of a test go to: the one that is named, or one that is up, the same for all jobs of a
    /// prefix and different ones for different prefixes.
    async fn host(&self, named: Option<&str>, prefix: &Prefix) -> Result<HostName, TemporaryError>;

    /// Creates the job.
    async fn create(&self, job: Job) -> Result<JobId, TemporaryError>;

    /// Deploys it.
    async fn deploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError>;

    /// What the host's agent says of it, if anything yet.
    async fn look(&self, job: &JobId, host: &HostName) -> Result<Option<Sight>, TemporaryError>;

    /// Undeploys it from the host. `Ok` if it is not there.
    async fn undeploy(&self, job: &JobId, host: &HostName) -> Result<(), TemporaryError>;

    /// Removes it. `Ok` if there is none.
    async fn remove(&self, job: &JobId) -> Result<(), TemporaryError>;

    /// All jobs whose name begins with a prefix, each with where it is deployed.
    async fn temporary(&self) -> Result<Vec<(Prefix, JobId, Vec<HostName>)>, TemporaryError>;

    /// The address under which the ports of the host can be reached from here.
    async fn address(&self, host: &HostName) -> Result<String, TemporaryError>;
}

/// The host for a prefix among those that are up.
pub(super) fn pick(mut up: Vec<HostName>, prefix: &Prefix) -> Option<HostName> {
    up.sort();
    let hosts = u64::try_from(up.len()).ok().filter(|hosts| *hosts > 0)?;
    let index = usize::try_from(prefix.nonce() % hosts).ok()?;
    up.into_iter().nth(index)
}

#[cfg(test)]
mod tests {
    use helios_core::Timestamp;

    use super::*;

    #[test]
    fn a_test_stays_on_one_host_and_tests_spread() {
        let hosts: Vec<HostName> = ["b", "a", "c"].map(|name| name.parse().unwrap()).into();
        let picked = |nonce| {
            let prefix = Prefix::new(Timestamp::from_millis(0), nonce);
            pick(hosts.clone(), &prefix).map(|host| host.to_string())
        };
        assert_eq!(picked(3), picked(3));
        assert_eq!(
            [0, 1, 2].map(|nonce| picked(nonce).unwrap()),
            ["a", "b", "c"]
        );
        assert_eq!(
            pick(Vec::new(), &Prefix::new(Timestamp::from_millis(0), 1)),
            None
        );
    }
}
