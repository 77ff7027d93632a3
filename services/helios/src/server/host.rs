//! This machine, as an agent serves it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::orphans::OrphanPolicy;
use helios_core::reconcile::KeepDead;
use helios_core::state_dir::FileStateDir;
use helios_core::{HostName, Store};
use helios_docker::{DockerEndpoint, DockerRuntime};

use super::agent_http::{AgentHttp, Answering};
use super::containers::{Containers, pair};
use super::outlets::Outlets;
use super::reset_action::resetting;
use crate::args::{AgentOptions, HostResetOptions};
use crate::{Environment, Failure};

/// What an agent serves this machine with: its name, its state directory, which is held from now on, and its
/// container engine.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: HostName,
    pub(super) engine: DockerEndpoint,
    state: Arc<FileStateDir>,
    labels: Vec<(String, String)>,
    containers: Containers,
    id: Option<String>,
    no_history: bool,
    orphans: OrphanPolicy,
    dead: KeepDead,
    images_kept_for: Option<Duration>,
    reset: HostResetOptions,
    outlets: Outlets,
}

/// An agent, and what answers for it if anything does.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) agent: Agent,
    pub(super) answering: Option<Answering>,
}

impl Host {
    /// Looks at everything that can be wrong before anything is opened, and takes the state directory.
    pub(super) fn open(options: &AgentOptions, environment: &Environment) -> Result<Self, Failure> {
        let name = host_name(options.name.as_deref(), environment)?;
        let engine = engine(options.docker.as_deref(), environment)?;
        let labels = options
            .labels
            .iter()
            .map(|label| pair("--labels", label))
            .collect::<Result<_, _>>()?;
        let containers = Containers::read(&options.containers)?;
        let outlets = Outlets::read(&options.outlets, environment)?;
        let dir = state_dir(options, environment)?;
        let state = FileStateDir::open(dir).map_err(|error| {
            Failure::new(format!("the agent of {name} cannot start"))
                .caused_by(error)
                .advise("give each agent a --state-dir of its own where it may write")
        })?;
        Ok(Self {
            name,
            engine,
            state: Arc::new(state),
            labels,
            containers,
            id: options.id.clone(),
            no_history: options.disable_job_history,
            orphans: options.orphans.policy(),
            dead: options.dead.policy(),
            images_kept_for: options.remove_images_after.map(Duration::from_secs),
            outlets,
            reset: options.reset.clone(),
        })
    }

    /// Where a store of this host alone lives.
    pub(super) fn store_dir(&self) -> PathBuf {
        self.state.path().join("store")
    }

    /// The agent, once its engine answers.
    pub(super) async fn agent(
        self,
        store: Arc<dyn Store>,
        http: Option<AgentHttp>,
    ) -> Result<Serving, Failure> {
        let given = self.id.as_deref();
        let id = AgentId::load(&*self.state, given).await.map_err(|error| {
            Failure::new(format!("the agent of {} has no identity", self.name))
                .caused_by(error)
                .advise("give it another --id, or another --state-dir")
        })?;
        let owner = id.owner().clone();
        let agent_id = id.as_str().to_owned();
        let environment = self.containers.environment().clone();
        let runtime =
            DockerRuntime::connect(self.engine.clone(), owner)
                .await
                .map_err(|error| {
                    Failure::new("this host has no container engine")
                .caused_by(error)
                .advise("start it (`sudo systemctl start docker`), or name another with --docker")
                })?;
        // Shown to people only: an engine that keeps it to itself can be used all the same.
        let version = runtime.version().await.ok();
        let runtime = Arc::new(runtime);
        let host = self.name.clone();
        let agent = Agent::new(self.name, id, store, Arc::clone(&runtime) as _, self.state)
            .probe(Arc::clone(&runtime) as _)
            .orphans(Arc::clone(&runtime) as _, self.orphans)
            .keep_dead(Arc::clone(&runtime) as _, self.dead)
            .labels(self.labels)
            .policy(|policy| self.containers.apply(policy))
            .engine(version, Some(self.engine.to_string()));
        let agent = if self.no_history {
            agent.without_history()
        } else {
            agent
        };
        let agent = match self.images_kept_for {
            Some(time) => agent.images(Arc::clone(&runtime) as _, time),
            None => agent,
        };
        let agent = resetting(agent, host, self.reset);
        let agent = self.outlets.open(agent, &agent_id, &environment)?;
        let (agent, answering) = match http {
            Some(http) => {
                let (agent, answering) = http.of(agent, runtime);
                (agent, Some(answering))
            }
            None => (agent, None),
        };
        Ok(Serving { agent, answering })
    }
}

