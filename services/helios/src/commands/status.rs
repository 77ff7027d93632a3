//! `helios status`.

use std::collections::{BTreeMap, BTreeSet};

use helios_api::client::JobsQuery;
use helios_api::wire::{JobStatus, TaskStatus};
use helios_core::model::{JobId, PortMapping};
use regex::Regex;

use super::Call;
use crate::args::StatusArgs;
use crate::console::Tone;
use crate::output::{Cell, Table, exit_cell, goal_cell, one_line, state_cell};
use crate::{Failure, Outcome};

/// The first characters of a container's id, which are enough for people and for Docker.
const CONTAINER_ID_CHARS: usize = 7;

type Statuses = BTreeMap<JobId, JobStatus>;

pub(super) async fn run(args: &StatusArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let pattern = args.host.as_deref().map(pattern).transpose()?;
    let query = JobsQuery {
        id_part: args.id_part().cloned(),
        host_pattern: args.host.clone(),
    };
    let ids: Vec<JobId> = call.client.jobs(&query).await?.into_keys().collect();
    if let (true, Some(job)) = (ids.is_empty(), args.id_part()) {
        if call.json {
            call.say_document(&Statuses::new())?;
        }
        call.console.mention(format_args!(
            "job id matcher {job:?} matched no jobs; `helios jobs` lists those there are"
        ));
        return Ok(Outcome::NotDone);
    }
    let mut statuses = call.client.job_statuses(&ids).await?;
    if call.json {
        if let Some(pattern) = &pattern {
            keep_hosts(&mut statuses, pattern);
        }
        call.say_document(&statuses)?;
        return Ok(Outcome::Done);
    }
    let shown = |host: &str| {
        pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(host))
    };
    let mut any = false;
    let extra = Extra::of(&statuses);
    let mut table = extra.table();
    for (id, status) in &statuses {
        for host in hosts(status).into_iter().filter(|host| shown(host)) {
            any = true;
            table.row(row(id, host, status, (args.full, extra), call));
        }
    }
    match (any, &args.host) {
        (false, Some(host)) => Err(Failure::new(format!(
            "no job is deployed on a host that matches {host:?}"
        ))
        .advise(format!(
            "`helios hosts {host}` shows whether there are such hosts"
        ))),
        _ => {
            table.say(call.console);
            Ok(Outcome::Done)
        }
    }
}

fn pattern(text: &str) -> Result<Regex, Failure> {
    Regex::new(text).map_err(|error| {
        Failure::new(format!("--host {text:?} is no regular expression")).caused_by(error)
    })
}

/// Leaves the jobs that are on hosts that match, and of them what is on those hosts.
fn keep_hosts(statuses: &mut Statuses, pattern: &Regex) {
    statuses.retain(|_, status| hosts(status).iter().any(|host| pattern.is_match(host)));
    for status in statuses.values_mut() {
        status.deployments.retain(|host, _| pattern.is_match(host));
        status
            .task_statuses
            .retain(|host, _| pattern.is_match(host));
    }
}

fn hosts(status: &JobStatus) -> BTreeSet<&str> {
    let reported = status.task_statuses.keys();
    reported
        .chain(status.deployments.keys())
        .map(String::as_str)
        .collect()
}

/// The columns that are shown only if there is something in them.
#[derive(Clone, Copy, Debug, Default)]
struct Extra {
    restarts: bool,
    exits: bool,
    errors: bool,
}

impl Extra {
    fn of(statuses: &Statuses) -> Self {
        let any = |has: fn(&TaskStatus) -> bool| {
            let mut tasks = statuses
                .values()
                .flat_map(|status| status.task_statuses.values());
            tasks.any(has)
        };
        Self {
            restarts: any(|task| task.restarts > 0),
            exits: any(|task| task.last_exit.is_some()),
            errors: any(|task| !task.container_error.is_empty()),
        }
    }

    fn table(self) -> Table {
        let mut headings = vec!["JOB ID", "HOST", "GOAL", "STATE", "CONTAINER ID", "PORTS"];
        headings.extend(self.restarts.then_some("RESTARTS"));
        headings.extend(self.exits.then_some("LAST EXIT"));
        headings.extend(self.errors.then_some("ERROR"));
        Table::new(&headings)
    }

    fn cells(self, task: &TaskStatus) -> impl Iterator<Item = Cell> {
        let restarts = self.restarts.then(|| task.restarts.to_string().into());
        let exit = self.exits.then(|| exit_cell(task.last_exit.as_ref()));
        let error = one_line(&task.container_error);
        let error = self.errors.then(|| Cell::new(error).tone(Tone::Bad));
        restarts.into_iter().chain(exit).chain(error)
    }
}

fn row(
    id: &JobId,
    host: &str,
    status: &JobStatus,
    (full, extra): (bool, Extra),
    call: &Call<'_>,
) -> Vec<Cell> {
    let goal = status
        .deployments
        .get(host)
        .map(|deployment| deployment.goal);
    let mut row = vec![
        if full { id.to_string() } else { id.short() }.into(),
        call.host_name(host, full).into(),
        goal_cell(goal),
    ];
    if let Some(task) = status.task_statuses.get(host) {
        row.push(state_cell(task));
        row.push(container(task, full).into());
        row.push(ports(&task.ports).into());
        row.extend(extra.cells(task));
    }
    row
}

fn container(task: &TaskStatus, full: bool) -> String {
    let id = task.container_id.as_deref().unwrap_or_default();
    let chars = if full { usize::MAX } else { CONTAINER_ID_CHARS };
    id.chars().take(chars).collect()
}

fn ports(ports: &BTreeMap<String, PortMapping>) -> String {
    let port = |(name, port): (&String, &PortMapping)| {
        let external = port
            .external_port
            .map_or("-".to_owned(), |port| port.to_string());
        format!("{name}={}:{external}", port.internal_port)
    };
    ports.iter().map(port).collect::<Vec<_>>().join(" ")
}
