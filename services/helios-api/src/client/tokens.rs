//! Access tokens.

use http::Method;

use super::query::{ListQuery, Target};
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{CreatedToken, NewToken, TokenInfo};

/// Only for admins, where a master wants access tokens at all.
impl Client {
    /// Creates an access token. Its secret is in the answer, and nowhere else.
    ///
    /// # Errors
    /// `Refused` when the name is in use or cannot be one; else as every call.
    pub async fn create_token(&self, token: &NewToken) -> Result<CreatedToken, ClientError> {
        let request = Request::change(Method::POST, Target::path(&["tokens"])).with_body(token)?;
        self.send(request).await?.found()
    }

    /// All access tokens, without their secrets.
    ///
    /// # Errors
    /// As every call. `Refused` when the pattern is none.
    pub async fn tokens(&self, query: &ListQuery) -> Result<Vec<TokenInfo>, ClientError> {
        let request = Request::get(query.of("tokens"));
        self.send(request).await?.found()
    }

    /// Revokes an access token, and says whether there was one of that name.
    ///
    /// # Errors
    /// As every call.
    pub async fn revoke_token(&self, name: &str) -> Result<bool, ClientError> {
        let request = Request::change(Method::DELETE, Target::path(&["tokens", name]));
        let reply = self.send(request).await?;
        let answer = reply.found_or_absent::<serde::de::IgnoredAny>()?;
        Ok(answer.is_some())
    }
}
