//! A cluster, as a place where tests leave jobs behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::error::TemporaryError;
use super::leftovers::Place;
use super::prefix::Prefix;
use super::site::Site;

/// All jobs of a cluster whose name begins with the prefix of a test.
#[derive(Debug)]
pub(super) struct SitePlace(pub(super) Arc<dyn Site>);

#[async_trait]
impl Place for SitePlace {
    async fn prefixes(&self) -> Result<BTreeSet<Prefix>, TemporaryError> {
        let jobs = self.0.temporary().await?;
        Ok(jobs.into_iter().map(|(prefix, ..)| prefix).collect())
    }

    async fn clean(&self, prefix: &Prefix) -> Result<(), TemporaryError> {
        for (found, job, hosts) in self.0.temporary().await? {
            if found != *prefix {
                continue;
            }
            for host in hosts {
                self.0.undeploy(&job, &host).await?;
            }
            self.0.remove(&job).await?;
        }
        Ok(())
    }
}
