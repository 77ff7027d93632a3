//! Credentials of registries.

use std::env;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Where the credentials of a registry come from.
///
/// They are looked up anew for each pull, since tokens expire; sent to the engine for the registry that
/// the image names and for no other; and never logged or kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// The user's Docker configuration: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`,
    /// with the helper programs that it names.
    #[default]
    DockerConfig,
    /// A file like it.
    File(PathBuf),
    /// None: every pull is anonymous.
    Anonymous,
}

/// What was found for one registry.
pub(crate) enum Found {
    Nothing,
    Credentials(Box<DockerCredentials>),
    /// The lookup failed: why, without anything secret.
    Trouble(String),
}

/// Lookups at a time. One that hangs in a helper keeps its thread, so there must be a bound.
const LOOKUPS_MAX: usize = 4;

/// Finds credentials without holding up the executor.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    credentials: Credentials,
    places: Arc<Semaphore>,
}

impl Lookup {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            places: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }

    pub(crate) async fn find(&self, registry: &str, within: Duration) -> Found {
        let Some(path) = self.path() else {
            return Found::Nothing;
        };
        let (places, wanted) = (Arc::clone(&self.places), registry.to_owned());
        let search = async move {
            // The place is given back by the thread, not by whoever stops waiting for it.
            let place = places.acquire_owned().await;
            let search = tokio::task::spawn_blocking(move || {
                let _place = place;
                search(path, &wanted)
            });
            search.await.unwrap_or_else(|_| {
                Found::Trouble("the lookup of its credentials broke off".to_owned())
            })
        };
        timeout(within, search).await.unwrap_or_else(|_| {
            Found::Trouble("the credential helper did not answer in time".to_owned())
        })
    }

    fn path(&self) -> Option<PathBuf> {
        match &self.credentials {
            Credentials::Anonymous => None,
            Credentials::File(path) => Some(path.clone()),
            Credentials::DockerConfig => {
                let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
                let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
                Some(folder.or_else(home)?.join("config.json"))
            }
        }
    }
}

fn search(path: PathBuf, registry: &str) -> Found {
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Trouble(format!("{} cannot be read: {error}", path.display())),
    };
    let empty = DockerCredentials {
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    };
    match get_credential_from_reader(BufReader::new(file), registry) {
        Ok(DockerCredential::IdentityToken(token)) => {
            Found::Credentials(Box::new(DockerCredentials {
                identitytoken: Some(token),
                ..empty
            }))
        }
        Ok(DockerCredential::UsernamePassword(username, password)) => {
            Found::Credentials(Box::new(DockerCredentials {
                username: Some(username),
                password: Some(password),
                ..empty
            }))
        }
        Err(error) => not_found(&error, &path),
    }
}

/// What a helper printed is left out: it may hold what it should have kept.
fn not_found(error: &CredentialRetrievalError, path: &std::path::Path) -> Found {
    use CredentialRetrievalError as Error;
    let path = path.display();
    Found::Trouble(match error {
        Error::NoCredentialConfigured | Error::ConfigNotFound => return Found::Nothing,
        // The words in which every helper says that it has none.
        Error::HelperFailure { stdout, .. } if stdout.contains("credentials not found") => {
            return Found::Nothing;
        }
        Error::HelperFailure { helper, .. } => format!("{helper}, named in {path}, failed"),
        Error::HelperCommunicationError => {
            format!("the credential helper named in {path} cannot be run")
        }
        Error::MalformedHelperResponse => {
            format!("the credential helper named in {path} gave no legible answer")
        }
        Error::CredentialDecodingError | Error::CredentialMismatchError => {
            format!("the credentials in {path} are malformed")
        }
        Error::ConfigReadError => format!("{path} is no legible Docker configuration"),
    })
}

#[cfg(test)]
mod tests;
