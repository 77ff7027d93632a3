//! One host, beside the bare engine: `cargo bench -p helios-tests --bench one_host`, or `make bench`.
//!
//! Every figure is the ratio of two things measured alternately in one run on one engine: the whole agent
//! with its durable store and state directory, and the two calls that no orchestrator can do without.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints its table, and ends at the first surprise"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use helios_core::agent::{Agent, AgentId};
use helios_core::cluster::FleetView;
use helios_core::ops::{CreateJob, Deploy, Undeploy};
use helios_core::reconcile::{Policy, container_name, container_spec};
use helios_core::runtime::{ContainerSpec, ContainerState, Owner};
use helios_core::state_dir::FileStateDir;
use helios_core::{Cluster, Goal, HostName, Job, JobId, Runtime};
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_store::FileStore;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 40;
const AT_ONCE: usize = 100;
const BARE_PARALLEL: usize = 8;
const IDLE: Duration = Duration::from_secs(30);

struct Bench {
    cluster: Cluster,
    host: HostName,
    policy: Policy,
    runtime: Arc<DockerRuntime>,
}

/// The times of both sides of a comparison.
#[derive(Default)]
struct Pair {
    ours: Vec<Duration>,
    bare: Vec<Duration>,
}

impl Pair {
    fn print(mut self, what: &str) {
        self.ours.sort();
        self.bare.sort();
        let at = |times: &[Duration], percent: usize| {
            times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
        };
        for (name, percent) in [("median", 50), ("p99", 99)] {
            let (ours, bare) = (at(&self.ours, percent), at(&self.bare, percent));
            println!(
                "{what:<44} {name:<7} {ours:>9.1} ms {bare:>9.1} ms {:>6.2}x",
                ours / bare
            );
        }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let state = Arc::new(FileStateDir::open(dir.path().join("state"))?);
    let store = Arc::new(FileStore::open(dir.path().join("store"))?);
    let cluster = Cluster::on(store.clone())?;
    cluster.init().await?;
    let id = AgentId::load(&*state, None).await?;
    let runtime = Arc::new(docker(id.owner()).await?);
    let host: HostName = "bench".parse()?;
    let policy = Policy {
        namespace: format!("helios-{}", id.as_str()),
        ..Policy::for_host(host.as_str())
    };
    let agent = Agent::new(host.clone(), id, store, runtime.clone(), state).policy(|policy| {
        policy.backoff.first = Duration::ZERO;
        policy.flapping.delay = Duration::ZERO; // Containers are killed on purpose here.
    });
    let agent = tokio::spawn(agent.run(std::future::pending()));
    let up = |fleet: &FleetView| {
        fleet
            .host(&"bench".parse().expect("a name"))
            .is_some_and(|host| host.up)
    };
    cluster.wait_until(up).await?;

    let bench = Bench {
        cluster,
        host,
        policy,
        runtime,
    };
    println!(
        "{:<44} {:<7} {:>12} {:>12} {:>7}",
        "", "", "helios", "bare", "ratio"
    );
    bench.deploy().await?.print("deploy accepted -> running");
    bench
        .reaction()
        .await?
        .print("container gone -> running again (delay 0)");
    bench
        .at_once()
        .await?
        .print("100 deploys at once -> all running");
    bench
        .process_dies()
        .await?
        .print("process dies -> runs again; Docker `always`");
    println!(
        "the default delay before a first restart: 75 to 125 ms, by job and attempt; Docker's: 100 ms"
    );
    println!(
        "idle with {AT_ONCE} containers, agent and store in one: {}",
        bench.idle().await?
    );
    agent.abort();
    Ok(())
}

async fn docker(owner: &Owner) -> Outcome<DockerRuntime> {
    Ok(DockerRuntime::connect(DockerEndpoint::default(), owner.clone()).await?)
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}

/// The processor time of this process so far, in clock ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn job(name: &str) -> Outcome<Job> {
    let mut job = Job::new(&format!("{name}:1"), "helios-test/busybox:1")?.command(["/bin/idle"]);
    job.network_mode = Some("host".to_owned());
    Ok(job.seconds_to_wait_before_kill(2).with_computed_id())
}

impl Bench {
    fn spec(&self, job: &Job) -> ContainerSpec {
        container_spec(job, &BTreeMap::new(), &self.policy)
    }

    fn name(&self, job: &JobId) -> String {
        container_name(&self.policy.namespace, job)
    }

    async fn deploy_one(&self, job: &Job) -> Outcome<Instant> {
        let id = self
            .cluster
            .create_job(&CreateJob::new(job.clone()))
            .await?;
        self.cluster
            .deploy(&Deploy::new(self.host.clone(), id, Goal::Start))
            .await?;
        Ok(Instant::now())
    }

    async fn undeploy_one(&self, job: &Job) -> Outcome<()> {
        self.cluster
            .undeploy(&Undeploy::new(self.host.clone(), job.id.clone()))
            .await?;
        let name = self.name(&job.id);
        self.seen(self.runtime.clone(), move |containers| {
            containers.get(&name).is_none()
        })
        .await
    }

