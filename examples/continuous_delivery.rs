//! Continuous delivery in one program: build an image, test it in a container, push it, and roll exactly what was tested
//! out over a group of hosts. Two agents on this machine's engine stand for the hosts; elsewhere they are elsewhere, and
//! the last step is a call on a cluster whose store is an ensemble.
//!
//! `cargo run --example continuous_delivery [registry]`, after `make services` made the engine, an image and a registry.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::cluster::FleetView;
use helios_core::model::{DeploymentGroup, HealthCheck};
use helios_core::ops::{CreateJob, Undeploy};
use helios_core::{Cluster, HostName, Job, JobId, PortMapping};
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_rollout::rolling::{Driver, Groups, RollOut, RolloutState};
use helios_store::MemoryStore;
use helios_testkit::host::MemoryStateDir;
use helios_testkit::temporary::TemporaryJobs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const RECIPE: &str = "FROM helios-test/web:1\nRUN echo we deliver > /www/index.html\n";

#[tokio::main]
async fn main() -> Outcome<()> {
    let registry = std::env::args().nth(1);
    let registry = registry.unwrap_or_else(|| "127.0.0.1:15000".to_owned());
    let image = docker(&["build", "-q", "-"], RECIPE).await?;
    println!("built   {image}");
    test(&image).await?;
    println!("tested  {image}");
    let digest = push(&image, &format!("{registry}/helios-examples/site")).await?;
    println!("pushed  {digest}");

    let production = Production::start().await?;
    let delivered = production.deliver(&digest).await;
    production.end().await?;
    delivered
}

/// What `docker` prints.
async fn docker(arguments: &[&str], input: &str) -> Outcome<String> {
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::piped());
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = process.wait_with_output().await?;
    if !output.status.success() {
        return Err(format!("docker {} failed", arguments.join(" ")).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn page(address: &str) -> Outcome<String> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = String::new();
    connection.read_to_string(&mut page).await?;
    Ok(page)
}

/// In real life this is `cargo test`.
async fn test(image: &str) -> Outcome<()> {
    let jobs = TemporaryJobs::solo().await?;
    let site = jobs.job("site").image(image).port("http", 80);
    let site = site.health_check(HealthCheck::http("http", "/"));
    let site = site.deploy().await?;
    let page = page(&site.address("http")?.to_string()).await?;
    jobs.end().await?;
    let is_right = page.ends_with("we deliver\n");
    is_right.then_some(()).ok_or_else(|| page.into())
}

/// A tag may mean another image tomorrow; a digest means this one for ever.
async fn push(image: &str, name: &str) -> Outcome<String> {
    docker(&["tag", image, name], "").await?;
    docker(&["push", "-q", name], "").await?;
    let format = "{{join .RepoDigests \"\\n\"}}";
    let digests = docker(&["image", "inspect", "-f", format, image], "").await?;
    let mut digests = digests.lines();
    let digest = digests.find(|digest| digest.starts_with(&format!("{name}@")));
    Ok(digest.ok_or("the registry gave no digest")?.to_owned())
}

/// Two hosts with the label `role=web`, and a master that moves rolling updates.
struct Production {
    cluster: Cluster,
    hosts: Vec<HostName>,
}

impl Production {
    async fn start() -> Outcome<Self> {
        let store = MemoryStore::new();
        let cluster = Cluster::on(Arc::new(store.clone()))?;
        cluster.init().await?;
        let hosts = vec!["web1".parse()?, "web2".parse()?];
        for host in &hosts {
            let id = AgentId::new(format!("delivery-{host}-{}", std::process::id()))?;
            let engine = DockerEndpoint::default();
            let docker = Arc::new(DockerRuntime::connect(engine, id.owner().clone()).await?);
            let store = Arc::new(store.session());
            let state = Arc::new(MemoryStateDir::new());
            let agent = Agent::new(HostName::clone(host), id, store, docker.clone(), state);
            let agent = agent.probe(docker).labels([("role", "web")]);
            tokio::spawn(agent.run(std::future::pending()));
        }
        tokio::spawn(Driver::new(&cluster, "m1").run(std::future::pending()));
        cluster
            .wait_until(|fleet| hosts.iter().all(|host| fleet.is_up(host)))
            .await?;
        let group = DeploymentGroup::new("front", vec!["role=web".parse()?]);
        Groups::of(cluster.clone()).create(&group).await?;
        Ok(Self { cluster, hosts })
    }

    async fn deliver(&self, digest: &str) -> Outcome<()> {
        let job = Job::new("site:1", digest)?
            .port("http", PortMapping::tcp(80))
            .health_check(HealthCheck::http("http", "/"));
        let job = self.cluster.create_job(&CreateJob::new(job)).await?;
        let groups = Groups::of(self.cluster.clone());
        groups.roll_out(&RollOut::new("front", job.clone())).await?;
        loop {
            let group = groups.get("front").await?.ok_or("the group is gone")?;
            let rollout = group.rollout.as_ref().ok_or("nothing was rolled out")?;
            match rollout.state {
                RolloutState::RollingOut => tokio::time::sleep(Duration::from_millis(100)).await,
                RolloutState::Failed => return Err(format!("given up: {:?}", rollout.error).into()),
                RolloutState::Done => break,
            }
        }
        for host in &self.hosts {
            let address = self.address(host, &job).await?;
            println!(
                "rolled out to {host}, at {address}: {}",
                page(&address).await?.lines().last().unwrap_or_default()
            );
        }
        Ok(())
    }

    async fn address(&self, host: &HostName, job: &JobId) -> Outcome<String> {
        let fleet = self.cluster.fleet().await?;
        let task = fleet.task(host, job).ok_or("no task")?;
        let port = task.ports.get("http").and_then(|port| port.external_port);
        Ok(format!("127.0.0.1:{}", port.ok_or("no port")?))
    }

    /// Leaves no container behind.
    async fn end(&self) -> Outcome<()> {
        Groups::of(self.cluster.clone()).remove("front").await?;
        let fleet = self.cluster.fleet().await?;
        for host in &self.hosts {
            let jobs = fleet.hosts.get(host).map(|host| host.goals.keys());
            for job in jobs.into_iter().flatten() {
                let request = Undeploy::new(host.clone(), job.clone());
                self.cluster.undeploy(&request).await?;
            }
        }
        let is_empty = |fleet: &FleetView, host| {
            let report = fleet.reports.get(host);
            report.is_none_or(|report| report.record.tasks.is_empty())
        };
        self.cluster
            .wait_until(|fleet| self.hosts.iter().all(|host| is_empty(fleet, host)))
            .await?;
        Ok(())
    }
}
