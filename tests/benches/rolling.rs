//! A rolling update beside Docker's own: `cargo bench -p helios-tests --bench rolling`, as root.
//!
//! Fifty containers on one engine of this program's own, five at a time, first by fifty agents and a driver,
//! then by `docker service update` without a delay. From outside, every 50 ms, the processes that serve are
//! counted.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints its table, and ends at the first surprise"
)]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use helios_core::agent::{Agent, AgentId};
use helios_core::model::{DeploymentGroup, RolloutOptions};
use helios_core::ops::CreateJob;
use helios_core::{Cluster, HostName, Job, JobId};
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_rollout::rolling::{Driver, Groups, RollOut, RolloutState};
use helios_store::MemoryStore;
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CONTAINERS: usize = 50;
const WIDTH: usize = 5;
const IMAGE: &str = "helios-test/busybox:1";

/// How often it is counted what serves.
const SAMPLE: Duration = Duration::from_millis(50);

/// An engine with a network and directories of its own, which ends with the value.
struct Engine {
    dir: tempfile::TempDir,
    daemon: Child,
}

impl Engine {
    fn start() -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let path = |name: &str| dir.path().join(name).display().to_string();
        let log = fs::File::create(dir.path().join("log"))?;
        let script = format!(
            "ip link set lo up && exec dockerd --data-root {} --exec-root {} --pidfile {} --host unix://{} \
             --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false",
            path("data"),
            path("run"),
            path("pid"),
            path("docker.sock")
        );
        let mut daemon = Command::new("unshare");
        daemon.args(["-n", "--", "sh", "-c", &script]);
        let daemon = daemon.stdout(Stdio::null()).stderr(log).spawn()?;
        let engine = Self { dir, daemon };
        let begin = Instant::now();
        while engine.docker(&["version"]).is_err() {
            if begin.elapsed() > Duration::from_secs(120) {
                return Err("the engine does not answer".into());
            }
            sleep(Duration::from_millis(200));
        }
        let archive = path_of(&engine.dir, "image.tar");
        run(Command::new("docker").args(["save", "-o", &archive, IMAGE]))?;
        engine.docker(&["load", "-i", &archive])?;
        Ok(engine)
    }

    fn address(&self) -> String {
        format!("unix://{}", path_of(&self.dir, "docker.sock"))
    }

    fn docker(&self, args: &[&str]) -> Outcome<String> {
        run(Command::new("docker")
            .args(["-H", &self.address()])
            .args(args))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.docker(&["swarm", "leave", "--force"]);
        if let Ok(ids) = self.docker(&["ps", "-aq"]) {
            let ids: Vec<&str> = ids.lines().collect();
            let _ = self.docker(&[&["rm", "-f"][..], &ids].concat());
        }
        let _ = Command::new("kill")
            .arg(self.daemon.id().to_string())
            .status();
        let _ = self.daemon.wait();
        // It leaves its network namespace mounted.
        let dir = self.dir.path().display().to_string();
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for place in places.filter(|place| place.starts_with(&dir)) {
            let _ = Command::new("umount").args(["-l", place]).status();
        }
    }
}

fn path_of(dir: &tempfile::TempDir, name: &str) -> String {
    let path: PathBuf = dir.path().join(name);
    path.display().to_string()
}

fn run(command: &mut Command) -> Outcome<String> {
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{command:?}: {}", text(&output.stderr)).into())
    }
}

/// Counts from outside what serves, until it is told to stop.
struct Probe {
    is_done: Arc<AtomicBool>,
    work: std::thread::JoinHandle<usize>,
}

impl Probe {
    fn start(mark: &str) -> Self {
        let is_done = Arc::new(AtomicBool::new(false));
        let (end, mark) = (Arc::clone(&is_done), mark.to_owned());
        let work = std::thread::spawn(move || {
            let mut fewest = usize::MAX;
            while !end.load(Ordering::Relaxed) {
                fewest = fewest.min(serving(&mark));
                sleep(SAMPLE);
            }
            fewest
        });
        Self { is_done, work }
    }

    fn fewest(self) -> usize {
        self.is_done.store(true, Ordering::Relaxed);
        self.work.join().expect("it counts to the end")
    }
}

