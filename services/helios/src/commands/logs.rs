//! `helios logs`.

use helios_api::client::LogsQuery;
use helios_core::model::JobId;

use super::Call;
use crate::args::LogsArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &LogsArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let host = match &args.host {
        Some(host) => call.host(host).await?,
        None => only_host(&job.id, call).await?,
    };
    let query = LogsQuery {
        tail: args.tail,
        follow: args.follow,
        previous: args.previous,
    };
    let mut log = call.client.logs(&host, job.id.as_str(), &query).await?;
    while let Some(chunk) = log.next().await {
        call.console.pass_on(&chunk?);
        if call.console.is_closed() {
            break;
        }
    }
    Ok(Outcome::Done)
}

/// The host of a job that is on one only.
async fn only_host(job: &JobId, call: &Call<'_>) -> Result<String, Failure> {
    let status = call.client.job_status(job).await?;
    let deployments = status.map(|status| status.deployments).unwrap_or_default();
    let mut hosts: Vec<String> = deployments.into_keys().collect();
    match (hosts.pop(), hosts.len()) {
        (Some(only), 0) => Ok(only),
        (Some(last), others) => Err(Failure::new(format!(
            "{} is on {} hosts, such as {last}",
            job.short(),
            others + 1
        ))
        .advise("name the host behind the job: `helios status` lists them")),
        (None, _) => Err(Failure::new(format!("{} is deployed nowhere", job.short()))
            .advise("`helios deploy` brings it to hosts")),
    }
}
