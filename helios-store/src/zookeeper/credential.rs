//! Who we are to the servers, and whom an access list names.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;
use thiserror::Error;
use zookeeper_client::AuthId;

/// The length of the hash in an identity.
const SHA1_BYTES: usize = 20;

/// What proves to the servers who we are.
///
/// Its `Debug` form never shows the password.
#[derive(Clone)]
pub struct Credential(Proof);

#[derive(Clone)]
enum Proof {
    Digest { user: String, password: String },
    Certificate { subject: String },
}

/// Whom an access list names: the public side of a [`Credential`].
///
/// Holds no secret: for a digest it is the user and a hash, so that an agent can name the masters in
/// its access lists without knowing their password.
///
/// ```
/// use helios_store::zookeeper::{Credential, Identity};
///
/// let master = Credential::digest("helios-master", "correct horse")?;
/// let named: Identity = master.identity().to_string().parse()?;
/// assert_eq!(named, master.identity());
/// # Ok::<(), helios_store::zookeeper::CredentialError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    scheme: String,
    id: String,
}

/// A text that is no credential or identity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The user name is empty or holds a colon.
    #[error(
        "{user:?} is no user name for digest authentication: it must not be empty nor hold ':'"
    )]
    User {
        /// The name as given.
        user: String,
    },
    /// The password is empty.
    #[error("the password of {user:?} is empty")]
    NoPassword {
        /// Whose password.
        user: String,
    },
    /// Neither `digest:USER:HASH` nor `x509:SUBJECT`.
    #[error(
        "{text:?} is no identity: write x509:SUBJECT, or digest:USER:HASH with the hash that \
         `helios zk init-acl` prints (28 characters of base64)"
    )]
    Identity {
        /// The text as given.
        text: String,
    },
}

impl Credential {
    /// A user and a password, for ZooKeeper's `digest` scheme. The password goes over the wire: use TLS
    /// on a network that others can read.
    ///
    /// # Errors
    /// [`CredentialError`] when the user is empty or holds a colon, or the password is empty.
    pub fn digest(
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Result<Self, CredentialError> {
        let (user, password) = (user.into(), password.into());
        if user.is_empty() || user.contains(':') {
            return Err(CredentialError::User { user });
        }
        if password.is_empty() {
            return Err(CredentialError::NoPassword { user });
        }
        Ok(Self(Proof::Digest { user, password }))
    }

    /// The subject of the certificate that the TLS connection presents, as the servers write it:
    /// `CN=web1,O=Example`.
    #[must_use]
    pub fn certificate(subject: impl Into<String>) -> Self {
        Self(Proof::Certificate {
            subject: subject.into(),
        })
    }

    /// The public side, for access lists.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match &self.0 {
            Proof::Digest { user, password } => {
                let hash = Sha1::from(format!("{user}:{password}")).digest().bytes();
                Identity {
                    scheme: "digest".to_owned(),
                    id: format!("{user}:{}", STANDARD.encode(hash)),
                }
            }
            Proof::Certificate { subject } => Identity {
                scheme: "x509".to_owned(),
                id: subject.clone(),
            },
        }
    }

    /// What is sent to the servers, if anything is: TLS has already presented a certificate.
    pub(super) fn to_send(&self) -> Option<String> {
        match &self.0 {
            Proof::Digest { user, password } => Some(format!("{user}:{password}")),
            Proof::Certificate { .. } => None,
        }
    }
}

impl Identity {
    pub(super) fn to_auth_id(&self) -> AuthId {
        AuthId::new(&self.scheme, &self.id)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Proof::Digest { user, .. } => write!(f, "Credential({user}:***)"),
            Proof::Certificate { subject } => write!(f, "Credential({subject})"),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.id)
    }
}

impl std::str::FromStr for Identity {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        match text.split_once(':') {
            Some((scheme @ ("digest" | "x509"), id))
                if !id.is_empty() && (scheme == "x509" || is_hashed(id)) =>
            {
                Ok(Self {
                    scheme: scheme.to_owned(),
                    id: id.to_owned(),
                })
            }
            _ => Err(CredentialError::Identity {
                text: text.to_owned(),
            }),
        }
    }
}

/// Whether this is a user and a hash. What is no hash would name nobody, and lock the true owner out.
fn is_hashed(id: &str) -> bool {
    id.split_once(':').is_some_and(|(user, hash)| {
        let decoded = STANDARD.decode(hash);
        !user.is_empty() && decoded.is_ok_and(|bytes| bytes.len() == SHA1_BYTES)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_the_servers_compute() {
        let identity = Credential::digest("super", "admin").unwrap().identity();
        assert_eq!(
            identity.to_string(),
            "digest:super:xQJmxLMiHGwaqBvst5y6rkB6HQs="
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let credential = Credential::digest("web1", "hunter2").unwrap();
        assert!(!format!("{credential:?} {}", credential.identity()).contains("hunter2"));
    }

    #[test]
    fn refuses_what_would_name_somebody_else() {
        assert!(Credential::digest("a:b", "c").is_err());
        assert!(Credential::digest("", "c").is_err());
        assert!(Credential::digest("a", "").is_err());
        assert!("world:anyone".parse::<Identity>().is_err());
        let identity = "digest:super:xQJmxLMiHGwaqBvst5y6rkB6HQs=";
        assert_eq!(identity.parse::<Identity>().unwrap().to_string(), identity);
        for mistyped in [
            "digest:super",
            "digest:super:secret",
            "digest:super:xQJmxLMiHGwaqBvst5y6",
        ] {
            assert!(mistyped.parse::<Identity>().is_err(), "{mistyped}");
        }
    }
}
