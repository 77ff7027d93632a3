//! One host, beside the bare engine: `cargo bench -p helios-tests --bench one_host`, or `make bench`. With the names of
//! rows after `--`, as `-- at_once idle`, only those: `deploy`, `reaction`, `at_once`, `process_dies`, `idle`.
//!
//! Every figure of time is the ratio of two things measured alternately in one run on one engine: the whole agent
//! with its durable store and state directory, and the two calls that no orchestrator can do without.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints its table, and ends at the first surprise"
)]

#[path = "../../src/zookeeper/ensemble.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod ensemble;
mod idle;
mod outside;
#[path = "../../src/zookeeper/proxy.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod proxy;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use helios_core::agent::{Agent, AgentId};
use helios_core::cluster::FleetView;
use helios_core::ops::{CreateJob, Deploy, RemoveJob, Undeploy};
use helios_core::reconcile::{KeepDead, Policy, container_name, container_spec};
use helios_core::runtime::{ContainerSpec, ContainerState, Owner, RuntimeError};
use helios_core::state_dir::FileStateDir;
use helios_core::{Cluster, Goal, HostName, Job, JobId, Runtime};
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_store::FileStore;

use outside::{end_process, kill, run_docker, wait_started};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 40;
const AT_ONCE: usize = 100;
/// How many calls the bare engine is given at a time: the best of these counts.
const BARE_PARALLEL: [usize; 3] = [4, 8, 16];
/// After a run of ten seconds Docker's own delay before a restart is the first one again.
const LASTING: Duration = Duration::from_millis(10_500);

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
    // As the binary does, but not for an hour.
    let keep = KeepDead {
        of_each_job: 1,
        keep_for: Duration::from_secs(2),
    };
    let agent = Agent::new(host.clone(), id, store, runtime.clone(), state)
        .keep_dead(runtime.clone(), keep)
        .policy(|policy| {
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
    let rows: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let asked = |row: &str| rows.is_empty() || rows.iter().any(|asked| asked == row);
    println!(
        "{:<44} {:<7} {:>12} {:>12} {:>7}",
        "", "", "helios", "bare", "ratio"
    );
    if asked("deploy") {
        bench.deploy().await?.print("deploy accepted -> running");
    }
    if asked("reaction") {
        let what = "container killed -> running again (delay 0)";
        bench.reaction().await?.print(what);
    }
    if asked("at_once") {
        bench.at_once().await?;
    }
    if asked("process_dies") {
        let what = "process dies -> runs again; Docker `always`";
        bench.process_dies().await?.print(what);
        println!(
            "the default delay before a first restart: 75 to 125 ms, by job and attempt; Docker's: 100 ms"
        );
    }
    bench
        .seen(bench.runtime.clone(), |containers| containers.is_empty())
        .await?;
    agent.abort();
    if asked("idle") {
        idle::measure(AT_ONCE).await?;
    }
    Ok(())
}

async fn docker(owner: &Owner) -> Outcome<DockerRuntime> {
    Ok(DockerRuntime::connect(DockerEndpoint::default(), owner.clone()).await?)
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

    /// From the kill to the look that shows a successor running.
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
            let killed = Instant::now();
            kill(&self.name(&job.id))?;
            pair.ours
                .push(ours.await??.saturating_duration_since(killed));

            let gone = tokio::spawn(wait_exited(bare.clone(), spec.name.clone()));
            tokio::time::sleep(Duration::from_millis(300)).await;
            let killed = Instant::now();
            kill(&spec.name)?;
            gone.await??;
            let running = tokio::spawn(wait_running(bare.clone(), spec.name.clone()));
            bare.remove(&id).await?;
            id = bare.create(&spec).await?;
            bare.start(&id).await?;
            pair.bare
                .push(running.await??.saturating_duration_since(killed));
        }
        bare.remove(&id).await?;
        self.undeploy_one(&job).await?;
        Ok(pair)
    }

    /// From the end of a container's process to the engine's word that it or its successor was started: this agent
    /// without delay, and Docker's own restart policy, which starts the same container.
    async fn process_dies(&self) -> Outcome<Pair> {
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
        for _ in 0..ROUNDS / 8 {
            tokio::time::sleep(LASTING).await;
            let ours = self.name(&job.id);
            for (name, times) in [(ours.as_str(), &mut pair.ours), (name, &mut pair.bare)] {
                // A runtime takes a container that Docker restarts for one that runs: only the events tell.
                let back = tokio::task::spawn_blocking(wait_started);
                tokio::time::sleep(Duration::from_millis(300)).await;
                let ended = Instant::now();
                end_process(name)?;
                times.push(back.await??.saturating_duration_since(ended));
            }
        }
        run_docker(&["rm", "-f", name])?;
        self.undeploy_one(&job).await?;
        Ok(pair)
    }

    async fn at_once(&self) -> Outcome<()> {
        let bare = Arc::new(docker(&Owner::new("bench-bare")?).await?);
        let jobs: Vec<_> = (0..AT_ONCE)
            .map(|n| job(&format!("many-{n}")))
            .collect::<Outcome<_>>()?;
        let what = format!("{AT_ONCE} deploys at once -> all running");
        let (mut ours, mut best) = (Vec::new(), Duration::MAX);
        for width in BARE_PARALLEL {
            ours.push(self.deploy_all(&jobs).await?);
            let took = self.bare_at_once(&bare, &jobs, width).await?;
            println!(
                "{what:<44} bare, {width:>2} at a time {:>13.1} ms",
                millis(took)
            );
            best = best.min(took);
        }
        ours.sort();
        let median = ours[ours.len() / 2];
        println!(
            "{what:<44} {:<7} {:>9.1} ms {:>9.1} ms {:>6.2}x",
            "median",
            millis(median),
            millis(best),
            millis(median) / millis(best)
        );
        Ok(())
    }

    async fn deploy_all(&self, jobs: &[Job]) -> Outcome<Duration> {
        let start = Instant::now();
        let deploys = jobs.iter().map(|job| self.deploy_one(job));
        futures_util::future::try_join_all(deploys).await?;
        self.seen(self.runtime.clone(), all_run).await?;
        let took = start.elapsed();
        for job in jobs {
            let undeploy = Undeploy::new(self.host.clone(), job.id.clone());
            self.cluster.undeploy(&undeploy).await?;
        }
        self.seen(self.runtime.clone(), |containers| containers.is_empty())
            .await?;
        for job in jobs {
            self.cluster
                .remove_job(&RemoveJob::new(job.id.clone()))
                .await?;
        }
        Ok(took)
    }

    /// The two calls for each container, so many at a time.
    async fn bare_at_once(
        &self,
        bare: &Arc<DockerRuntime>,
        jobs: &[Job],
        width: usize,
    ) -> Outcome<Duration> {
        let start = Instant::now();
        let made = futures_util::stream::iter(jobs.iter().enumerate().map(|(n, job)| {
            let spec = ContainerSpec {
                name: format!("bench-bare-many-{n}"),
                ..self.spec(job)
            };
            async move {
                let id = bare.create(&spec).await?;
                bare.start(&id).await?;
                Ok::<_, RuntimeError>(id)
            }
        }));
        let ids: Vec<_> = made.buffer_unordered(width).collect().await;
        self.seen(bare.clone(), all_run).await?;
        let took = start.elapsed();
        let removed = ids
            .into_iter()
            .map(|id| async move { bare.remove(&id?).await });
        let removed = futures_util::stream::iter(removed).buffer_unordered(8);
        removed
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
        Ok(took)
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
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

/// When the container of that name, which runs, runs again: as it is, or as another one.
async fn wait_replaced(runtime: Arc<DockerRuntime>, name: String) -> Outcome<Instant> {
    let (mut first, mut ended) = (None, false);
    wait(runtime, |containers| {
        let container = containers.get(&name);
        let running = container.filter(|container| container.state == ContainerState::Running);
        ended |= running.is_none();
        let id = running.map(|container| container.id.clone());
        first = first.take().or_else(|| id.clone());
        id.is_some() && (ended || id != first)
    })
    .await
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
