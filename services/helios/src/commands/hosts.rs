//! `helios hosts`.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_api::client::HostsQuery;
use helios_api::wire::{HostState, HostStatus};
use helios_core::Timestamp;
use helios_core::model::{HostInfo, TaskState, natural_cmp};

use super::Call;
use crate::args::HostsArgs;
use crate::console::Tone;
use crate::output::{Cell, Table, duration, one_line, pairs};
use crate::{Failure, Outcome};

const HEADINGS: [&str; 12] = [
    "HOST",
    "STATUS",
    "DEPLOYED",
    "RUNNING",
    "CPUS",
    "MEM",
    "LOAD AVG",
    "MEM USAGE",
    "OS",
    "HELIOS",
    "DOCKER",
    "LABELS",
];

pub(super) async fn run(args: &HostsArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let query = HostsQuery {
        name_pattern: args.pattern.clone(),
        selectors: args.selectors.clone(),
    };
    let mut hosts = call.client.hosts(&query).await?;
    if hosts.is_empty() {
        if call.json {
            call.say_document(&BTreeMap::<String, HostStatus>::new())?;
        }
        if !args.quiet {
            call.console.mention(match &args.pattern {
                Some(pattern) => format!(
                    "host pattern {pattern} matched no hosts; `helios hosts` lists those there are"
                ),
                None => {
                    "there are no such hosts; an agent registers its host when it starts".to_owned()
                }
            });
        }
        return Ok(Outcome::NotDone);
    }
    hosts.sort_by(|a, b| natural_cmp(a, b));
    if args.quiet {
        if call.json {
            call.say_document(&hosts)?;
        } else {
            let names = hosts.iter().map(|host| call.host_name(host, args.full));
            let names: Vec<String> = names.collect();
            names.iter().for_each(|name| call.console.say(name));
        }
        return Ok(Outcome::Done);
    }
    let state = args.status.flatten().map(HostState::from);
    let statuses = call.client.host_statuses(&hosts, state).await?;
    if call.json {
        call.say_document(&statuses)?;
        return Ok(Outcome::Done);
    }
    let any_problem = statuses.values().any(|status| !status.problems.is_empty());
    let problems = any_problem.then_some("PROBLEMS");
    let headings: Vec<&str> = HEADINGS.into_iter().chain(problems).collect();
    let mut table = Table::new(&headings);
    for host in &hosts {
        if let Some(status) = statuses.get(host) {
            table.row(row(call.host_name(host, args.full), status, call.now));
        }
    }
    table.say(call.console);
    Ok(Outcome::Done)
}

fn row(name: String, status: &HostStatus, now: Timestamp) -> Vec<Cell> {
    let running = status
        .statuses
        .values()
        .filter(|task| task.state == TaskState::Running)
        .count();
    let agent = status.agent_info.as_ref();
    let mut row = vec![
        name.into(),
        state(status, now),
        status.jobs.len().to_string().into(),
        running.to_string().into(),
    ];
    row.extend(machine(status.host_info.as_ref()).map(Cell::new));
    row.push(
        agent
            .and_then(|agent| agent.version.clone())
            .unwrap_or_default()
            .into(),
    );
    row.push(docker(status.host_info.as_ref()).into());
    row.push(pairs(&status.labels).join(", ").into());
    let problems: Vec<String> = status.problems.iter().map(|text| one_line(text)).collect();
    if !problems.is_empty() {
        row.push(Cell::new(problems.join("; ")).tone(Tone::Bad));
    }
    row
}

/// Up since its agent started; down since its agent last said how long it ran.
fn state(status: &HostStatus, now: Timestamp) -> Cell {
    let (word, tone) = match status.status {
        HostState::Up => ("Up", Tone::Good),
        HostState::Down => ("Down", Tone::Bad),
    };
    let since = status.agent_info.as_ref().map(|agent| {
        let started = Timestamp::from_millis(agent.start_time);
        let ran = u64::try_from(agent.uptime).map_or(Duration::ZERO, Duration::from_millis);
        match status.status {
            HostState::Up => now.since(started),
            HostState::Down => now.since(started.plus(ran)),
        }
    });
    let since = since
        .map(|since| format!(" {}", duration(since)))
        .unwrap_or_default();
    Cell::new(format!("{word}{since}")).tone(tone)
}

/// Processors, memory, load, memory usage and operating system.
fn machine(info: Option<&HostInfo>) -> [String; 5] {
    let Some(info) = info else {
        return Default::default();
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "two decimals of a ratio are shown"
    )]
    let usage = (info.memory_total_bytes - info.memory_free_bytes) as f64
        / (info.memory_total_bytes.max(1)) as f64;
    let os = [&info.os_name, &info.os_version].map(|text| text.as_deref().unwrap_or_default());
    [
        info.cpus.to_string(),
        format!("{} gb", info.memory_total_bytes >> 30),
        format!("{:.2}", info.load_avg),
        format!("{usage:.2}"),
        one_line(os.join(" ").trim()),
    ]
}

fn docker(info: Option<&HostInfo>) -> String {
    let Some(docker) = info.and_then(|info| info.docker_version.as_ref()) else {
        return String::new();
    };
    let [version, api] = [&docker.version, &docker.api_version];
    let text = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    format!("{} ({})", text(version), text(api))
}
