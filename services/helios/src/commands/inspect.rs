//! `helios inspect`.

use helios_core::model::{HealthCheck, Job, PortMapping, ServiceEndpoint, ServicePorts};
use serde::Serialize;

use super::Call;
use crate::args::InspectArgs;
use crate::console::Tone;
use crate::output::{ago, local_time, one_line, pairs, quoted};
use crate::{Failure, Outcome};

/// The column in which values begin.
const VALUE_COLUMN: usize = 22;

pub(super) async fn run(args: &InspectArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    if call.json {
        call.say_document(&job)?;
        return Ok(Outcome::Done);
    }
    for (name, lines) in members(&job, call) {
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 {
                format!("{name}:")
            } else {
                String::new()
            };
            let name = call
                .console
                .toned(&format!("{name:VALUE_COLUMN$}"), Tone::Faint);
            call.console.say(format_args!("{name}{line}"));
        }
    }
    Ok(Outcome::Done)
}

/// Every member that is set, with one or more lines for its value.
fn members(job: &Job, call: &Call<'_>) -> Vec<(&'static str, Vec<String>)> {
    let time = |at| format!("{} ({})", local_time(at), ago(at, call.now));
    let command: Vec<String> = job.command.iter().map(|word| quoted(word)).collect();
    let mut members = vec![
        ("Id", vec![job.id.to_string()]),
        ("Image", line(job.image.as_deref())),
        ("Created", job.created.map(time).into_iter().collect()),
        ("Created by", line(job.creating_user.as_deref())),
        (
            "Expires",
            vec![job.expires.map_or("never".to_owned(), time)],
        ),
        ("Command", line(Some(&command.join(" ")))),
        ("Environment", pairs(&job.env)),
    ];
    members.extend(service(job));
    members.extend(container(job));
    members.extend([
        ("Metadata", pairs(&job.metadata)),
        (
            "Rollout options",
            job.rollout_options.iter().map(set_members).collect(),
        ),
        ("Token", line(Some(&job.token))),
    ]);
    members.retain(|(_, lines)| !lines.is_empty());
    members
}

/// How the job is reached, and found out to be well.
fn service(job: &Job) -> [(&'static str, Vec<String>); 5] {
    let registration = job.registration.iter();
    [
        ("Ports", job.ports.iter().map(port).collect()),
        ("Registration", registration.map(endpoint).collect()),
        ("Registration domain", line(Some(&job.registration_domain))),
        (
            "Health check",
            job.health_check.iter().map(health_check).collect(),
        ),
        ("Grace period", seconds(job.grace_period)),
    ]
}

/// What its container is given.
fn container(job: &Job) -> [(&'static str, Vec<String>); 11] {
    let volume = |(path, source): (&String, &String)| format!("{source}:{path}");
    [
        ("Host name", line(job.hostname.as_deref())),
        ("Network mode", line(job.network_mode.as_deref())),
        ("Volumes", job.volumes.iter().map(volume).collect()),
        ("Ramdisks", pairs(&job.ramdisks)),
        ("Resources", job.resources.iter().map(set_members).collect()),
        ("Labels", pairs(&job.labels)),
        ("Security options", job.security_opt.clone()),
        (
            "Added capabilities",
            job.add_capabilities.iter().map(one_line).collect(),
        ),
        (
            "Dropped capabilities",
            job.drop_capabilities.iter().map(one_line).collect(),
        ),
        ("Runtime", line(job.runtime.as_deref())),
        ("Time before kill", seconds(job.seconds_to_wait_before_kill)),
    ]
}

/// The text, unless it is empty.
fn line(text: Option<&str>) -> Vec<String> {
    let given = text.filter(|text| !text.is_empty());
    given.map(one_line).into_iter().collect()
}

fn seconds(count: Option<i32>) -> Vec<String> {
    count
        .map(|count| format!("{count} s"))
        .into_iter()
        .collect()
}

fn port((name, port): (&String, &PortMapping)) -> String {
    let ip = port
        .ip
        .as_ref()
        .map_or(String::new(), |ip| format!("{ip}:"));
    let external = port
        .external_port
        .map_or(String::new(), |port| format!(":{port}"));
    format!(
        "{name}={ip}{}{external}/{}",
        port.internal_port, port.protocol
    )
}

fn endpoint((endpoint, ports): (&ServiceEndpoint, &ServicePorts)) -> String {
    let names: Vec<&str> = ports
        .ports
        .iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    format!("{endpoint}={}", names.join(", "))
}

fn health_check(check: &HealthCheck) -> String {
    let text = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    match check {
        HealthCheck::Http { path, port } => format!("GET {} on port {}", text(path), text(port)),
        HealthCheck::Tcp { port } => format!("connection to port {}", text(port)),
        HealthCheck::Exec { command } => {
            let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
            format!("command {}", words.join(" "))
        }
    }
}

/// The members that are set: `name=value`, separated by commas.
fn set_members(value: &impl Serialize) -> String {
    let Ok(serde_json::Value::Object(members)) = serde_json::to_value(value) else {
        return String::new();
    };
    let set = members.iter().filter(|(_, value)| !value.is_null());
    let shown: Vec<String> = set.map(|(name, value)| format!("{name}={value}")).collect();
    shown.join(", ")
}
