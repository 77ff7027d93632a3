//! What a master's router works with.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRef;
use helios_core::cluster::Cluster;
use helios_rollout::drive::Variables;
use tokio::sync::Semaphore;

use super::book_cache::BookCache;
use super::fleet_cache::FleetCache;
use super::metrics::Metrics;
use super::pace::Pace;
use super::token::TokenBook;

/// How many changes are made at a time; more are put off.
const CHANGES_MAX: usize = 64;

/// What a master's router works with: the cluster, and what is known of it. A clone costs nothing, and is
/// the same master.
#[derive(Clone, Debug)]
pub struct MasterState {
    pub(super) cluster: Cluster,
    pub(super) fleet: FleetCache,
    pub(super) book: BookCache,
    pub(super) allowed_capabilities: Arc<BTreeSet<String>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) changes: Arc<Semaphore>,
    pub(super) pace: Arc<Pace>,
    /// Whose tokens are wanted; without it everybody may do everything.
    pub(super) tokens: Option<TokenBook>,
}

impl MasterState {
    /// A master of that cluster. Follows the cluster in a task that ends when the last clone of this is
    /// gone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(cluster: Cluster) -> Self {
        Self {
            fleet: FleetCache::follow(&cluster),
            book: BookCache::follow(&cluster),
            cluster,
            allowed_capabilities: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            changes: Arc::new(Semaphore::new(CHANGES_MAX)),
            pace: Arc::default(),
            tokens: None,
        }
    }

    /// Allows jobs to add these Linux capabilities; none may be added otherwise.
    #[must_use]
    pub fn allow_capabilities<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        let allowed_capabilities = Arc::new(names.into_iter().map(Into::into).collect());
        Self {
            allowed_capabilities,
            ..self
        }
    }

    /// Asks everybody for an access token of the cluster, see [`Tokens`](super::Tokens), and lets each do only
    /// what the token allows. Changes are recorded under the name of the token.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn require_tokens(self) -> Self {
        let tokens = Some(TokenBook::follow(&self.cluster));
        Self { tokens, ..self }
    }

    /// The cluster, for changes in the name of that user.
    pub(super) fn cluster_for(&self, user: Option<&str>) -> Cluster {
        self.cluster.on_behalf_of(user.unwrap_or(NOBODY))
    }

    /// The variables, for changes in the name of that user.
    pub(super) fn variables_for(&self, user: Option<&str>) -> Variables {
        self.book.variables.on_behalf_of(user.unwrap_or(NOBODY))
    }
}

/// On whose behalf changes are recorded when nobody says who it is.
pub(super) const NOBODY: &str = "anonymous";

impl FromRef<MasterState> for FleetCache {
    fn from_ref(state: &MasterState) -> Self {
        state.fleet.clone()
    }
}
