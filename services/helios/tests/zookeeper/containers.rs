//! What agents leave on the engine.

use std::process::Command;

use crate::serving::stdout;

/// The containers of the agent of that id, which end with the value.
pub(crate) struct Containers(String);

impl Containers {
    pub(crate) fn of(agent: &str) -> Self {
        Self(agent.to_owned())
    }

    pub(crate) fn ids(&self) -> String {
        let filter = format!("label=helios.runtime.owner={}", self.0);
        let mut docker = Command::new("docker");
        let listed = docker.args(["ps", "-aq", "--filter", &filter]).output();
        stdout(listed.expect("docker is missing: run scripts/docker-engine"))
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for id in self.ids().lines() {
            let _ = Command::new("docker").args(["rm", "-f", id]).output();
        }
    }
}
