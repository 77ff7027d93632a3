//! `helios watch`.

use std::time::Duration;

use helios_api::client::JobsQuery;
use helios_api::wire::JobStatus;
use helios_core::model::JobId;
use tokio::time::sleep;

use crate::args::WatchArgs;
use crate::console::Tone;
use crate::output::state_tone;
use crate::targets::Target;
use crate::{Console, Failure, Outcome};

/// Shows the state of all matching jobs at all targets, again and again, until nobody reads it any more.
///
/// A master that is away for a while is no reason to end: people watch most closely when things break.
pub(super) async fn run(
    args: &WatchArgs,
    targets: &[Target],
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let heading = [
        "Control-C to stop".to_owned(),
        format!("{:20} {:30} {:8} THROTTLED?", "JOB", "HOST", "STATE"),
    ];
    let mut lines = heading.to_vec();
    loop {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        let rules = [20, 30, 8, 10].map(|width| "-".repeat(width)).join(" ");
        lines.push(format!("{rules} [{time} UTC]"));
        for target in targets {
            if targets.len() > 1 {
                let endpoints = target.client.endpoints().join(", ");
                lines.push(format!("--- {} ([{endpoints}])", target.name));
            }
            match round(args, target, console).await {
                Ok(found) => lines.extend(found),
                // Where the screen is written over, so would be what is said beside it.
                Err(failure) if console.is_live() => lines.push(failure.to_string()),
                Err(failure) => console.complain(&failure),
            }
        }
        console.show_screen(&lines);
        if console.is_closed() {
            return Ok(Outcome::Done);
        }
        lines.clear();
        if console.is_live() {
            lines.extend(heading.clone());
        }
        sleep(Duration::from_secs(args.interval)).await;
    }
}

/// A line for each job and host.
async fn round(
    args: &WatchArgs,
    target: &Target,
    console: &Console,
) -> Result<Vec<String>, Failure> {
    let query = JobsQuery {
        id_part: Some(args.job.clone()),
        host_pattern: None,
    };
    let ids: Vec<JobId> = target.client.jobs(&query).await?.into_keys().collect();
    if ids.is_empty() {
        let failure = Failure::new(format!("no id contains {:?}", args.job));
        return Err(failure.advise("`helios jobs` lists the jobs"));
    }
    let mut lines = Vec::new();
    for (id, status) in target.client.job_statuses(&ids).await? {
        for host in hosts(args, &status) {
            lines.push(line(&id, host, &status, console));
        }
    }
    Ok(lines)
}

fn hosts<'a>(args: &'a WatchArgs, status: &'a JobStatus) -> Vec<&'a str> {
    if args.exact {
        return args.hosts.iter().map(String::as_str).collect();
    }
    let reported = status.task_statuses.keys().map(String::as_str);
    let wanted = |host: &&str| {
        args.hosts.is_empty()
            || args
                .hosts
                .iter()
                .any(|start| host.starts_with(start.as_str()))
    };
    reported.filter(wanted).collect()
}

fn line(id: &JobId, host: &str, status: &JobStatus, console: &Console) -> String {
    let (state, throttled, tone) = match status.task_statuses.get(host) {
        Some(task) => (
            task.state.as_str(),
            task.throttled.as_str(),
            state_tone(task),
        ),
        None => ("UNKNOWN", "UNKNOWN", Tone::Pending),
    };
    let state = console.toned(&format!("{state:8}"), tone);
    format!("{:20} {host:30} {state} {throttled}", id.short())
}
