//! Pulling images.

use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{BollardRequest, Docker};
use futures_util::StreamExt;
use helios_core::runtime::{RuntimeError, RuntimeErrorKind};
use tokio::time::timeout;

use crate::credentials::Found;
use crate::failure::{Call, failure, timed_out};
use crate::reference;
use crate::runtime::DockerRuntime;

impl DockerRuntime {
    pub(crate) async fn pull_image(&self, image: &str) -> Result<(), RuntimeError> {
        let registry = reference::registry(image);
        let found = self
            .credentials
            .find(registry, self.timeouts.credentials)
            .await;
        let (credentials, trouble) = match found {
            Found::Nothing => (None, None),
            Found::Credentials(credentials) => (Some(*credentials), None),
            // Most images are public: the registry decides whether the credentials were needed.
            Found::Trouble(why) => (None, Some(why)),
        };
        let client = match credentials {
            Some(_) => safe_for_urls(self.client.clone()),
            None => self.client.clone(),
        };
        let options = CreateImageOptionsBuilder::new()
            .from_image(&reference::complete(image))
            .build();
        let mut progress = client.create_image(Some(options), None, credentials);
        loop {
            match timeout(self.timeouts.pull_idle, progress.next()).await {
                Err(_) => return Err(timed_out(Call::Pull, image)),
                Ok(None) => return Ok(()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => {
                    return Err(explained(failure(Call::Pull, image, error), trouble));
                }
            }
        }
    }
}

/// A refusal, with why no credentials were sent.
fn explained(error: RuntimeError, trouble: Option<String>) -> RuntimeError {
    match trouble {
        Some(why) if error.kind() == RuntimeErrorKind::RegistryDenied => {
            let message = format!("{error}; no credentials were sent, because {why}");
            RuntimeError::new(error.kind(), message).caused_by(error)
        }
        _ => error,
    }
}

/// The engine decodes credentials by the alphabet for URLs, and takes what it cannot decode for none; the
/// client encodes them by the standard one, which differs for some passwords.
fn safe_for_urls(client: Docker) -> Docker {
    client.with_request_modifier(|mut request: BollardRequest| {
        if let Some(header) = request.headers_mut().get_mut("x-registry-auth") {
            let text = header.to_str().unwrap_or_default();
            let text = text.replace('+', "-").replace('/', "_");
            if let Ok(safe) = text.parse() {
                *header = safe;
                header.set_sensitive(true);
            }
        }
        request
    })
}
