//! What an agent counts.

use std::fmt;

use helios_core::agent::AgentStatus;
use helios_core::reconcile::Verb;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    action: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OrphanLabels {
    kind: &'static str,
    ours: &'static str,
}

/// The status in the form that Prometheus reads. It is all in the status, so nothing is kept between two readings.
pub(super) fn text(status: &AgentStatus) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("helios_agent");
    let gauge = |value: bool| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::from(value));
        gauge
    };
    let help = "Whether the agent acts for its host";
    registry.register("member", help, gauge(status.is_member));
    let help = "Whether the container engine can be read";
    registry.register("engine_readable", help, gauge(status.reads_engine));

    let tasks = Family::<StateLabels, Gauge>::default();
    for task in status.tasks.values() {
        let state = task.state.as_str();
        tasks.get_or_create(&StateLabels { state }).inc();
    }
    registry.register("tasks", "Reported tasks", tasks);
    let restarts = Gauge::<i64>::default();
    let sum: u64 = status.tasks.values().map(|task| task.restarts).sum();
    restarts.set(i64::try_from(sum).unwrap_or(i64::MAX));
    let help = "How often the containers of the present tasks were started anew";
    registry.register("restarts", help, restarts);

    let actions = Family::<ActionLabels, Counter>::default();
    for ((verb, succeeded), count) in &status.counts.actions {
        let action = name(*verb);
        let outcome = if *succeeded { "ok" } else { "failed" };
        let labels = ActionLabels { action, outcome };
        actions.get_or_create(&labels).inc_by(*count);
    }
    registry.register(
        "actions",
        "What the agent has done to containers and images",
        actions,
    );

    let orphans = Family::<OrphanLabels, Gauge>::default();
    for finding in &status.orphans {
        let kind = finding.what.kind();
        let ours = if finding.may_be_reaped() {
            "yes"
        } else {
            "unsure"
        };
        orphans.get_or_create(&OrphanLabels { kind, ours }).inc();
    }
    let help = "What nothing manages any more on this host";
    registry.register("orphans", help, orphans);
    let reaped = Counter::<u64>::default();
    reaped.inc_by(status.counts.orphans_reaped);
    registry.register("orphans_reaped", "Orphans that the agent has ended", reaped);
    let removed = Counter::<u64>::default();
    removed.inc_by(status.counts.images_removed);
    registry.register(
        "images_removed",
        "Images that the agent has removed",
        removed,
    );
    let problems = Gauge::<i64>::default();
    problems.set(i64::try_from(status.problems.len()).unwrap_or(i64::MAX));
    registry.register("problems", "What is wrong with this host", problems);

    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Pull => "pull",
        Verb::AbandonPull => "abandon_pull",
        Verb::Create => "create",
        Verb::Start => "start",
        Verb::Stop => "stop",
        Verb::Keep => "keep",
        Verb::Remove => "remove",
    }
}