/// How many main processes of containers bear a mark in their environment.
fn serving(mark: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let bears = |entry: &fs::DirEntry| {
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        line.contains("/bin/idle") && String::from_utf8_lossy(&read("environ")).contains(mark)
    };
    entries.filter(bears).count()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Outcome<()> {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > Duration::from_secs(600) {
            return Err(format!("not within ten minutes: {what}").into());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Fifty hosts on that engine, and a master.
async fn fleet(engine: &Engine) -> Outcome<(Cluster, JoinSet<()>)> {
    let store = MemoryStore::new();
    let cluster = Cluster::on(Arc::new(store.clone()))?;
    cluster.init().await?;
    let endpoint: DockerEndpoint = engine.address().parse()?;
    let mut work = JoinSet::new();
    for number in 0..CONTAINERS {
        let name: HostName = format!("h{number}").parse()?;
        let id = AgentId::new(format!("bench-{}-{number}", std::process::id()))?;
        let runtime = DockerRuntime::connect(endpoint.clone(), id.owner().clone()).await?;
        let (store, state) = (Arc::new(store.session()), Arc::new(MemoryStateDir::new()));
        let agent = Agent::new(name, id, store, Arc::new(runtime), state)
            .probe(Arc::new(FakeProbe::new()))
            .machine(Arc::new(FakeMachine::new()))
            .labels([("role", "web")]);
        work.spawn(async move {
            let _ = agent.run(std::future::pending()).await;
        });
    }
    work.spawn(Driver::new(&cluster, "m1").run(std::future::pending()));
    cluster
        .wait_until(|fleet| fleet.up.iter().count() == CONTAINERS)
        .await?;
    let group = DeploymentGroup::new("front", vec!["role=web".parse()?]);
    Groups::of(cluster.clone()).create(&group).await?;
    Ok((cluster, work))
}

async fn create(cluster: &Cluster, version: usize, mark: &str) -> Outcome<JobId> {
    let mut job = Job::new(&format!("web:{version}"), IMAGE)?.command(["/bin/idle"]);
    job.network_mode = Some("host".to_owned());
    job.env.insert("MARK".to_owned(), mark.to_owned());
    let job = CreateJob::new(job.with_computed_id());
    Ok(cluster.create_job(&job).await?)
}

/// Rolls a job out, and says how long it took.
async fn roll_out(cluster: &Cluster, job: &JobId, width: usize) -> Outcome<Duration> {
    let groups = Groups::of(cluster.clone());
    let mut options = RolloutOptions::default();
    options.parallelism = Some(i32::try_from(width)?);
    let request = RollOut {
        options,
        ..RollOut::new("front", job.clone())
    };
    let begin = Instant::now();
    groups.roll_out(&request).await?;
    loop {
        let record = groups.get("front").await?.ok_or("no group")?;
        let rollout = record.rollout.clone().ok_or("no rollout")?;
        match rollout.state {
            RolloutState::RollingOut => tokio::time::sleep(Duration::from_millis(20)).await,
            RolloutState::Done => return Ok(begin.elapsed()),
            RolloutState::Failed => return Err(format!("{:?}", rollout.error).into()),
        }
    }
}

async fn ours(engine: &Engine, mark: &str) -> Outcome<(Duration, usize)> {
    let (cluster, mut work) = fleet(engine).await?;
    let [old, new] = [
        create(&cluster, 1, mark).await?,
        create(&cluster, 2, mark).await?,
    ];
    roll_out(&cluster, &old, CONTAINERS).await?;
    until("all serve", || serving(mark) == CONTAINERS)?;
    let probe = Probe::start(mark);
    let took = roll_out(&cluster, &new, WIDTH).await?;
    let fewest = probe.fewest();
    work.shutdown().await;
    let ids = engine.docker(&["ps", "-aq"])?;
    let ids: Vec<&str> = ids.lines().collect();
    engine.docker(&[&["rm", "-f"][..], &ids].concat())?;
    Ok((took, fewest))
}

fn swarm(engine: &Engine, mark: &str) -> Outcome<(Duration, usize)> {
    engine.docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"])?;
    let (replicas, width) = (CONTAINERS.to_string(), WIDTH.to_string());
    let mark_variable = format!("MARK={mark}");
    let mut create = vec![
        "service",
        "create",
        "--detach",
        "--no-resolve-image",
        "--name",
        "web",
    ];
    create.extend([
        "--replicas",
        &replicas,
        "--network",
        "host",
        "--env",
        &mark_variable,
    ]);
    create.extend(["--update-parallelism", &width, "--update-delay", "0s"]);
    create.extend(["--update-monitor", "1ms", IMAGE, "/bin/idle"]);
    engine.docker(&create)?;
    until("all serve", || serving(mark) == CONTAINERS)?;
    let probe = Probe::start(mark);
    let begin = Instant::now();
    engine.docker(&[
        "service",
        "update",
        "--detach",
        "--no-resolve-image",
        "--env-add",
        "V=2",
        "web",
    ])?;
    until("the update is completed", || {
        let state = engine.docker(&["service", "inspect", "-f", "{{.UpdateStatus.State}}", "web"]);
        state.is_ok_and(|state| state == "completed")
    })?;
    Ok((begin.elapsed(), probe.fewest()))
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let engine = Engine::start()?;
    let mark = |who: &str| format!("helios-bench-{who}-{}", std::process::id());
    let (ours, ours_fewest) = ours(&engine, &mark("ours")).await?;
    let (swarm, swarm_fewest) = swarm(&engine, &mark("swarm"))?;
    println!("{CONTAINERS} containers on one engine, {WIDTH} at a time, sampled every {SAMPLE:?}");
    println!("rolling update:        {ours:>8.2?}, never fewer than {ours_fewest} serving");
    println!("docker service update: {swarm:>8.2?}, never fewer than {swarm_fewest} serving");
    println!("ratio: {:.2}", ours.as_secs_f64() / swarm.as_secs_f64());
    Ok(())
}
