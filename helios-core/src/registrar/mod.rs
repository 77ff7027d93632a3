//! Telling the world where services are.
//!
//! A [`Registrar`] is told all that ought to be registered, and makes its registry say just that. So a
//! registration that was lost, or left behind by an agent that died, is put right by the next telling.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::JobId;

pub use file::FileRegistrar;

/// A registry of services, as an agent uses it.
#[async_trait]
pub trait Registrar: fmt::Debug + Send + Sync {
    /// Makes the registry's services of this agent those, and no others. What is registered of jobs that are
    /// undecided stays as it is, and so does what others registered.
    ///
    /// The agent calls it when something changed, and once a minute; one call at a time, each for a few
    /// seconds at most.
    ///
    /// # Errors
    /// [`RegistrarError`] when the registry may not say all of that now. It is tried again.
    ///
    /// # Cancellation
    /// Some of it may have been done.
    async fn publish(&self, services: &Services) -> Result<(), RegistrarError>;
}

/// All that ought to be registered of the tasks of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Where services are, by the job that gives them. Jobs that give none are left out.
    pub endpoints: BTreeMap<JobId, Vec<Endpoint>>,
    /// Jobs that nothing can be said of now, as before the first look at the health of a container that was
    /// adopted.
    pub undecided: BTreeSet<JobId>,
}

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The name of the service.
    pub name: String,
    /// Its protocol, as `http`.
    pub protocol: String,
    /// The host.
    pub host: String,
    /// The port of the host.
    pub port: u16,
    /// The name of the job's port.
    pub port_name: String,
    /// The domain to register it under; empty if none was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How the registry may find out whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthHint>,
}

/// How it can be found out whether an endpoint is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum HealthHint {
    /// A GET of that path succeeds.
    Http {
        /// The path.
        path: String,
    },
    /// The port accepts connections.
    Tcp,
}

/// A registry that does not say what it should.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct RegistrarError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl RegistrarError {
    /// With that message, which names the registry.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// With that cause.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(cause.into()),
            ..self
        }
    }
}
