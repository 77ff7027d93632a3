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
    console.say("Control-C to stop");
    console.say(format_args!(
        "{:20} {:30} {:8} THROTTLED?",
        "JOB", "HOST", "STATE"
    ));
    loop {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        let rules = [20, 30, 8, 10].map(|width| "-".repeat(width)).join(" ");
        console.say(format_args!("{rules} [{time} UTC]"));
        for target in targets {
            if targets.len() > 1 {
                let endpoints: Vec<&str> = target.client.endpoints().collect();
                console.say(format_args!(
                    "--- {} ([{}])",
                    target.name,
                    endpoints.join(", ")
                ));
            }
            if let Err(failure) = round(args, target, console).await {
                console.complain(&failure);
            }
        }
        console.flush();
        if console.is_closed() {
            return Ok(Outcome::Done);
        }
        sleep(Duration::from_secs(args.interval)).await;
    }
}

async fn round(args: &WatchArgs, target: &Target, console: &mut Console) -> Result<(), Failure> {
    let query = JobsQuery {
        id_part: Some(args.job.clone()),
        host_pattern: None,
    };
    let ids: Vec<JobId> = target.client.jobs(&query).await?.into_keys().collect();
    if ids.is_empty() {
        console.mention(format_args!(
            "no id contains {:?}: `helios jobs` lists the jobs",
            args.job
        ));
        return Ok(());
    }
    for (id, status) in target.client.job_statuses(&ids).await? {
        for host in hosts(args, &status) {
            let line = line(&id, host, &status, console);
            console.say(line);
        }
    }
    Ok(())
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
