//! Real containers in your own tests, gone when the test is.
//!
//! ```no_run
//! # #[cfg(feature = "docker")]
//! # mod example {
//! use helios_testkit::temporary::TemporaryJobs;
//!
//! #[tokio::test]
//! async fn counts_visits() -> Result<(), Box<dyn std::error::Error>> {
//!     let jobs = TemporaryJobs::solo().await?;
//!     let redis = jobs.job("redis").image("redis:7").port("redis", 6379).deploy().await?;
//!
//!     let url = format!("redis://{}", redis.address("redis")?);
//!     // ... the code under test, with that url
//!     # let _ = url;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! | constructor | the containers run | needs |
//! |---|---|---|
//! | `TemporaryJobs::solo` | on this machine's Docker | the feature `docker` |
//! | `TemporaryJobs::at` | on a cluster, by the address of a master | the feature `http` |
//! | [`TemporaryJobs::on_cluster`] | on a cluster whose store is at hand | |
//! | [`TemporaryJobs::fake`] | nowhere: on an engine in memory | |
//! | [`TemporaryJobs::on`] | on a runtime of your own | |
//!
//! The rest of a test is the same for all of them.
//!
//! # What can be relied on
//!
//! * `deploy` returns when the job is RUNNING and its health check has passed or, without one, all of its TCP ports
//!   are open. A job that ends, or cannot start, fails at once; every wait has a limit.
//! * All jobs and containers are removed when the value is dropped: at the end of the test, and when it panics. The drop
//!   waits for that. What a killed process left behind is removed by the next test that begins in the same place.
//! * When a test panics, the state of every job and what its containers wrote is printed. An error of `deploy`
//!   holds the same. Progress is printed too, and shown by `--nocapture`.
//! * Tests do not see each other, in one process or in many: names have a prefix of their own, and ports are free
//!   ones.
//! * Nothing needs the time, the threads or the runtime of the test: it may pause its time, or use one thread. Only a
//!   test that runs a master of its own on its one thread has to call [`end`](TemporaryJobs::end), since a drop would
//!   block that thread.

mod address;
mod cluster_site;
mod console;
#[cfg(feature = "docker")]
mod docker;
mod engine;
mod error;
mod job;
mod journal;
mod knock;
mod leftovers;
mod marker;
#[cfg(feature = "http")]
mod master_site;
mod own_agent;
mod prefix;
mod run;
mod sight;
mod site;
mod site_place;
mod worker;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use helios_core::clock::{Clock, SystemClock};
use helios_core::runtime::Owner;
use helios_core::{Cluster, Timestamp};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use self::cluster_site::ClusterSite;
use self::console::say;
use self::leftovers::Place;
use self::marker::Marker;
use self::own_agent::OwnAgent;
use self::prefix::Prefix;
use self::run::Run;
use self::site::Site;
use self::site_place::SitePlace;
use self::worker::Worker;
use crate::host::FakeProbe;
use crate::runtime::FakeEngine;

pub use address::Address;
pub use engine::Engine;
pub use error::{TemporaryError, TemporaryErrorKind};
pub use job::{JobBuilder, TemporaryJob};

/// How long after its creation a job expires, unless it says otherwise.
const EXPIRES_AFTER: Duration = Duration::from_secs(30 * 60);

/// How long a drop waits for everything to be removed.
const END_WITHIN: Duration = Duration::from_secs(120);

/// How long what earlier tests left behind may take to be removed.
const SWEEP_WITHIN: Duration = Duration::from_secs(30);

/// How long a master may take to answer, with all repetitions.
#[cfg(feature = "http")]
const MASTER_WITHIN: Duration = Duration::from_secs(5);

/// How long a failed test waits for what its jobs wrote.
const REPORT_WITHIN: Duration = Duration::from_secs(20);

/// The jobs of one test. See the [module](self).
#[must_use = "the jobs are removed when this is dropped"]
pub struct TemporaryJobs {
    run: Arc<Run>,
    worker: Worker,
    marker: Option<Marker>,
    ended: bool,
}

/// What a test begins with.
struct Begun {
    run: Run,
    marker: Option<Marker>,
    /// What there is to say about earlier tests.
    swept: Option<String>,
}

