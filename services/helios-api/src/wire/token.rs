//! Access tokens.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

names! {
    /// What an access token allows. Each role may do all that those before it may.
    Role {
        /// To look. Secrets, such as the values of environment variables, are not shown.
        Read = "read",
        /// To create jobs, and to change where they run.
        Deploy = "deploy",
        /// Everything: hosts and access tokens too.
        Admin = "admin",
    }
}

/// What an access token allows, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// What is allowed.
    pub role: Role,
    /// Changes are allowed only on hosts whose name begins like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Changes are allowed only to groups whose name begins like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
}

impl Grant {
    /// Allows that role everywhere.
    #[must_use]
    pub fn everywhere(role: Role) -> Self {
        Self {
            role,
            hosts: None,
            groups: None,
        }
    }
}

/// The body of `POST /tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewToken {
    /// Its name, which is what changes made with it are recorded under.
    pub name: String,
    /// What it allows.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it stops being good, in milliseconds since 1970; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The answer to `POST /tokens`. The only one that ever holds the secret.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct CreatedToken {
    /// The text to give as a bearer token. Nobody can find it out later, not from the store either.
    pub token: String,
    /// What it is.
    #[serde(flatten)]
    pub info: TokenInfo,
}

/// What is known of an access token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenInfo {
    /// Its name.
    pub name: String,
    /// What it allows.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it was created, in milliseconds since 1970.
    pub created: Timestamp,
    /// By whom it was created.
    pub created_by: String,
    /// When it stops being good, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The secret is not shown.
impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &"***")
            .field("info", &self.info)
            .finish()
    }
}
