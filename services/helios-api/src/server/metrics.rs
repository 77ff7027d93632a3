//! What a master counts.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use helios_core::cluster::FleetView;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The upper ends of the buckets for durations, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// What a master counts, in the form that Prometheus reads.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, Buckets>,
    jobs: Gauge,
    deployments: Gauge,
    hosts: Family<StateLabels, Gauge>,
    tasks: Family<StateLabels, Gauge>,
    unreadable: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Makes the histograms of a family.
#[derive(Clone, Debug)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let requests = Family::new_with_constructor(Buckets);
        let (jobs, deployments, unreadable) = <(Gauge, Gauge, Gauge)>::default();
        let (hosts, tasks) = <(Family<_, Gauge>, Family<_, Gauge>)>::default();
        let mut registry = Registry::with_prefix("helios");
        let help = "How long requests took, and how many there were";
        registry.register_with_unit("http_request", help, Unit::Seconds, requests.clone());
        registry.register("jobs", "Jobs", jobs.clone());
        registry.register("deployments", "Jobs on hosts", deployments.clone());
        registry.register("hosts", "Registered hosts", hosts.clone());
        registry.register("tasks", "Reported tasks", tasks.clone());
        let help = "Entries of the store that are not understood";
        registry.register("unreadable_entries", help, unreadable.clone());
        Self {
            registry,
            requests,
            jobs,
            deployments,
            hosts,
            tasks,
            unreadable,
        }
    }

    /// Counts a request to one of the routes.
    pub(super) fn count(&self, method: &Method, route: String, status: StatusCode, took: Duration) {
        // Methods that nobody serves are one, so that strangers cannot make up new series.
        let served = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
        let method = served.into_iter().find(|served| *served == method.as_str());
        let labels = RequestLabels {
            method: method.unwrap_or("OTHER"),
            route,
            status: status.as_u16(),
        };
        let seconds = took.as_secs_f64();
        self.requests.get_or_create(&labels).observe(seconds);
    }

    /// Everything counted, with the present state of the cluster if it is known.
    pub(super) fn report(&self, fleet: Option<&FleetView>) -> Result<String, fmt::Error> {
        if let Some(fleet) = fleet {
            self.measure(fleet);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn measure(&self, fleet: &FleetView) {
        let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.jobs.set(size(fleet.jobs.len()));
        self.hosts.clear();
        self.tasks.clear();
        let (mut deployments, mut unreadable) = (0, fleet.unreadable().count());
        for host in fleet.hosts.names().filter_map(|name| fleet.host(name)) {
            deployments += host.record.goals.len();
            unreadable += host.record.goals.unread().len();
            let state = if host.up { "UP" } else { "DOWN" };
            self.hosts.get_or_create(&StateLabels { state }).inc();
            for task in host.report.iter().flat_map(|report| report.tasks.values()) {
                let state = task.state.as_str();
                self.tasks.get_or_create(&StateLabels { state }).inc();
            }
        }
        self.deployments.set(size(deployments));
        self.unreadable.set(size(unreadable));
    }
}