impl TemporaryJobs {
    /// Jobs on an engine in memory, with an agent of their own. Every port is open, and nobody is behind it.
    ///
    /// # Errors
    /// `Unavailable` when this process cannot start a thread.
    pub async fn fake(engine: &FakeEngine) -> Result<Self, TemporaryError> {
        let engine = engine.clone();
        Self::on(move |owner| Engine::fake(&engine, &FakeProbe::new(), owner)).await
    }

    /// Jobs on a runtime of your own, with an agent of their own. The runtime has to be that of the given owner.
    ///
    /// What a killed process leaves behind there is not swept.
    ///
    /// # Errors
    /// As [`fake`](Self::fake).
    pub async fn on(
        engine: impl FnOnce(Owner) -> Engine + Send + 'static,
    ) -> Result<Self, TemporaryError> {
        Self::begin(move |owner| async move { Ok((engine(owner), None)) }).await
    }

    /// Jobs on a cluster whose store is at hand, on a host of it that is up.
    ///
    /// # Errors
    /// `Unavailable` when the cluster cannot be read.
    pub async fn on_cluster(cluster: Cluster) -> Result<Self, TemporaryError> {
        let site = ClusterSite {
            cluster,
            address: None,
        };
        Self::at_site(Arc::new(site)).await
    }

    /// Jobs on a cluster by the address of one of its masters, as `http://master:5801`. Needs the feature `http`.
    ///
    /// # Errors
    /// `NoPlace` when that is no address, `Unavailable` when no master answers there.
    #[cfg(feature = "http")]
    pub async fn at(master: &str) -> Result<Self, TemporaryError> {
        let client = helios_api::Client::builder()
            .total_timeout(MASTER_WITHIN)
            .endpoint(master)
            .and_then(helios_api::client::ClientBuilder::build)
            .map_err(|error| {
                let message = "the cluster of the test has no address";
                TemporaryError::new(TemporaryErrorKind::NoPlace, message).caused_by(error)
            })?;
        Self::at_site(Arc::new(master_site::MasterSite(client))).await
    }

    /// A job for this test, to be described and deployed. The name has to be new in this test, and in no other.
    pub fn job(&self, name: &str) -> JobBuilder<'_> {
        JobBuilder::new(self, name)
    }

    /// Removes everything now. The same happens when this is dropped, but here errors are told.
    ///
    /// # Errors
    /// `TimedOut` or `Unavailable` when something could not be removed.
    ///
    /// # Cancellation
    /// Dropping the future drops this, which goes on removing and waits for it.
    pub async fn end(mut self) -> Result<(), TemporaryError> {
        let run = Arc::clone(&self.run);
        let ended = self.worker.run(async move { run.end().await }).await;
        ended.unwrap_or(Ok(()))?;
        self.is_over();
        Ok(())
    }

    /// With an agent of its own, on what `engine` makes for it.
    async fn begin<F>(
        engine: impl FnOnce(Owner) -> F + Send + 'static,
    ) -> Result<Self, TemporaryError>
    where
        F: Future<Output = Result<(Engine, Option<Arc<dyn Place>>), TemporaryError>>
            + Send
            + 'static,
    {
        let worker = start_worker()?;
        let prefix = new_prefix()?;
        let owner = Owner::new(prefix.to_string())
            .map_err(|error| TemporaryError::because("the test owns no containers", error))?;
        let outcome = worker.run(async move {
            let (engine, place) = engine(owner.clone()).await?;
            // Before the first container is made: from here on a kill leaves something to recognise it by.
            let marker = place.is_some().then(|| mark(&prefix)).transpose()?;
            let swept = sweep(place).await;
            let (own, cluster) = OwnAgent::start(&engine, &owner).await?;
            let site = ClusterSite {
                cluster,
                address: Some(engine.address.clone()),
            };
            let run = Run {
                prefix,
                site: Arc::new(site),
                knock: Arc::clone(&engine.knock),
                journal: own.journal().cloned(),
                runtime: Some(Arc::clone(own.runtime())),
                own: AsyncMutex::new(Some(own)),
                host: OnceCell::new(),
                placed: Mutex::default(),
            };
            Ok(Begun { run, marker, swept })
        });
        Self::with(outcome.await, worker)
    }

    async fn at_site(site: Arc<dyn Site>) -> Result<Self, TemporaryError> {
        let worker = start_worker()?;
        let prefix = new_prefix()?;
        let outcome = worker.run(async move {
            // Asked first, so that a cluster that does not answer fails the test where it begins.
            site.temporary().await?;
            let marker = mark(&prefix)?;
            let swept = sweep(Some(Arc::new(SitePlace(Arc::clone(&site))))).await;
            let run = Run {
                prefix,
                site,
                knock: Arc::new(knock::Knock),
                journal: None,
                runtime: None,
                own: AsyncMutex::new(None),
                host: OnceCell::new(),
                placed: Mutex::default(),
            };
            Ok(Begun {
                run,
                marker: Some(marker),
                swept,
            })
        });
        Self::with(outcome.await, worker)
    }

    fn with(
        outcome: Option<Result<Begun, TemporaryError>>,
        worker: Worker,
    ) -> Result<Self, TemporaryError> {
        let panicked = || {
            let message = "the jobs of the test did not begin: their thread panicked";
            Err(TemporaryError::new(
                TemporaryErrorKind::Unavailable,
                message,
            ))
        };
        let Begun { run, marker, swept } = outcome.unwrap_or_else(panicked)?;
        if let Some(swept) = swept {
            say(&swept);
        }
        Ok(Self {
            run: Arc::new(run),
            worker,
            marker,
            ended: false,
        })
    }

    fn run(&self) -> &Arc<Run> {
        &self.run
    }

    fn worker(&self) -> &Worker {
        &self.worker
    }

    fn is_over(&mut self) {
        self.ended = true;
        if let Some(marker) = self.marker.take() {
            marker.clear();
        }
    }
}