/// The name that is given, or that of this machine.
pub(super) fn host_name(
    given: Option<&str>,
    environment: &Environment,
) -> Result<HostName, Failure> {
    let name = given.or_else(|| environment.machine()).unwrap_or_default();
    name.parse()
        .map_err(|error: helios_core::model::ParseError| {
            Failure::new(error.to_string()).advise("give this host a name with --name")
        })
}

fn engine(given: Option<&str>, environment: &Environment) -> Result<DockerEndpoint, Failure> {
    let Some(address) = given.or_else(|| environment.variable("DOCKER_HOST")) else {
        return Ok(DockerEndpoint::default());
    };
    address
        .parse()
        .map_err(|error: helios_docker::EndpointError| {
            Failure::new(error.to_string()).advise("correct --docker or DOCKER_HOST")
        })
}

fn state_dir(options: &AgentOptions, environment: &Environment) -> Result<PathBuf, Failure> {
    if let Some(dir) = &options.state_dir {
        return Ok(dir.clone());
    }
    if environment.is_root() {
        return Ok(PathBuf::from("/var/lib/helios"));
    }
    let states = environment.variable("XDG_STATE_HOME").map(PathBuf::from);
    let states = states.or_else(|| Some(environment.home()?.join(".local/state")));
    match states {
        Some(dir) => Ok(dir.join("helios")),
        None => Err(
            Failure::new("there is no home directory for the agent's state")
                .advise("name a directory with --state-dir"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{
        ContainerOptions, DeadOptions, HostResetOptions, HttpOptions, OrphanOptions, OutletOptions,
    };

    fn options() -> AgentOptions {
        AgentOptions {
            state_dir: None,
            name: Some("n1".to_owned()),
            docker: None,
            labels: Vec::new(),
            id: None,
            disable_job_history: false,
            containers: ContainerOptions::default(),
            orphans: OrphanOptions::default(),
            http: HttpOptions::default(),
            dead: DeadOptions::default(),
            remove_images_after: None,
            outlets: OutletOptions::default(),
            reset: HostResetOptions::default(),
        }
    }

    #[test]
    fn state_is_kept_with_the_user() {
        for (variables, dir) in [
            (
                [("HOME", "/home/ann"), ("XDG_STATE_HOME", "")],
                "/home/ann/.local/state/helios",
            ),
            (
                [("HOME", "/home/ann"), ("XDG_STATE_HOME", "/s")],
                "/s/helios",
            ),
        ] {
            let environment = Environment::of_variables(variables);
            assert_eq!(
                state_dir(&options(), &environment).unwrap(),
                PathBuf::from(dir)
            );
        }
        assert!(state_dir(&options(), &Environment::default()).is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let with = |change: fn(&mut AgentOptions)| {
            let mut options = options();
            options.state_dir = Some(dir.path().join("state"));
            change(&mut options);
            Host::open(&options, &Environment::default())
                .unwrap_err()
                .to_string()
        };
        for (failure, part) in [
            (
                with(|options| options.name = Some("a/b".to_owned())),
                "\"a/b\"",
            ),
            (
                with(|options| options.name = None),
                "\"\" is not a host name",
            ),
            (
                with(|options| options.docker = Some("ssh://h".to_owned())),
                "\"ssh://h\"",
            ),
            (
                with(|options| options.labels = vec!["role".to_owned()]),
                "\"role\"",
            ),
            (
                with(|options| options.state_dir = Some("/dev/null/x".into())),
                "/dev/null/x",
            ),
        ] {
            assert!(failure.contains(part), "{failure}");
        }
    }

    #[test]
    fn a_state_directory_is_held_by_one_host_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let options = AgentOptions {
            state_dir: Some(dir.path().to_owned()),
            ..options()
        };
        let environment = Environment::default();
        let _first = Host::open(&options, &environment).unwrap();
        let failure = Host::open(&options, &environment).unwrap_err().to_string();
        assert!(failure.contains("in use by another process"), "{failure}");
    }
}