    /// Waits until a look at the engine shows it.
    async fn seen(
        &self,
        runtime: Arc<DockerRuntime>,
        mut holds: impl FnMut(&helios_core::runtime::Containers) -> bool,
    ) -> Outcome<()> {
        let mut looks = runtime.watch();
        while let Some(look) = looks.next().await {
            if holds(&look?) {
                return Ok(());
            }
        }
        Err("the watch of the engine ended".into())
    }

    async fn running(&self, runtime: &Arc<DockerRuntime>, name: String) -> Outcome<()> {
        self.seen(runtime.clone(), move |containers| {
            containers
                .get(&name)
                .is_some_and(|container| container.state == ContainerState::Running)
        })
        .await
    }

    async fn deploy(&self) -> Outcome<Pair> {
        let bare = Arc::new(docker(&Owner::new("bench-bare")?).await?);
        let mut pair = Pair::default();
        for round in 0..ROUNDS {
            let job = job(&format!("deploy-{round}"))?;
            let name = self.name(&job.id);
            let running = tokio::spawn({
                let (this, name) = (self.runtime.clone(), name.clone());
                async move { wait_running(this, name).await }
            });
            let accepted = self.deploy_one(&job).await?;
            let at = running.await??;
            pair.ours.push(at.saturating_duration_since(accepted));
            self.undeploy_one(&job).await?;

            let spec = ContainerSpec {
                name: format!("bench-bare-{round}"),
                ..self.spec(&job)
            };
            let running = tokio::spawn(wait_running(bare.clone(), spec.name.clone()));
            let start = Instant::now();
            let id = bare.create(&spec).await?;
            bare.start(&id).await?;
            pair.bare
                .push(running.await??.saturating_duration_since(start));
            bare.stop(&id, Duration::from_secs(2)).await?;
            bare.remove(&id).await?;
        }
        Ok(pair)
    }

    /// From the look that shows the container gone to the one that shows its successor running.
    async fn reaction(&self) -> Outcome<Pair> {
        let bare = Arc::new(docker(&Owner::new("bench-bare")?).await?);
        let mut pair = Pair::default();
        let job = job("reaction")?;
        self.deploy_one(&job).await?;
        self.running(&self.runtime, self.name(&job.id)).await?;
        let spec = ContainerSpec {
            name: "bench-bare-reaction".to_owned(),
            ..self.spec(&job)
        };
        let mut id = bare.create(&spec).await?;
        bare.start(&id).await?;
        for _ in 0..ROUNDS / 2 {
            let ours = tokio::spawn(wait_replaced(self.runtime.clone(), self.name(&job.id)));
            // A run of a while, so that no backoff of failures in a row is measured.
            tokio::time::sleep(Duration::from_millis(300)).await;
            kill(&self.name(&job.id))?;
            pair.ours.push(ours.await??);

            let gone = tokio::spawn(wait_exited(bare.clone(), spec.name.clone()));
            tokio::time::sleep(Duration::from_millis(300)).await;
            kill(&spec.name)?;
            let at = gone.await??;
            let running = tokio::spawn(wait_running(bare.clone(), spec.name.clone()));
            bare.remove(&id).await?;
            id = bare.create(&spec).await?;
            bare.start(&id).await?;
            pair.bare
                .push(running.await??.saturating_duration_since(at));
        }
        bare.remove(&id).await?;
        self.undeploy_one(&job).await?;
        Ok(pair)
    }

    /// From the look that shows a container without its process to the one that shows it or its successor running:
    /// this agent without delay, and Docker's own restart policy, which starts the same container.
    async fn process_dies(&self) -> Outcome<Pair> {
        let bare = Arc::new(docker(&Owner::new("bench-bare")?).await?);
        let mut pair = Pair::default();
        let job = job("dies")?;
        self.deploy_one(&job).await?;
        self.running(&self.runtime, self.name(&job.id)).await?;
        let name = "bench-bare-always";
        let label = "helios.runtime.owner=bench-bare";
        let always = [
            "run",
            "-d",
            "--restart",
            "always",
            "--network",
            "host",
            "--label",
            label,
        ];
        run_docker(
            &[
                &always[..],
                &["--name", name, "helios-test/busybox:1", "/bin/idle"],
            ]
            .concat(),
        )?;
        for _ in 0..ROUNDS / 4 {
            for (runtime, name, times) in [
                (&self.runtime, self.name(&job.id), &mut pair.ours),
                (&bare, name.to_owned(), &mut pair.bare),
            ] {
                // Docker waits longer and longer unless a run lasted for ten seconds.
                tokio::time::sleep(Duration::from_secs(6)).await;
                let back = tokio::spawn(wait_replaced(runtime.clone(), name.clone()));
                tokio::time::sleep(Duration::from_millis(300)).await;
                end_process(&name)?;
                times.push(back.await??);
            }
        }
        run_docker(&["rm", "-f", name])?;
        self.undeploy_one(&job).await?;
        Ok(pair)
    }

