//! V21 to V29: host name, ports, and registrations.

use std::collections::BTreeMap;

use super::Rule;
use super::violation::Violations;
use crate::model::{Job, PortMapping};

const HOSTNAME_BYTES_MAX: usize = 63;

pub(super) fn check(job: &Job, found: &mut Violations) {
    if let Some(hostname) = job.hostname.as_deref().filter(|name| !is_hostname(name)) {
        found.add(
            Rule::Hostname,
            "hostname",
            hostname,
            "must be 1 to 63 lower-case letters, digits and -, not starting with -",
        );
    }
    check_external_ports(job, found);
    for (name, port) in &job.ports {
        check_port(name, port, found);
    }
    check_registration(job, found);
}

/// An empty name counts as none.
fn is_hostname(name: &str) -> bool {
    name.len() <= HOSTNAME_BYTES_MAX
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_external_ports(job: &Job, found: &mut Violations) {
    let mut claimed = BTreeMap::new();
    for (name, port) in &job.ports {
        let Some(external) = port.external_port else {
            continue;
        };
        if let Some(other) = claimed.insert((port.protocol.as_str(), external), name) {
            let should =
                format!("is already claimed by port {other:?}: use one port of the host once");
            let value = format!("{external}/{}", port.protocol);
            let field = format!("ports.{name}.externalPort");
            found.add(Rule::ExternalPortTwice, field, &value, &should);
        }
    }
}

fn check_port(name: &str, port: &PortMapping, found: &mut Violations) {
    if !matches!(port.protocol.as_str(), "tcp" | "udp") {
        let field = format!("ports.{name}.protocol");
        found.add(
            Rule::PortProtocol,
            field,
            &port.protocol,
            "must be tcp or udp",
        );
    }
    let numbers = [
        ("internalPort", Some(port.internal_port), Rule::InternalPort),
        ("externalPort", port.external_port, Rule::ExternalPort),
    ];
    for (member, number, rule) in numbers {
        if let Some(number) = number.filter(|number| !(0..=65_535).contains(number)) {
            let field = format!("ports.{name}.{member}");
            found.add(rule, field, &number.to_string(), "must be 0 to 65535");
        }
    }
    if name.is_empty() || name.contains([' ', '\t', '\n', '\x0b', '\x0c', '\r']) {
        found.add(
            Rule::PortName,
            "ports",
            name,
            "must be a name without white space",
        );
    }
}

fn check_registration(job: &Job, found: &mut Violations) {
    for (endpoint, service) in &job.registration {
        let field = format!("registration.{endpoint}");
        let Some(ports) = &service.ports else {
            found.add(Rule::RegistrationWithoutPorts, field, "", "must have ports");
            continue;
        };
        for port in ports.keys() {
            if !job.ports.contains_key(port) {
                let should = format!("is no port of the job: use one of {}", names_of(job));
                found.add(Rule::RegistrationUnknownPort, &field, port, &should);
            }
            if !is_service_name(endpoint.name()) {
                let should = "must be letters, digits, _ and -";
                found.add(Rule::RegistrationName, &field, endpoint.name(), should);
            }
        }
    }
}

fn is_service_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

/// The names of the job's ports, for messages.
pub(super) fn names_of(job: &Job) -> String {
    let names: Vec<&str> = job.ports.keys().map(String::as_str).take(16).collect();
    if names.is_empty() {
        "none, the job has no ports".to_owned()
    } else {
        names.join(", ")
    }
}
