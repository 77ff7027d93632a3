//! What is stored of a token.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::TokenHash;
use crate::wire::{Grant, NewToken, TokenInfo};

/// The entry of a token, below its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenRecord {
    pub(super) hash: TokenHash,
    #[serde(flatten)]
    pub(super) grant: Grant,
    pub(super) created: Timestamp,
    pub(super) created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
}

impl TokenRecord {
    pub(super) fn new(hash: TokenHash, token: &NewToken, at: Timestamp, by: &str) -> Self {
        Self {
            hash,
            grant: token.grant.clone(),
            created: at,
            created_by: by.to_owned(),
            expires: token.expires,
        }
    }

    pub(super) fn is_good_at(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }

    pub(super) fn info(&self, name: &str) -> TokenInfo {
        TokenInfo {
            name: name.to_owned(),
            grant: self.grant.clone(),
            created: self.created,
            created_by: self.created_by.clone(),
            expires: self.expires,
        }
    }
}