impl fmt::Debug for TemporaryJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryJobs")
            .field("prefix", &self.run.prefix.to_string())
            .finish_non_exhaustive()
    }
}

/// Prints what there is to know if the test panics, and removes everything.
impl Drop for TemporaryJobs {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if thread::panicking() {
            let run = Arc::clone(&self.run);
            let report = self
                .worker
                .block(async move { run.report().await }, REPORT_WITHIN);
            say(&report.unwrap_or_else(|| "the jobs of this test do not answer".to_owned()));
        }
        let run = Arc::clone(&self.run);
        match self
            .worker
            .block(async move { run.end().await }, END_WITHIN)
        {
            Some(Ok(())) => self.is_over(),
            Some(Err(error)) => say(&format!(
                "not all jobs of this test were removed, the next test will try: {error:?}"
            )),
            None => say(&format!(
                "the jobs of this test were not removed within {END_WITHIN:?}, the next test will try"
            )),
        }
    }
}

fn start_worker() -> Result<Worker, TemporaryError> {
    Worker::start()
        .map_err(|error| TemporaryError::because("the test has no thread for its jobs", error))
}

fn new_prefix() -> Result<Prefix, TemporaryError> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce)
        .map_err(|error| TemporaryError::because("there is no randomness for names", error))?;
    Ok(Prefix::new(now(), u64::from_be_bytes(nonce)))
}

fn now() -> Timestamp {
    SystemClock::new().now()
}

/// When a job that is created now expires.
fn expiry() -> Timestamp {
    now().plus(EXPIRES_AFTER)
}

fn mark(prefix: &Prefix) -> Result<Marker, TemporaryError> {
    let folder = marker::folder();
    Marker::set(&folder, prefix).map_err(|error| {
        let message = format!(
            "the test cannot mark itself as alive in {}: make that writable, or set TMPDIR",
            folder.display()
        );
        TemporaryError::because(message, error)
    })
}

/// Removes what earlier tests left in the place. What it has to say, if anything, is for people: a test does not
/// fail for the leftovers of another.
async fn sweep(place: Option<Arc<dyn Place>>) -> Option<String> {
    let place = place?;
    let folder = marker::folder();
    leftovers::forget_the_old(&folder, now());
    let swept = leftovers::sweep(&*place, &folder, now());
    match tokio::time::timeout(SWEEP_WITHIN, swept).await {
        Ok(Ok(0)) => None,
        Ok(Ok(tests)) => Some(format!("removed what {tests} killed tests had left behind")),
        Ok(Err(error)) => Some(format!(
            "what killed tests left behind is still there: {error:?}"
        )),
        Err(_) => Some(
            "what killed tests left behind is still there: removing it takes too long".to_owned(),
        ),
    }
}
