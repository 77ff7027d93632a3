//! Which job, and which hosts, the user means.

use std::sync::Arc;

use helios_api::Client;
use helios_api::client::{HostsQuery, JobsQuery};
use helios_api::wire::{DeployStatus, JobDeployResponse};
use helios_core::model::{Job, JobId};

use super::Call;
use crate::Failure;
use crate::output::near;

/// The matches that an ambiguous reference lists at most.
const LISTED_MAX: usize = 10;

/// A reference that does not name one job.
#[derive(Debug)]
pub(super) struct NotOneJob {
    reference: String,
    matches: Vec<JobId>,
    /// If none matches, those that may have been meant.
    near: Vec<String>,
}

impl NotOneJob {
    pub(super) fn is_ambiguous(&self) -> bool {
        !self.matches.is_empty()
    }
}

impl From<NotOneJob> for Failure {
    fn from(not_one: NotOneJob) -> Self {
        let NotOneJob {
            reference,
            matches,
            near,
        } = not_one;
        if matches.is_empty() {
            let list = "`helios jobs` lists the jobs there are";
            let advice = match near.as_slice() {
                [] => list.to_owned(),
                near => format!("did you mean {}? {list}", near.join(" or ")),
            };
            return Self::new(format!("unknown job: no id contains {reference:?}")).advise(advice);
        }
        let mut listed: Vec<String> = matches.iter().take(LISTED_MAX).map(JobId::short).collect();
        if matches.len() > LISTED_MAX {
            listed.push("...".to_owned());
        }
        let (count, listed) = (matches.len(), listed.join(", "));
        Self::new(format!(
            "ambiguous job: {reference:?} is in {count} ids: {listed}"
        ))
        .advise("give more of the id")
    }
}

/// The job whose id contains the reference. If several do, but one is exactly that id, or that name and
/// version, it is meant.
pub(super) async fn one_job(
    client: &Client,
    reference: &str,
) -> Result<Result<Arc<Job>, NotOneJob>, Failure> {
    let query = JobsQuery {
        id_part: Some(reference.to_owned()).filter(|part| !part.is_empty()),
        host_pattern: None,
    };
    let jobs = client.jobs(&query).await?;
    let exact = |id: &JobId| id.as_str() == reference || id.without_hash().as_str() == reference;
    let mut matching = jobs.values();
    if let (Some(only), None) = (matching.next(), matching.next()) {
        return Ok(Ok(Arc::clone(only)));
    }
    let mut exactly = jobs.iter().filter(|(id, _)| exact(id)).map(|(_, job)| job);
    if let (Some(only), None) = (exactly.next(), exactly.next()) {
        return Ok(Ok(Arc::clone(only)));
    }
    let near = if jobs.is_empty() {
        near_jobs(client, reference).await
    } else {
        Vec::new()
    };
    Ok(Err(NotOneJob {
        reference: reference.to_owned(),
        matches: jobs.into_keys().collect(),
        near,
    }))
}

/// The names and versions of jobs that are like that. If they cannot be had, what failed first is what to tell.
async fn near_jobs(client: &Client, reference: &str) -> Vec<String> {
    let jobs = client.jobs(&JobsQuery::default()).await.unwrap_or_default();
    let names: Vec<JobId> = jobs.keys().map(JobId::without_hash).collect();
    let near = near(reference, names.iter().map(JobId::as_str));
    near.into_iter().map(str::to_owned).collect()
}

impl Call<'_> {
    /// The job that the reference names. If it names none, or several, that is the command's result.
    pub(super) async fn job(&mut self, reference: &str) -> Result<Arc<Job>, Failure> {
        let not_one = match one_job(self.client, reference).await? {
            Ok(job) => return Ok(job),
            Err(not_one) => not_one,
        };
        if self.json {
            let status = if not_one.is_ambiguous() {
                DeployStatus::AmbiguousJobReference
            } else {
                DeployStatus::JobNotFound
            };
            self.say_answer(&JobDeployResponse {
                status,
                host: None,
                job: None,
            })?;
        }
        Err(not_one.into())
    }

    /// The host that the reference names, as [`hosts`](Self::hosts) reads it.
    pub(super) async fn host(&self, reference: &String) -> Result<String, Failure> {
        let named = self.hosts(std::slice::from_ref(reference)).await?;
        Ok(named.into_iter().next().unwrap_or_default())
    }

    /// The hosts that those references name: a name, or what exactly one name starts with. What names none is
    /// left as it is, and the master says that it does not know it.
    pub(super) async fn hosts(&self, references: &[String]) -> Result<Vec<String>, Failure> {
        let known = self.client.hosts(&HostsQuery::default()).await?;
        let domains = self.environment.search_domains();
        let named = |reference: &String| {
            host(reference, &known, domains)
                .unwrap_or(reference)
                .clone()
        };
        Ok(references.iter().map(named).collect())
    }

    /// Says which hosts somebody may have meant who named one that there is not.
    pub(super) async fn suggest_hosts(&mut self, host: &str) {
        let hosts = self.client.hosts(&HostsQuery::default()).await;
        let hosts = hosts.unwrap_or_default();
        let near = near(host, hosts.iter().map(String::as_str));
        if !near.is_empty() {
            self.console.mention("Did you mean one of these?");
        }
        for name in near {
            self.console.mention(format_args!("    {name}"));
        }
    }
}

/// Of several names, the one in the first of the search domains, if there is one such.
fn host<'a>(reference: &str, known: &'a [String], domains: &[String]) -> Option<&'a String> {
    if let Some(exact) = known.iter().find(|name| *name == reference) {
        return Some(exact);
    }
    let starting = || known.iter().filter(|name| name.starts_with(reference));
    let within = domains.iter().map(|domain| {
        let suffix = format!(".{domain}");
        starting().filter(|name| name.ends_with(&suffix)).collect()
    });
    let candidates = std::iter::once(starting().collect::<Vec<_>>()).chain(within);
    candidates
        .filter_map(|names| match names.as_slice() {
            [only] => Some(*only),
            _ => None,
        })
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_by_what_only_it_starts_with() {
        let known = ["n1.a.net", "n1.b.net", "n10.a.net", "m"].map(str::to_owned);
        let domains = ["c.net", "b.net"].map(str::to_owned);
        let find = |reference: &str| host(reference, &known, &domains).map(String::as_str);
        assert_eq!(find("m"), Some("m"));
        assert_eq!(find("n10"), Some("n10.a.net"));
        assert_eq!(find("n1.a"), Some("n1.a.net"));
        assert_eq!(
            find("n1"),
            Some("n1.b.net"),
            "the only one in a search domain"
        );
        assert_eq!(find("x"), None);
        assert_eq!(host("n1", &known, &[]), None);
    }
}
