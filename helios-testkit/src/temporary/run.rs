//! What one test has deployed, and how it comes and goes. All of it happens on the worker's thread.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helios_core::runtime::{ContainerId, Probe, ProbeTarget};
use helios_core::{HostName, Job, JobId, Runtime};
use tokio::net::lookup_host;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use tokio::time::{Instant, sleep, timeout};

use super::address::Address;
use super::error::{TemporaryError, TemporaryErrorKind};
use super::journal::Journal;
use super::own_agent::OwnAgent;
use super::prefix::Prefix;
use super::sight::{Sight, Verdict};
use super::site::Site;

/// How often it is looked how far a job is.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// How long one knock at a port may take.
const KNOCK_WITHIN: Duration = Duration::from_secs(5);

/// How long the jobs of a test may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// One test's jobs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) prefix: Prefix,
    pub(super) site: Arc<dyn Site>,
    pub(super) knock: Arc<dyn Probe>,
    pub(super) journal: Option<Journal>,
    pub(super) runtime: Option<Arc<dyn Runtime>>,
    pub(super) own: AsyncMutex<Option<OwnAgent>>,
    pub(super) host: OnceCell<HostName>,
    pub(super) placed: Mutex<Vec<Placed>>,
}

/// A job of the test, as far as it has come.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) job: Option<(JobId, HostName)>,
}

/// What a test wants.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) name: String,
    pub(super) job: Job,
    pub(super) host: Option<String>,
    pub(super) within: Duration,
}

/// What it got.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) job: JobId,
    pub(super) host: HostName,
    pub(super) addresses: Vec<(String, Address)>,
    pub(super) container: Option<ContainerId>,
}

impl Run {
    /// Deploys a job, and waits until it is ready.
    pub(super) async fn deploy(
        &self,
        order: Order,
        progress: UnboundedSender<String>,
    ) -> Result<Delivery, TemporaryError> {
        self.reserve(&order.name)?;
        let host = match &order.host {
            Some(named) => self.site.host(Some(named), &self.prefix).await?,
            None => {
                let pick = || self.site.host(None, &self.prefix);
                self.host.get_or_try_init(pick).await?.clone()
            }
        };
        let job = self.site.create(order.job.clone()).await?;
        self.place(&order.name, &job, &host);
        self.site.deploy(&job, &host).await?;
        let mut wait = Wait {
            run: self,
            order: &order,
            progress,
            seen: String::new(),
            trouble: String::new(),
        };
        match timeout(order.within, wait.until_ready(&job, &host)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let Wait { seen, trouble, .. } = wait;
                let written = self.written(&job).await;
                Err(TemporaryError::new(
                    TemporaryErrorKind::TimedOut,
                    format!(
                        "job {} was not ready within {:?}: on {host} it is {}{trouble}{written}",
                        order.name,
                        order.within,
                        if seen.is_empty() {
                            "not reported yet"
                        } else {
                            &seen
                        },
                    ),
                ))
            }
        }
    }

    /// Takes one job away.
    pub(super) async fn undeploy(
        &self,
        job: &JobId,
        host: &HostName,
    ) -> Result<(), TemporaryError> {
        self.site.undeploy(job, host).await?;
        let gone = async {
            while self.site.look(job, host).await?.is_some() {
                sleep(LOOK_AGAIN_AFTER).await;
            }
            Ok(())
        };
        timeout(GONE_WITHIN, gone).await.unwrap_or_else(|_| {
            Err(TemporaryError::new(
                TemporaryErrorKind::TimedOut,
                format!("the agent of {host} did not stop {job} within {GONE_WITHIN:?}"),
            ))
        })?;
        self.site.remove(job).await?;
        self.placed()
            .retain(|placed| placed.job.as_ref().is_none_or(|(placed, _)| placed != job));
        Ok(())
    }

    /// Takes everything away.
    pub(super) async fn end(&self) -> Result<(), TemporaryError> {
        let undeployed = self.undeploy_all().await;
        if let Some(mut own) = self.own.lock().await.take() {
            // What is removed from the engine needs no undeployment.
            return own.end().await;
        }
        undeployed
    }

    async fn undeploy_all(&self) -> Result<(), TemporaryError> {
        let jobs = self.site.temporary().await?;
        let ours = jobs
            .into_iter()
            .filter(|(prefix, ..)| *prefix == self.prefix);
        let gone = ours.map(|(_, job, hosts)| async move {
            if hosts.is_empty() {
                return self.site.remove(&job).await;
            }
            for host in hosts {
                self.undeploy(&job, &host).await?;
            }
            Ok(())
        });
        let outcomes = futures_util::future::join_all(gone).await;
        outcomes.into_iter().collect()
    }

    /// How every job is and what it wrote, for people.
    pub(super) async fn report(&self) -> String {
        let placed = self.placed().clone();
        let mut report = String::new();
        for (name, job, host) in placed
            .into_iter()
            .filter_map(|placed| placed.job.map(|(job, host)| (placed.name, job, host)))
        {
            let sight = self.site.look(&job, &host).await;
            let sight = match sight {
                Ok(Some(sight)) => sight.to_string(),
                Ok(None) => "not reported".to_owned(),
                Err(error) => error.to_string(),
            };
            let written = self.written(&job).await;
            report.push_str(&format!("job {name} on {host}: {sight}{written}\n"));
        }
        report
    }

    /// What the job wrote, as the end of a message.
    pub(super) async fn written(&self, job: &JobId) -> String {
        let Some(journal) = &self.journal else {
            return format!("\n(what it wrote is kept by its host: look for {job} there)");
        };
        match journal.of(job.as_str()).await.trim_end() {
            "" => "\n(it wrote nothing)".to_owned(),
            text => format!("\n--- it wrote:\n{text}\n---"),
        }
    }

    fn reserve(&self, name: &str) -> Result<(), TemporaryError> {
        let mut placed = self.placed();
        if placed.iter().any(|other| other.name == name) {
            return Err(TemporaryError::new(
                TemporaryErrorKind::BadJob,
                format!("this test has a job {name} already: give one of them another name"),
            ));
        }
        placed.push(Placed {
            name: name.to_owned(),
            job: None,
        });
        Ok(())
    }

    fn place(&self, name: &str, job: &JobId, host: &HostName) {
        if let Some(placed) = self.placed().iter_mut().find(|placed| placed.name == name) {
            placed.job = Some((job.clone(), host.clone()));
        }
    }

    fn placed(&self) -> MutexGuard<'_, Vec<Placed>> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waiting for one job.
