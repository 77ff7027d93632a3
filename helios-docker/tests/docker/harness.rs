//! The engine of this machine, as the suite needs it.

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerSpec, Owner};
use helios_docker::{Credentials, DockerEndpoint, DockerRuntime, Timeouts};
use helios_testkit::runtime::conformance::{Behaviour, RuntimeHarness, SampleImage};

use crate::proxy::Proxy;

pub(crate) const IMAGE: &str = "helios-test/busybox:1";
const OWNER_LABEL: &str = "helios.runtime.owner";
const PREFIX: &str = "conformance-";
const NEEDED: &str = "these tests need a Docker engine, the test images and the registries: \
                      run 'make services', which starts them";

/// Owners of this process and this case, on the engine at `DOCKER_HOST` or the local socket.
pub(crate) struct DockerHarness {
    /// Past the proxy.
    pub(crate) client: Docker,
    prefix: String,
    proxy: Proxy,
    _folder: tempfile::TempDir,
}

impl DockerHarness {
    pub(crate) async fn new() -> Self {
        static CASES: AtomicU32 = AtomicU32::new(0);
        let client = Docker::connect_with_defaults().expect(NEEDED);
        let client = client.negotiate_version().await.expect(NEEDED);
        client.inspect_image(IMAGE).await.expect(NEEDED);
        let case = CASES.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let harness = Self {
            prefix: format!("{PREFIX}{}-{case}-", std::process::id()),
            proxy: Proxy::new(folder.path().join("docker.sock"), engine_socket()),
            client,
            _folder: folder,
        };
        harness.remove(of_the_dead).await;
        harness
    }

    pub(crate) fn owner(&self, name: &str) -> Owner {
        Owner::new(format!("{}{name}", self.prefix)).unwrap()
    }

    pub(crate) fn endpoint(&self) -> DockerEndpoint {
        let socket = self.proxy.socket().to_str().unwrap();
        DockerEndpoint::Unix(socket.to_owned())
    }

    pub(crate) async fn docker(&self, owner: &str) -> DockerRuntime {
        let runtime = DockerRuntime::connect(self.endpoint(), self.owner(owner)).await;
        let runtime = runtime.unwrap().with_timeouts(Timeouts {
            // Events alone must do.
            resync: Duration::from_secs(3600),
            ..Timeouts::default()
        });
        // The user who runs the tests may be logged in anywhere.
        runtime.with_credentials(Credentials::Anonymous)
    }

    /// Removes the containers whose owner is meant.
    async fn remove(&self, meant: impl Fn(&str) -> bool) {
        let filters = HashMap::from([("label", vec![OWNER_LABEL])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let there = self.client.list_containers(Some(options)).await.unwrap();
        for container in there {
            let labels = container.labels.unwrap_or_default();
            if labels.get(OWNER_LABEL).is_some_and(|owner| meant(owner)) {
                let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
                let id = container.id.unwrap();
                // Another process may be at the same leftovers.
                let _ = self
                    .client
                    .remove_container(&id, Some(options.build()))
                    .await;
            }
        }
    }
}

fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let path = host
        .strip_prefix("unix://")
        .unwrap_or("/var/run/docker.sock");
    PathBuf::from(path)
}

/// Whether a container is the leftover of a test process that was killed.
fn of_the_dead(owner: &str) -> bool {
    let pid = owner
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split('-').next());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

pub(crate) fn registry() -> String {
    address("HELIOS_REGISTRY_PORT", "15000")
}

pub(crate) fn private_registry() -> String {
    address("HELIOS_PRIVATE_REGISTRY_PORT", "15001")
}

fn address(variable: &str, default: &str) -> String {
    let port = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    format!("127.0.0.1:{port}")
}

#[async_trait]
impl RuntimeHarness for DockerHarness {
    async fn runtime(&self, owner: &str) -> Arc<dyn Runtime> {
        Arc::new(self.docker(owner).await)
    }

    fn spec(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        let mut spec = ContainerSpec::new(format!("{}{name}", self.prefix), IMAGE);
        let exit;
        let command: &[&str] = match behaviour {
            Behaviour::Obedient => &["/bin/idle"],
            Behaviour::Slow => &["/bin/slow"],
            Behaviour::Stubborn => &["/bin/stubborn"],
            Behaviour::Exits(code) => {
                exit = format!("exit {code}");
                &["/bin/sh", "-c", &exit]
            }
            Behaviour::NoSuchCommand => &["/no/such/command"],
            Behaviour::Refused => &["/bin/idle"],
        };
        spec.command = command.iter().map(|part| (*part).to_owned()).collect();
        if behaviour == Behaviour::Refused {
            spec.add_capabilities.insert("NO_SUCH_CAPABILITY".into());
        }
        spec.env = BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]);
        spec
    }

    fn image(&self, sample: SampleImage) -> String {
        let registry = registry();
        match sample {
            SampleImage::Pullable => format!("{registry}/{IMAGE}"),
            SampleImage::NeverPulled => format!("{registry}/helios-test/never-pulled:1"),
            SampleImage::Unknown => format!("{registry}/helios-test/busybox:no-such-tag"),
            // Port 1 of loopback: nobody listens there.
            SampleImage::Unreachable => "127.0.0.1:1/helios-test/busybox:1".to_owned(),
            SampleImage::Denied => format!("{}/{IMAGE}", private_registry()),
        }
    }

    fn free_port(&self) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    }

    async fn ready(&self, id: &ContainerId) {
        let options = LogsOptionsBuilder::new().stdout(true).follow(true).build();
        let mut logs = self.client.logs(id.as_str(), Some(options));
        while let Some(line) = logs.next().await {
            if line.unwrap().to_string().contains("ready") {
                return;
            }
        }
        panic!("{id} ended before it was ready");
    }

    async fn run_of(&self, id: &ContainerId) -> String {
        let seen = self.client.inspect_container(id.as_str(), None).await;
        seen.unwrap().state.unwrap().started_at.unwrap()
    }

    async fn kill(&self, id: &ContainerId) {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let killed = self.client.kill_container(id.as_str(), Some(options)).await;
        killed.unwrap();
    }

    async fn cut(&self) {
        self.proxy.cut();
        // The aborted connections end when the executor next runs.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn heal(&self) {
        self.proxy.heal();
    }

    async fn clean_up(&self) {
        let ours = self.prefix.clone();
        self.remove(|owner| owner.starts_with(&ours)).await;
    }
}
