//! Scripts for a host in a test tube: plans are applied to containers that do as they are told.

mod containers;
mod health;
mod history;
mod memories;
mod ports;
mod services;
mod specs;
mod states;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Goal, HealthCheck, Job, PortMapping, TaskState, ThrottleState};
use crate::runtime::{
    Container, ContainerId, ContainerState, Containers, Exit, ProbeTarget, Protocol, RuntimeError,
    RuntimeErrorKind,
};

/// A host whose engine obeys at once, or fails as it is told to.
struct Host {
    desired: Desired,
    observed: Observed,
    now: Moment,
    made: u64,
    fail: BTreeMap<Verb, RuntimeErrorKind>,
    log: Vec<String>,
}

impl Host {
    fn new() -> Self {
        Self {
            desired: Desired::new(Policy::for_host("web1")),
            observed: Observed {
                containers: Some(Containers::new()),
                ..Observed::default()
            },
            now: Moment::default(),
            made: 0,
            fail: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn deploy(&mut self, job: &Job, goal: Goal) {
        self.desired = self.desired.clone().with(job.clone(), goal);
    }

    fn look(&mut self) {
        let Some(containers) = self.observed.containers.clone() else {
            return;
        };
        let policy = Arc::clone(&self.desired.policy);
        let mut known: Vec<_> = self.desired.tasks.keys().cloned().collect();
        known.extend(containers.iter().filter_map(container_spec::job_of));
        for id in known {
            let container = containers.get(&container_name(&policy.namespace, &id));
            self.observed
                .memories
                .entry(id.clone())
                .or_default()
                .see(&id, container, &policy, self.now);
        }
    }

    /// One pass: decide and do. Says whether anything was done.
    fn pass(&mut self) -> bool {
        self.look();
        let plan = reconcile(&self.desired, &self.observed, self.now);
        self.observed.leases = Arc::clone(&plan.leases);
        let mut acted = false;
        for line in plan.tasks {
            let Some(action) = line.action else { continue };
            acted = true;
            self.log.push(format!(
                "{:?} {}: {}",
                action.verb(),
                line.job.name(),
                line.because
            ));
            self.apply(&line.job, &action);
        }
        acted
    }

    fn apply(&mut self, job: &JobId, action: &Action) {
        let verb = action.verb();
        let failure = self
            .fail
            .get(&verb)
            .map(|kind| RuntimeError::new(*kind, format!("{kind:?}")));
        let policy = Arc::clone(&self.desired.policy);
        if failure.is_none() {
            self.obey(action);
        }
        let memory = self.observed.memories.entry(job.clone()).or_default();
        memory.done(
            job,
            verb,
            failure.as_ref().map_or(Ok(()), Err),
            &policy,
            self.now,
        );
        match (action, failure) {
            (Action::Create(_), None) => {
                memory.created(&ContainerId::new(format!("c{}", self.made)));
            }
            (Action::Start(id), Some(_)) => memory.doubted(id),
            (Action::Stop(id, _), None) => memory.stopped(id),
            _ => {}
        }
    }

    fn obey(&mut self, action: &Action) {
        let containers = self.observed.containers.as_mut().expect("an engine");
        let with = |containers: &Containers, id: &ContainerId| {
            containers
                .iter()
                .find(|c| c.id == *id)
                .cloned()
                .expect("the container is there")
        };
        match action {
            Action::Create(spec) => {
                self.made += 1;
                assert!(
                    containers.get(&spec.name).is_none(),
                    "a second container for {}",
                    spec.name
                );
                containers.insert(Container {
                    id: ContainerId::new(format!("c{}", self.made)),
                    name: spec.name.clone(),
                    digest: Some(spec.digest()),
                    labels: spec.labels.clone(),
                    state: ContainerState::Created { error: None },
                    ip: Some([127, 0, 0, 1].into()),
                });
            }
            Action::Start(id) => {
                let container = with(containers, id);
                containers.insert(Container {
                    state: ContainerState::Running,
                    ..container
                });
            }
            Action::Stop(id, _) => {
                let container = with(containers, id);
                let state = ContainerState::Exited(Exit::default());
                containers.insert(Container { state, ..container });
            }
            Action::Remove(id) => {
                let name = with(containers, id).name;
                containers.remove(&name);
            }
            Action::Keep(id, name) => {
                let container = with(containers, id);
                containers.remove(&container.name);
                let name = name.clone();
                containers.insert(Container { name, ..container });
            }
            Action::Pull(_) | Action::AbandonPull => {}
        }
    }

    fn settle(&mut self) -> Vec<String> {
        for _ in 0..100 {
            if !self.pass() {
                return std::mem::take(&mut self.log);
            }
        }
        panic!("never comes to rest: {:?}", self.log);
    }

    fn exit(&mut self, job: &Job, code: i64) {
        let containers = self.observed.containers.as_mut().unwrap();
        let name = container_name("helios", &job.id);
        let container = containers.get(&name).cloned().expect("it runs");
        let state = ContainerState::Exited(Exit {
            code,
            ..Exit::default()
        });
        containers.insert(Container { state, ..container });
    }

    fn wait(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    fn line(&mut self, job: &Job) -> TaskPlan {
        self.look();
        reconcile(&self.desired, &self.observed, self.now)
            .task(&job.id)
            .expect("a line")
            .clone()
    }
}

fn job(name: &str) -> Job {
    Job::new(&format!("{name}:1"), "busybox")
        .unwrap()
        .with_computed_id()
}
