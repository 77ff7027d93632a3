//! Options over what a job starts with.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::{
    Job, ParseError, RolloutOptions, ServicePorts, parse_date, parse_port_spec,
    parse_register_spec, parse_volume_spec,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::checks;
use crate::args::CreateArgs;
use crate::{Environment, Failure};

/// Applies the options to the job: single values and lists replace what is there, maps are merged into it,
/// but for labels, which replace it too.
///
/// # Errors
/// [`Failure`] when an option is malformed.
pub fn apply(
    job: &mut Job,
    args: &CreateArgs,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    replace_texts(job, args);
    replace_lists(job, args);
    job.env.extend(pairs("--env", &args.env)?);
    if let Some(commit) = environment.variable("GIT_COMMIT") {
        let absent = job.metadata.entry("GIT_COMMIT".to_owned());
        absent.or_insert_with(|| commit.to_owned());
    }
    job.metadata.extend(pairs("--metadata", &args.metadata)?);
    if !args.labels.is_empty() {
        job.labels = pairs("--labels", &args.labels)?;
    }
    add_ports(job, &args.ports)?;
    add_registrations(job, &args.registrations)?;
    job.volumes
        .extend(args.volumes.iter().map(|spec| parse_volume_spec(spec)));
    if let Some(seconds) = args.grace_period {
        job.grace_period = Some(seconds);
    }
    if let Some(time) = &args.expires {
        job.expires = Some(expiry(time)?);
    }
    if let Some(check) = checks::from_options(args)? {
        job.health_check = Some(check);
    }
    if !args.rollout_options.is_empty() {
        job.rollout_options = Some(rollout_options(&args.rollout_options, warnings)?);
    }
    Ok(())
}

fn replace_texts(job: &mut Job, args: &CreateArgs) {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    for (member, option) in [
        (&mut job.image, &args.image),
        (&mut job.hostname, &args.hostname),
        (&mut job.runtime, &args.runtime),
        (&mut job.network_mode, &args.network_mode),
    ] {
        *member = given(option).or(member.take());
    }
    for (member, option) in [
        (&mut job.registration_domain, &args.registration_domain),
        (&mut job.token, &args.token),
    ] {
        *member = given(option).unwrap_or_else(|| std::mem::take(member));
    }
}

fn replace_lists(job: &mut Job, args: &CreateArgs) {
    for (member, option) in [
        (&mut job.command, &args.args),
        (&mut job.security_opt, &args.security_opt),
    ] {
        if !option.is_empty() {
            member.clone_from(option);
        }
    }
    for (member, option) in [
        (&mut job.add_capabilities, &args.add_capability),
        (&mut job.drop_capabilities, &args.drop_capability),
    ] {
        if !option.is_empty() {
            *member = option.iter().collect();
        }
    }
}

const HELP: &str = "`helios create --help` says how it is written";

fn pairs(option: &str, texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Failure::new(format!("{option} {text:?} is not NAME=VALUE")).advise(HELP)),
    };
    texts.iter().map(pair).collect()
}

fn add_ports(job: &mut Job, specs: &[String]) -> Result<(), Failure> {
    let mut given = BTreeMap::new();
    for spec in specs {
        let (name, port) = parse_port_spec(spec).map_err(malformed("--port"))?;
        if given.insert(name.clone(), port).is_some() {
            return Err(Failure::new(format!("--port names {name:?} twice"))
                .advise("give each port a name of its own"));
        }
    }
    job.ports.extend(given);
    Ok(())
}

fn add_registrations(job: &mut Job, specs: &[String]) -> Result<(), Failure> {
    for spec in specs {
        let (endpoint, port) = parse_register_spec(spec).map_err(malformed("--register"))?;
        let mut names = job.ports.keys();
        let port = match (port, names.next(), names.next()) {
            (Some(port), Some(_), _) => port,
            (None, Some(only), None) => only.clone(),
            (_, None, _) => {
                return Err(Failure::new(format!(
                    "--register {spec} needs a port, and the job has none"
                ))
                .advise("add one with --port, such as --port http=8080"));
            }
            (None, Some(_), Some(_)) => {
                return Err(
                    Failure::new(format!("--register {spec} does not say which port"))
                        .advise(format!("say it: --register {spec}=PORT")),
                );
            }
        };
        job.registration.insert(endpoint, ServicePorts::of(port));
    }
    Ok(())
}

fn malformed(option: &str) -> impl Fn(ParseError) -> Failure {
    move |error| Failure::new(format!("{option} {error}")).advise(HELP)
}

/// A time without offset is one of this machine's time zone.
fn expiry(text: &str) -> Result<Timestamp, Failure> {
    let local = text
        .parse::<DateTime>()
        .ok()
        .filter(|_| text.parse::<jiff::Timestamp>().is_err())
        .and_then(|time| time.to_zoned(TimeZone::system()).ok());
    match local {
        Some(time) => Ok(Timestamp::from_millis(time.timestamp().as_millisecond())),
        None => parse_date(text).map_err(malformed("--expires")),
    }
}

fn rollout_options(
    texts: &[String],
    warnings: &mut Vec<String>,
) -> Result<RolloutOptions, Failure> {
    const KNOWN: [&str; 6] = [
        "migrate",
        "parallelism",
        "timeout",
        "overlap",
        "token",
        "ignoreFailures",
    ];
    let mut members = Map::new();
    for (name, value) in pairs("--rollout-options", texts)? {
        if KNOWN.contains(&name.as_str()) {
            members.insert(name, Value::String(value));
        } else {
            let known = KNOWN.join(", ");
            warnings.push(format!(
                "--rollout-options {name} is ignored: there are {known}"
            ));
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| {
        Failure::new("--rollout-options has a value of the wrong kind")
            .caused_by(error)
            .advise("timeout and parallelism are numbers; migrate, overlap and ignoreFailures true or false")
    })
}
