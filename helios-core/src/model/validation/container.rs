//! V33 to V38 and V41: how long, how well and with which rights it runs.

use super::network::names_of;
use super::violation::Violations;
use super::{Rule, ValidationRules};
use crate::model::{HealthCheck, Job, format_date};

pub(super) fn check(job: &Job, rules: &ValidationRules<'_>, found: &mut Violations) {
    if let Some(expires) = job.expires.filter(|expires| *expires < rules.now) {
        let should = format!(
            "must not be in the past; it is {} now",
            format_date(rules.now)
        );
        found.add(Rule::Expired, "expires", &format_date(expires), &should);
    }
    if let Some(check) = &job.health_check {
        check_health_check(job, check, found);
    }
    let known_mode =
        |mode: &str| matches!(mode, "bridge" | "host") || mode.starts_with("container:");
    if let Some(mode) = job.network_mode.as_deref().filter(|mode| !known_mode(mode)) {
        let should = "must be bridge, host or container:<name>, or absent";
        found.add(Rule::NetworkMode, "networkMode", mode, should);
    }
    check_capabilities(job, rules, found);
    let grace_period = job.grace_period.filter(|seconds| *seconds > 0);
    let external = job.ports.values().any(|port| port.external_port.is_some());
    if let Some(seconds) = grace_period.filter(|_| external) {
        let should = "needs ports that the agent picks, because old and new container overlap: drop it or every externalPort";
        found.add(
            Rule::GracePeriodWithExternalPort,
            "gracePeriod",
            &seconds.to_string(),
            should,
        );
    }
}

fn check_health_check(job: &Job, check: &HealthCheck, found: &mut Violations) {
    let port = match check {
        HealthCheck::Exec { command } => {
            if command.is_empty() {
                let should = "must have at least one word";
                found.add(Rule::CheckWithoutCommand, "healthCheck.command", "", should);
            }
            return;
        }
        HealthCheck::Http { port, .. } | HealthCheck::Tcp { port } => {
            port.as_deref().unwrap_or_default()
        }
    };
    let should = format!(
        "must be the name of a port of the job: use one of {}",
        names_of(job)
    );
    if port.is_empty() {
        found.add(Rule::CheckWithoutPort, "healthCheck.port", "", &should);
    } else if !job.ports.contains_key(port) {
        found.add(Rule::CheckUnknownPort, "healthCheck.port", port, &should);
    }
}

/// One violation for all capabilities together.
fn check_capabilities(job: &Job, rules: &ValidationRules<'_>, found: &mut Violations) {
    let Some(allowed) = rules.allowed_capabilities else {
        return;
    };
    let refused: Vec<&str> = job
        .add_capabilities
        .iter()
        .filter(|name| !allowed.contains(*name))
        .collect();
    if !refused.is_empty() {
        let should = "may not be added: this master does not allow it";
        let value = refused.join(", ");
        found.add(
            Rule::CapabilityNotAllowed,
            "addCapabilities",
            &value,
            should,
        );
    }
}
