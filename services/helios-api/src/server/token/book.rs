//! Telling whose token it is.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use helios_core::cluster::{Cluster, Records};
use helios_core::schema::{Keys, Versioned};
use helios_core::store::{Scope, Snapshot, StoreError};
use tokio::sync::watch;

use super::record::TokenRecord;
use super::text::TokenText;
use crate::server::fault::Fault;
use crate::wire::Grant;

/// The tokens of a cluster, as the watch of its store last showed them.
///
/// While the watch has trouble, the store itself is asked: a token that was revoked must not be good for
/// as long as a connection is broken.
#[derive(Clone, Debug)]
pub(in crate::server) struct TokenBook {
    cluster: Cluster,
    seen: watch::Receiver<Option<Records<String, TokenRecord>>>,
}

/// Whose token came with a request, and what it allows.
#[derive(Clone, Debug)]
pub(in crate::server) struct Bearer {
    pub(in crate::server) name: Arc<str>,
    pub(in crate::server) grant: Grant,
}

impl TokenBook {
    /// Follows the tokens in a task that ends with the last clone of this.
    pub(in crate::server) fn follow(cluster: &Cluster) -> Self {
        let (sender, seen) = watch::channel(None);
        tokio::spawn(follow(cluster.clone(), sender));
        Self {
            cluster: cluster.clone(),
            seen,
        }
    }

    /// Whose token the request comes with.
    ///
    /// # Errors
    /// 401 when it comes with none, or with one that is not good; 503 when nobody can tell.
    pub(in crate::server) async fn bearer(&self, headers: &HeaderMap) -> Result<Bearer, Response> {
        let given = token_of(headers).ok_or_else(|| unknown("an access token is missing"))?;
        let not_good = "this access token is not good (any more)";
        let token = TokenText::read(given).ok_or_else(|| unknown(not_good))?;
        let found = self.find(token.name()).await;
        let found = found.map_err(|error| Fault::from(error).into_response())?;
        // The same work for a name that nobody has.
        let hash = token.hash();
        let matching = found.as_ref().is_some_and(|record| record.hash.is(&hash));
        let good = |record: &Versioned<TokenRecord>| record.is_good_at(self.cluster.clock().now());
        match found.filter(|record| matching && good(record)) {
            Some(record) => Ok(Bearer {
                name: token.name().into(),
                grant: record.grant.clone(),
            }),
            None => {
                tracing::info!(token = token.name(), "refused a token that is not good");
                Err(unknown(not_good))
            }
        }
    }

    async fn find(&self, name: &str) -> Result<Option<Versioned<TokenRecord>>, StoreError> {
        let followed = self.seen.has_changed().is_ok();
        if followed && let Some(records) = &*self.seen.borrow() {
            let found = records.get(&name.to_owned()).cloned();
            if found.is_some() {
                return Ok(found);
            }
        }
        // One that was just created may not be seen yet.
        match Keys::token(name) {
            Ok(key) => self.cluster.read(&key).await,
            Err(_) => Ok(None),
        }
    }
}

/// What is given in the header `Authorization`.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

fn unknown(reason: &str) -> Response {
    let next = "give one with HELIOS_TOKEN or --access-token FILE, other clients as `Authorization: Bearer TOKEN`; an \
                admin makes one with `helios token create`";
    let mut response = Fault::because(StatusCode::UNAUTHORIZED, reason, next).into_response();
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}

async fn follow(cluster: Cluster, sender: watch::Sender<Option<Records<String, TokenRecord>>>) {
    let dir = Keys::tokens();
    let mut snapshots = cluster.store().watch(Scope::Children(dir.clone()));
    let (mut older, mut records) = (Snapshot::new(), Records::default());
    loop {
        let item = tokio::select! {
            () = sender.closed() => return,
            item = snapshots.next() => item,
        };
        match item {
            Some(Ok(newer)) => {
                records.advance(&dir, &older, &newer);
                older = newer;
                sender.send_replace(Some(records.clone()));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the watch of the tokens has trouble: reading directly");
                sender.send_replace(None);
            }
            None => return,
        }
    }
}
