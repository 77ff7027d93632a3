//! Members of a job document that nobody reads.

use serde_json::{Map, Value};

use super::read::Members;
use super::{
    HealthCheck, Job, PortMapping, ReadError, Resources, RolloutOptions, ServicePortParameters,
    ServicePorts,
};

/// Lists the members of a job document that reading it ignores, as paths such as
/// `ports.http.extrenalPort`. A tool can warn of them: they are often misspelt.
///
/// # Errors
/// When the text is no JSON object.
///
/// ```
/// let json = r#"{"id":"web:1","image":"nginx","volume":{},"ports":{"http":{"internal":80}}}"#;
/// let unknown = helios_core::model::unknown_members(json)?;
/// assert_eq!(unknown, ["ports.http.internal", "volume"]);
/// # Ok::<(), helios_core::model::ReadError>(())
/// ```
pub fn unknown_members(json: &str) -> Result<Vec<String>, ReadError> {
    let job: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| ReadError::new("job", error))?;
    let mut unknown = Vec::new();
    report("", &job, Job::MEMBERS, &mut unknown);
    for (name, members) in [
        ("resources", Resources::MEMBERS),
        ("healthCheck", HealthCheck::MEMBERS),
        ("rolloutOptions", RolloutOptions::MEMBERS),
    ] {
        if let Some(Value::Object(object)) = job.get(name) {
            report(&format!("{name}."), object, members, &mut unknown);
        }
    }
    for (name, port) in objects(job.get("ports")) {
        report(
            &format!("ports.{name}."),
            port,
            PortMapping::MEMBERS,
            &mut unknown,
        );
    }
    for (endpoint, service) in objects(job.get("registration")) {
        let path = format!("registration.{endpoint}.");
        report(&path, service, ServicePorts::MEMBERS, &mut unknown);
        for (port, parameters) in objects(service.get("ports")) {
            let path = format!("{path}ports.{port}.");
            report(
                &path,
                parameters,
                ServicePortParameters::MEMBERS,
                &mut unknown,
            );
        }
    }
    unknown.sort();
    Ok(unknown)
}

fn report(path: &str, object: &Map<String, Value>, known: &[&str], unknown: &mut Vec<String>) {
    let names = object.keys().filter(|name| !known.contains(&name.as_str()));
    unknown.extend(names.map(|name| format!("{path}{name}")));
}

/// The entries of a map that are objects themselves.
fn objects(map: Option<&Value>) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    map.and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
}