    /// What it costs to look after containers that go on running.
    async fn idle(&self) -> Outcome<String> {
        let jobs: Vec<_> = (0..AT_ONCE)
            .map(|n| job(&format!("idle-{n}")))
            .collect::<Outcome<_>>()?;
        let deploys = jobs.iter().map(|job| self.deploy_one(job));
        futures_util::future::try_join_all(deploys).await?;
        self.seen(self.runtime.clone(), all_run).await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = ticks();
        tokio::time::sleep(IDLE).await;
        // A tick is a hundredth of a second.
        #[expect(clippy::cast_precision_loss, reason = "a few thousand ticks")]
        let percent = (ticks() - before) as f64 / IDLE.as_secs_f64();
        let figure = format!("{percent:.2} % of one core, {} resident", resident());
        for job in &jobs {
            let id = job.id.clone();
            let undeploy = Undeploy::new(self.host.clone(), id);
            self.cluster.undeploy(&undeploy).await?;
        }
        self.seen(self.runtime.clone(), |containers| containers.is_empty())
            .await?;
        Ok(figure)
    }

    async fn at_once(&self) -> Outcome<Pair> {
        let bare = Arc::new(docker(&Owner::new("bench-bare")?).await?);
        let jobs: Vec<_> = (0..AT_ONCE)
            .map(|n| job(&format!("many-{n}")))
            .collect::<Outcome<_>>()?;
        let mut pair = Pair::default();
        for _ in 0..3 {
            let start = Instant::now();
            let deploys = jobs.iter().map(|job| self.deploy_one(job));
            futures_util::future::try_join_all(deploys).await?;
            self.seen(self.runtime.clone(), all_run).await?;
            pair.ours.push(start.elapsed());
            for job in &jobs {
                self.cluster
                    .undeploy(&Undeploy::new(self.host.clone(), job.id.clone()))
                    .await?;
            }
            self.seen(self.runtime.clone(), |containers| containers.is_empty())
                .await?;
            for job in &jobs {
                self.cluster
                    .remove_job(&helios_core::ops::RemoveJob::new(job.id.clone()))
                    .await?;
            }

            let start = Instant::now();
            let made = futures_util::stream::iter(jobs.iter().enumerate().map(|(n, job)| {
                let (bare, spec) = (
                    bare.clone(),
                    ContainerSpec {
                        name: format!("bench-bare-many-{n}"),
                        ..self.spec(job)
                    },
                );
                async move {
                    let id = bare.create(&spec).await?;
                    bare.start(&id).await?;
                    Ok::<_, helios_core::runtime::RuntimeError>(id)
                }
            }));
            let ids: Vec<_> = made.buffer_unordered(BARE_PARALLEL).collect().await;
            self.seen(bare.clone(), all_run).await?;
            pair.bare.push(start.elapsed());
            for id in ids {
                bare.remove(&id?).await?;
            }
        }
        Ok(pair)
    }
}

fn all_run(containers: &helios_core::runtime::Containers) -> bool {
    let running = containers
        .iter()
        .filter(|container| container.state == ContainerState::Running);
    running.count() == AT_ONCE
}

async fn wait_running(runtime: Arc<DockerRuntime>, name: String) -> Outcome<Instant> {
    wait(runtime, |containers| {
        containers
            .get(&name)
            .is_some_and(|container| container.state == ContainerState::Running)
    })
    .await
}

async fn wait_exited(runtime: Arc<DockerRuntime>, name: String) -> Outcome<Instant> {
    wait(runtime, |containers| {
        containers
            .get(&name)
            .is_some_and(|container| matches!(container.state, ContainerState::Exited(_)))
    })
    .await
}

/// How long the container of that name was not running, from its end to its successor.
async fn wait_replaced(runtime: Arc<DockerRuntime>, name: String) -> Outcome<Duration> {
    let mut gone = None;
    let back = wait(runtime, |containers| {
        let runs = containers
            .get(&name)
            .is_some_and(|container| container.state == ContainerState::Running);
        if !runs && gone.is_none() {
            gone = Some(Instant::now());
        }
        runs && gone.is_some()
    })
    .await?;
    Ok(gone
        .map(|gone| back.saturating_duration_since(gone))
        .unwrap_or_default())
}

async fn wait(
    runtime: Arc<DockerRuntime>,
    mut holds: impl FnMut(&helios_core::runtime::Containers) -> bool,
) -> Outcome<Instant> {
    let mut looks = runtime.watch();
    while let Some(look) = looks.next().await {
        if holds(&look?) {
            return Ok(Instant::now());
        }
    }
    Err("the watch of the engine ended".into())
}

fn kill(container: &str) -> Outcome<()> {
    run_docker(&["kill", container]).map(drop)
}

/// Ends the container's process from outside, which Docker does not take for a wish of its user.
fn end_process(container: &str) -> Outcome<()> {
    let pid = run_docker(&["inspect", "--format", "{{.State.Pid}}", container])?;
    let done = Command::new("kill").args(["-9", pid.trim()]).status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| format!("the process {pid} of {container} cannot be ended: {done}").into())
}

fn run_docker(args: &[&str]) -> Outcome<String> {
    let done = Command::new("docker").args(args).output()?;
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout)?),
        false => Err(format!("docker {args:?}: {done:?}").into()),
    }
}
