//! Who is told what happens on a host, beside the store.

use std::collections::BTreeMap;

use helios_core::agent::Agent;

use super::authorities::Authorities;
use super::events;
use super::registrar::Registry;
use crate::args::OutletOptions;
use crate::{Environment, Failure};

/// Where events go, and where services are registered.
#[derive(Debug)]
pub(super) struct Outlets {
    options: OutletOptions,
    registry: Option<Registry>,
}

impl Outlets {
    /// Reads the options.
    pub(super) fn read(
        options: &OutletOptions,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let registry = options.service_registry.as_deref();
        let registry = registry.map(|text| Registry::read(text, environment));
        Ok(Self {
            options: options.clone(),
            registry: registry.transpose()?,
        })
    }

    /// The agent of that id, which tells them. Their work is done by tasks of this runtime.
    pub(super) fn open(
        self,
        agent: Agent,
        agent_id: &str,
        environment: &BTreeMap<String, String>,
    ) -> Result<Agent, Failure> {
        let Self { options, registry } = self;
        let file = options.events_file.as_deref();
        let hook = options.events_webhook.as_deref();
        let authorities = Authorities::read(&options.outbound)?;
        let sinks = events::sinks(file, hook, &authorities, environment)?;
        let agent = sinks.into_iter().fold(agent, Agent::event_sink);
        let agent = agent.policy(|policy| policy.domain = options.domain.unwrap_or_default());
        Ok(match registry {
            Some(registry) => agent.registrar(registry.open(agent_id, &authorities)),
            None => agent,
        })
    }
}
