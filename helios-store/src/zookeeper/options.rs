//! How a handle behaves.

use std::time::Duration;

use super::{Access, ZooKeeperAddress};

/// The session timeout unless told otherwise.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// What a [`ZooKeeperStore`](super::ZooKeeperStore) needs to know.
///
/// ```
/// use std::time::Duration;
/// use helios_store::zookeeper::ZooKeeperOptions;
///
/// let options = ZooKeeperOptions::new("zk://h1:2181,h2:2181/helios".parse()?)
///     .session_timeout(Duration::from_secs(6));
/// # Ok::<(), helios_store::zookeeper::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ZooKeeperOptions {
    pub(super) address: ZooKeeperAddress,
    pub(super) access: Access,
    pub(super) session_timeout: Duration,
    pub(super) call_timeout: Option<Duration>,
    pub(super) calls_max: usize,
    pub(super) resync: Duration,
    #[cfg(feature = "zookeeper-tls")]
    pub(super) tls: Option<super::Tls>,
}

impl ZooKeeperOptions {
    /// The defaults: open access, a session timeout of 10 s, 256 calls at a time, a resync each minute.
    #[must_use]
    pub fn new(address: ZooKeeperAddress) -> Self {
        Self {
            address,
            access: Access::open(),
            session_timeout: SESSION_TIMEOUT,
            call_timeout: None,
            calls_max: 256,
            resync: Duration::from_secs(60),
            #[cfg(feature = "zookeeper-tls")]
            tls: None,
        }
    }

    /// Who we are, and the access list of each node we create.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// After how long without a sign of this handle the servers end its session and remove its
    /// ephemeral entries. The servers have the last word, by default 2 to 20 of their ticks.
    ///
    /// A server that falls silent is left for another one after two fifths of it. An idle handle sends a ping
    /// every three twentieths of it, which is what thousands of idle agents cost.
    #[must_use]
    pub fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = timeout;
        self
    }

    /// How long one call may take, waiting for a connection included; 1.5 session timeouts unless told
    /// otherwise. After it a read is `Unavailable`, and a commit that was sent is `Indeterminate`.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// How many calls are under way at a time; more wait their turn, within their timeout.
    #[must_use]
    pub fn calls_max(mut self, calls: usize) -> Self {
        self.calls_max = calls.max(1);
        self
    }

    /// How often, give or take a quarter, a watch compares its picture with the servers'. It should
    /// never find a difference; it is the second line of defence.
    #[must_use]
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = period;
        self
    }

    /// Connects with TLS.
    #[cfg(feature = "zookeeper-tls")]
    #[must_use]
    pub fn tls(mut self, tls: super::Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    pub(super) fn call_limit(&self) -> Duration {
        self.call_timeout.unwrap_or(self.session_timeout * 3 / 2)
    }
}