struct Wait<'a> {
    run: &'a Run,
    order: &'a Order,
    progress: UnboundedSender<String>,
    /// How it was when last looked at.
    seen: String,
    /// What is wrong with its ports.
    trouble: String,
}

impl Wait<'_> {
    async fn until_ready(
        &mut self,
        job: &JobId,
        host: &HostName,
    ) -> Result<Delivery, TemporaryError> {
        let mut failed_since = None;
        loop {
            // A master that does not answer now may answer later.
            if let Ok(Some(sight)) = self.run.site.look(job, host).await {
                self.tell(host, &sight);
                let is_failed = sight.state == helios_core::TaskState::Failed;
                let since = is_failed.then(|| failed_since.unwrap_or_else(Instant::now));
                failed_since = since;
                let failed_for = since.map(|since| since.elapsed()).unwrap_or_default();
                match sight.verdict(failed_for) {
                    Verdict::Wait => {}
                    Verdict::Hopeless => return Err(self.hopeless(job, host, &sight).await),
                    Verdict::Runs => {
                        let addresses = self.addresses(host, &sight).await?;
                        match self.knock(&sight, &addresses).await {
                            Ok(()) => return Ok(delivery(job, host, &sight, addresses)),
                            Err(trouble) => self.trouble = format!(", but {trouble}"),
                        }
                    }
                }
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    fn tell(&mut self, host: &HostName, sight: &Sight) {
        let seen = sight.to_string();
        if seen != self.seen {
            let line = format!("job {} on {host}: {seen}", self.order.name);
            let _ = self.progress.send(line);
            self.seen = seen;
        }
    }

    async fn hopeless(&self, job: &JobId, host: &HostName, sight: &Sight) -> TemporaryError {
        let written = self.run.written(job).await;
        let message = format!("job {} on {host} is {sight}{written}", self.order.name);
        TemporaryError::new(TemporaryErrorKind::Failed, message)
    }

    async fn addresses(
        &self,
        host: &HostName,
        sight: &Sight,
    ) -> Result<Vec<(String, Address)>, TemporaryError> {
        let at = self.run.site.address(host).await?;
        let ports = sight.ports.iter().filter_map(|(name, mapping)| {
            let port = u16::try_from(mapping.external_port?).ok()?;
            Some((name.clone(), Address::new(at.clone(), port)))
        });
        Ok(ports.collect())
    }

    /// Whether the ports are open of a job that has no health check to tell.
    async fn knock(&self, sight: &Sight, addresses: &[(String, Address)]) -> Result<(), String> {
        if self.order.job.health_check.is_some() {
            return Ok(());
        }
        let container = ContainerId::new(sight.container.clone().unwrap_or_default());
        for (name, address) in addresses {
            let protocol = sight
                .ports
                .get(name)
                .map(|mapping| mapping.protocol.as_str());
            if protocol != Some("tcp") {
                continue;
            }
            let target = ProbeTarget::Tcp {
                address: resolve(address).await?,
            };
            let knocked = self
                .run
                .knock
                .probe(&container, &target, KNOCK_WITHIN)
                .await;
            knocked.map_err(|seen| format!("nobody listens on its port {name}: {seen}"))?;
        }
        Ok(())
    }
}

async fn resolve(address: &Address) -> Result<SocketAddr, String> {
    let mut found = lookup_host((address.host(), address.port()))
        .await
        .map_err(|error| format!("{} is not found: {error}", address.host()))?;
    found
        .next()
        .ok_or_else(|| format!("{} has no address", address.host()))
}

fn delivery(
    job: &JobId,
    host: &HostName,
    sight: &Sight,
    addresses: Vec<(String, Address)>,
) -> Delivery {
    Delivery {
        job: job.clone(),
        host: host.clone(),
        addresses,
        container: sight.container.as_deref().map(ContainerId::new),
    }
}
