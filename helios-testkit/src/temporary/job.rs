//! One job of a test: what is wanted, and what it became.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use helios_core::model::HealthCheck;
use helios_core::runtime::ContainerId;
use helios_core::{HostName, Job, JobId, PortMapping};
use serde_json::Value;
use tokio::sync::mpsc;

use super::address::Address;
use super::console::say;
use super::error::{TemporaryError, TemporaryErrorKind};
use super::run::{Delivery, Order};
use super::{TemporaryJobs, expiry};

/// How long a job may take to be ready unless it is told otherwise.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// A job in the making: say what it is, then [`deploy`](Self::deploy) it.
#[derive(Debug)]
#[must_use = "nothing happens until it is deployed"]
pub struct JobBuilder<'a> {
    jobs: &'a TemporaryJobs,
    name: String,
    job: Result<Job, TemporaryError>,
    host: Option<String>,
    within: Duration,
}

impl<'a> JobBuilder<'a> {
    pub(super) fn new(jobs: &'a TemporaryJobs, name: &str) -> Self {
        let id = format!("{}:1", jobs.run().prefix.name(name));
        let job = Job::new(&id, "").map_err(|error| bad(name, error.to_string()));
        Self {
            jobs,
            name: name.to_owned(),
            job,
            host: None,
            within: READY_WITHIN,
        }
    }

    /// Runs that image. One that was just built on this machine is not asked for at any registry.
    pub fn image(self, image: impl Into<String>) -> Self {
        let image = image.into();
        self.with(|mut job| {
            job.image = Some(image);
            job
        })
    }

    /// Runs the image that a build wrote into that file: the id from `docker build --iidfile`, or JSON with a
    /// member `image`.
    pub fn image_from(mut self, file: impl AsRef<Path>) -> Self {
        match image_in(file.as_ref()) {
            Ok(image) => self.image(image),
            Err(why) => {
                self.job = Err(bad(&self.name, why));
                self
            }
        }
    }

    /// Opens a TCP port of the container under a name, on a free port of its host.
    pub fn port(self, name: impl Into<String>, port: u16) -> Self {
        self.with(|job| job.port(name, PortMapping::tcp(port)))
    }

    /// Sets an environment variable.
    pub fn env(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|job| job.env(name, value))
    }

    /// Runs with those arguments.
    pub fn command<T: Into<String>>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.with(|job| job.command(arguments))
    }

    /// Is ready when that check passes. Without one it is ready when all of its TCP ports are open.
    pub fn health_check(self, check: HealthCheck) -> Self {
        self.with(|job| job.health_check(check))
    }

    /// Anything else that a [`Job`] can be. Its id stays as it is.
    pub fn with(mut self, change: impl FnOnce(Job) -> Job) -> Self {
        self.job = self.job.map(|job| {
            let id = job.id.clone();
            let mut job = change(job);
            job.id = id;
            job
        });
        self
    }

    /// Runs on the host of that name instead of the one that is picked for the test.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// How long it may take until it is ready; five minutes unless said otherwise.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Deploys the job, and waits until it is RUNNING and ready.
    ///
    /// # Errors
    /// `BadJob` when it cannot be created, `Failed` when it ends or cannot start, `TimedOut`; the last two with
    /// what was seen last and what it wrote.
    ///
    /// # Cancellation
    /// The job may be there, and is removed with the others.
    pub async fn deploy(self) -> Result<TemporaryJob<'a>, TemporaryError> {
        let order = self.order()?;
        let (jobs, name) = (order.0, order.1.name.clone());
        let (progress, mut lines) = mpsc::unbounded_channel();
        let run = Arc::clone(jobs.run());
        let work = jobs
            .worker()
            .run(async move { run.deploy(order.1, progress).await });
        let tell = async {
            while let Some(line) = lines.recv().await {
                say(&line);
            }
        };
        let (delivered, ()) = tokio::join!(work, tell);
        let delivery = delivered.unwrap_or_else(|| {
            Err(bad(
                &name,
                "the thread that was to deploy it is gone".to_owned(),
            ))
        })?;
        for (port, address) in &delivery.addresses {
            say(&format!("job {name}: {port} is at {address}"));
        }
        Ok(TemporaryJob::new(jobs, name, delivery))
    }

    fn order(self) -> Result<(&'a TemporaryJobs, Order), TemporaryError> {
        let mut job = self.job?;
        if job.image.as_deref().unwrap_or_default().is_empty() {
            return Err(bad(
                &self.name,
                "it has no image: name one with .image(..)".to_owned(),
            ));
        }
        if !job.token.is_empty() {
            let why = "nobody could remove it if this test were killed: give it no token";
            return Err(bad(&self.name, why.to_owned()));
        }
        // Whatever else fails, the masters of a shared cluster remove it then.
        job.expires = job.expires.or_else(|| Some(expiry()));
        let order = Order {
            name: self.name,
            job,
            host: self.host,
            within: self.within,
        };
        Ok((self.jobs, order))
    }
}

