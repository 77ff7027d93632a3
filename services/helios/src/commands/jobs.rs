//! `helios jobs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_api::client::JobsQuery;
use helios_api::wire::JobStatus;
use helios_core::model::{Job, JobId};

use super::Call;
use crate::args::JobsArgs;
use crate::console::Tone;
use crate::output::{Cell, Table, ago, one_line, pairs, quoted};
use crate::{Failure, Outcome};

type Jobs = BTreeMap<JobId, Arc<Job>>;

pub(super) async fn run(args: &JobsArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let query = JobsQuery {
        id_part: args.pattern.clone(),
        host_pattern: None,
    };
    let mut jobs = call.client.jobs(&query).await?;
    if let (true, Some(pattern)) = (jobs.is_empty(), &args.pattern) {
        if call.json {
            call.say_document(&jobs)?;
        }
        if !args.quiet {
            call.console
                .mention(format_args!("job pattern {pattern} matched no jobs"));
        }
        return Ok(Outcome::NotDone);
    }
    let ids: Vec<JobId> = jobs.keys().cloned().collect();
    let statuses = call.client.job_statuses(&ids).await?;
    if args.deployed {
        jobs.retain(|id, _| deployments(&statuses, id) > 0);
    }
    match (call.json, args.quiet) {
        (true, true) => call.say_document(&jobs.keys().collect::<Vec<_>>())?,
        (true, false) => call.say_document(&jobs)?,
        (false, true) => jobs.keys().for_each(|id| call.console.say(id)),
        (false, false) => table(&jobs, &statuses, args, call).say(call.console),
    }
    Ok(Outcome::Done)
}

fn deployments(statuses: &BTreeMap<JobId, JobStatus>, id: &JobId) -> usize {
    statuses
        .get(id)
        .map_or(0, |status| status.deployments.len())
}

fn table(
    jobs: &Jobs,
    statuses: &BTreeMap<JobId, JobStatus>,
    args: &JobsArgs,
    call: &Call<'_>,
) -> Table {
    let headings = [
        "JOB ID",
        "IMAGE",
        "HOSTS",
        "CREATED",
        "COMMAND",
        "ENVIRONMENT",
    ];
    let mut table = Table::new(&headings);
    for (id, job) in jobs {
        let shown = if args.full {
            id.to_string()
        } else {
            id.short()
        };
        let created = job.created.map(|at| ago(at, call.now)).unwrap_or_default();
        let command: Vec<String> = job.command.iter().map(|word| quoted(word)).collect();
        table.row([
            Cell::new(shown),
            one_line(job.image.as_deref().unwrap_or_default()).into(),
            deployments(statuses, id).to_string().into(),
            Cell::new(created).tone(Tone::Faint),
            command.join(" ").into(),
            pairs(&job.env).join(" ").into(),
        ]);
    }
    table
}
