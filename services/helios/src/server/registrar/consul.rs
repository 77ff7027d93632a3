//! Consul as a registry, by the HTTP interface of its agent.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use helios_core::JobId;
use helios_core::registrar::{Endpoint, HealthHint, Registrar, RegistrarError, Services};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::outbound::{Body, Outbound, Url};

/// The entries of a service's metadata that say whose it is.
const AGENT: &str = "helios-agent";
const JOB: &str = "helios-job";

/// Where services are registered. Checks that are not mentioned any more go, as those of an older version of this agent.
const REGISTER: &str = "/v1/agent/service/register?replace-existing-checks=true";

/// For how long a service may be critical without pause before Consul forgets it: then its Helios agent is gone for good.
/// One that is there registers it again within a minute.
const FORGOTTEN_AFTER: &str = "72h";

/// Registers services with Consul's agent on this machine, and takes out those that are not wanted any more. It
/// touches only what carries this agent's id.
#[derive(Debug)]
pub(super) struct ConsulRegistrar {
    outbound: Outbound,
    url: Url,
    token: Option<String>,
    agent_id: String,
}

/// A service as Consul tells of it, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registered {
    #[serde(rename = "ID")]
    id: String,
    service: String,
    #[serde(default, deserialize_with = "null_as_default")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    meta: BTreeMap<String, String>,
    port: u16,
    address: String,
}

impl ConsulRegistrar {
    pub(super) fn new(outbound: Outbound, url: Url, token: Option<String>, agent_id: &str) -> Self {
        Self {
            outbound,
            url,
            token,
            agent_id: agent_id.to_owned(),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: String) -> Result<Vec<u8>, RegistrarError> {
        let token = self.token.as_deref().map(|token| ("x-consul-token", token));
        let headers: Vec<_> = token.into_iter().collect();
        let failed = |why: &str| {
            RegistrarError::new(format!(
                "Consul at {} does not {method} {path}: {why}",
                self.url
            ))
        };
        let answer = self
            .outbound
            .send(method, &self.url, path, &headers, Body::Json(body));
        match answer.await {
            Ok((status, body)) if status.is_success() => Ok(body.into()),
            Ok((status, body)) => {
                let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                Err(failed(&format!("{status} {said}")))
            }
            Err(why) => Err(failed(&why)),
        }
    }

    /// What is registered under this agent's id.
    async fn registered(&self) -> Result<Vec<Registered>, RegistrarError> {
        let answer = self.ask("GET", "/v1/agent/services", String::new()).await?;
        let services: BTreeMap<String, Registered> =
            serde_json::from_slice(&answer).map_err(|error| {
                RegistrarError::new(format!("{} is not Consul's agent", self.url)).caused_by(error)
            })?;
        let own = services.into_values();
        let own = own.filter(|service| service.meta.get(AGENT) == Some(&self.agent_id));
        Ok(own.collect())
    }

    fn wanted(&self, job: &JobId, endpoint: &Endpoint) -> Registered {
        let meta = [
            (AGENT, self.agent_id.as_str()),
            (JOB, job.as_str()),
            ("protocol", &endpoint.protocol),
            ("domain", &endpoint.domain),
        ];
        let hash = job.hash().unwrap_or_default();
        let id = [
            "helios",
            &self.agent_id,
            job.name(),
            job.version(),
            hash.get(..7).unwrap_or(hash),
            &endpoint.name,
            &endpoint.protocol,
            &endpoint.port_name,
        ];
        Registered {
            id: id.map(plain).join("-"),
            service: endpoint.name.clone(),
            tags: endpoint.tags.clone(),
            meta: meta
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            port: endpoint.port,
            address: endpoint.host.clone(),
        }
    }
}

#[async_trait]
impl Registrar for ConsulRegistrar {
    async fn publish(&self, services: &Services) -> Result<(), RegistrarError> {
        let registered = self.registered().await?;
        let undecided: BTreeSet<&str> = services.undecided.iter().map(JobId::as_str).collect();
        let mut wanted = Vec::new();
        for (job, endpoints) in &services.endpoints {
            wanted.extend(endpoints.iter().map(|one| (self.wanted(job, one), one)));
        }
        // Out first: somebody may be waiting to be stopped.
        for service in &registered {
            let is_wanted = wanted.iter().any(|(wanted, _)| wanted.id == service.id);
            let job = service.meta.get(JOB).map(String::as_str);
            if !is_wanted && !job.is_some_and(|job| undecided.contains(job)) {
                let path = format!("/v1/agent/service/deregister/{}", service.id);
                self.ask("PUT", &path, String::new()).await?;
            }
        }
        for (service, endpoint) in &wanted {
            if !registered.contains(service) {
                let body = registration(service, endpoint).to_string();
                self.ask("PUT", REGISTER, body).await?;
            }
        }
        Ok(())
    }
}

/// What Consul is to register, with the check it can make itself.
fn registration(service: &Registered, endpoint: &Endpoint) -> serde_json::Value {
    let at = format!("{}:{}", endpoint.host, endpoint.port);
    let check = endpoint.health.as_ref().map(|health| {
        let (kind, target) = match health {
            HealthHint::Http { path } => {
                let path = path.trim_start_matches('/');
                ("HTTP", format!("http://{at}/{path}"))
            }
            HealthHint::Tcp => ("TCP", at),
        };
        // It was found well just now. Otherwise Consul would hide it until it has looked itself.
        json!({
            kind: target,
            "Interval": "10s",
            "Timeout": "5s",
            "Status": "passing",
            "DeregisterCriticalServiceAfter": FORGOTTEN_AFTER,
        })
    });
    let mut body = json!({
        "ID": service.id,
        "Name": service.service,
        "Tags": service.tags,
        "Meta": service.meta,
        "Port": service.port,
        "Address": service.address,
    });
    if let (Some(body), Some(check)) = (body.as_object_mut(), check) {
        body.insert("Check".to_owned(), check);
    }
    body
}

/// The text without anything that would mean something in a path.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    text.chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect()
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