fn bad(name: &str, why: String) -> TemporaryError {
    TemporaryError::new(TemporaryErrorKind::BadJob, format!("job {name}: {why}"))
}

fn image_in(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| {
        format!(
            "the build left no image in {}: {error}; build it first",
            file.display()
        )
    })?;
    let text = text.trim();
    let named = || {
        let document: Value = serde_json::from_str(text).ok()?;
        Some(document.get("image")?.as_str()?.to_owned())
    };
    let image = if text.starts_with('{') {
        named()
    } else {
        Some(text.to_owned())
    };
    image
        .filter(|image| !image.is_empty())
        .ok_or_else(|| format!("{} names no image", file.display()))
}

/// A job that runs. It goes on until the test ends, or it is undeployed.
#[derive(Debug)]
pub struct TemporaryJob<'a> {
    jobs: &'a TemporaryJobs,
    name: String,
    job: JobId,
    host: HostName,
    addresses: BTreeMap<String, Address>,
    container: Option<ContainerId>,
}

impl<'a> TemporaryJob<'a> {
    fn new(jobs: &'a TemporaryJobs, name: String, delivery: Delivery) -> Self {
        Self {
            jobs,
            name,
            job: delivery.job,
            host: delivery.host,
            addresses: delivery.addresses.into_iter().collect(),
            container: delivery.container,
        }
    }

    /// Its id in the cluster.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.job
    }

    /// Where it runs.
    #[must_use]
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// The engine's id of the container that was ready.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerId> {
        self.container.as_ref()
    }

    /// Where the test reaches the port of that name.
    ///
    /// # Errors
    /// `BadJob` when the job has no such port.
    pub fn address(&self, port: &str) -> Result<Address, TemporaryError> {
        self.addresses.get(port).cloned().ok_or_else(|| {
            let there: Vec<&str> = self.addresses.keys().map(String::as_str).collect();
            let why = match there.as_slice() {
                [] => format!("it has no port {port}: give it one with .port({port:?}, ..)"),
                there => format!("it has no port {port}, only {}", there.join(", ")),
            };
            bad(&self.name, why)
        })
    }

    /// Where other containers of the same engine reach that port of the container: its own address there.
    ///
    /// # Errors
    /// `BadJob` when its containers run elsewhere, or it has no address there.
    pub async fn inner_address(&self, port: u16) -> Result<Address, TemporaryError> {
        let Some(runtime) = self.jobs.run().runtime.clone() else {
            let why = "its containers run on the hosts of the cluster, use address()".to_owned();
            return Err(bad(&self.name, why));
        };
        let listed = self
            .jobs
            .worker()
            .run(async move { runtime.list().await })
            .await;
        let containers = listed
            .unwrap_or_else(|| Ok(Default::default()))
            .map_err(|error| TemporaryError::because("the containers cannot be seen", error))?;
        let mine = containers
            .iter()
            .find(|one| Some(&one.id) == self.container.as_ref());
        let ip = mine.and_then(|container| container.ip);
        let ip = ip.ok_or_else(|| {
            bad(
                &self.name,
                "its container has no address of its own".to_owned(),
            )
        })?;
        Ok(Address::new(ip.to_string(), port))
    }

    /// What its containers wrote; empty where that cannot be seen from here.
    pub async fn logs(&self) -> String {
        let Some(journal) = self.jobs.run().journal.clone() else {
            return String::new();
        };
        let job = self.job.clone();
        let read = self
            .jobs
            .worker()
            .run(async move { journal.of(job.as_str()).await });
        read.await.unwrap_or_default()
    }

    /// Undeploys and removes it now, and waits until its container is gone.
    ///
    /// # Errors
    /// `TimedOut` when its agent does not stop it; `Unavailable`.
    pub async fn undeploy(self) -> Result<(), TemporaryError> {
        let run = Arc::clone(self.jobs.run());
        let (job, host) = (self.job, self.host);
        let work = self
            .jobs
            .worker()
            .run(async move { run.undeploy(&job, &host).await });
        work.await.unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_a_build_is_read_from_the_file_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image");
        assert!(image_in(&file).unwrap_err().contains("build it first"));
        for (text, image) in [
            ("sha256:abc\n", Some("sha256:abc")),
            (r#"{"image":"web:1"}"#, Some("web:1")),
            (r#"{"other":"web:1"}"#, None),
            ("{", None),
            ("", None),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(image_in(&file).ok().as_deref(), image, "{text}");
        }
    }
}
