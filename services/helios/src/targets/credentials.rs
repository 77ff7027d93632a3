//! How a client proves who it is, and knows who the master is.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use helios_api::client::ClientBuilder;

use super::config::Profile;
use crate::args::ClientOptions;
use crate::{Environment, Failure};

/// What to show to masters, and whom to believe that they are masters.
pub(super) struct Credentials {
    token: Option<String>,
    issuers: Option<PathBuf>,
    /// The folder with `cert.pem` and `key.pem`.
    certificate: Option<PathBuf>,
    any_name: bool,
}

impl Credentials {
    /// What the command line says, or else the environment, or else the file.
    pub(super) fn find(
        options: &ClientOptions,
        environment: &Environment,
        file: &Profile,
    ) -> Result<Self, Failure> {
        let path = |variable| environment.variable(variable).map(PathBuf::from);
        let token = match (&options.access_token, environment.variable("HELIOS_TOKEN")) {
            (Some(file), _) => Some(read(file)?),
            (None, Some(token)) => Some(token.trim().to_owned()),
            (None, None) => path("HELIOS_TOKEN_FILE")
                .or_else(|| file.access_token.clone())
                .map(|file| read(&file))
                .transpose()?,
        };
        let issuers = options.cacert.clone();
        let issuers = issuers.or_else(|| path("HELIOS_CACERT"));
        let issuers = issuers.or_else(|| file.ca_cert.clone());
        let certificate = path("HELIOS_CERT_PATH").or_else(|| file.cert_path.clone());
        Ok(Self {
            token,
            issuers,
            certificate,
            any_name: options.insecure,
        })
    }

    pub(super) fn give_to(&self, mut client: ClientBuilder) -> Result<ClientBuilder, Failure> {
        if let Some(token) = &self.token {
            client = client.bearer_token(token);
        }
        if let Some(file) = &self.issuers {
            client = client.issuers_from(file)?;
        }
        if self.any_name {
            client = client.accept_any_name();
        }
        let Some(dir) = &self.certificate else {
            return Ok(client);
        };
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        match client.clone().certificate_from(certificate, key) {
            Ok(client) => Ok(client),
            // Scripts set the variable for all that they start, also where no master asks for a certificate.
            Err(error) => {
                let failure = Failure::from(error);
                tracing::warn!(
                    "going on without a certificate: {failure}; look at HELIOS_CERT_PATH"
                );
                Ok(client)
            }
        }
    }
}

/// The token in a file, without the line break at its end.
fn read(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        let message = format!("the access token in {} cannot be read", file.display());
        Failure::new(message)
            .caused_by(error)
            .advise("name a file that you may read, with --access-token or HELIOS_TOKEN_FILE")
    })?;
    match text.trim() {
        "" => Err(
            Failure::new(format!("there is no access token in {}", file.display()))
                .advise("an admin creates one with `helios token create`"),
        ),
        token => Ok(token.to_owned()),
    }
}

/// The token is not shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}
