//! A reset that a real Prometheus guards.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::prometheus::{Prometheus, exporter};
use crate::resets::{MACHINES, Machine, Master, People, Site, until_up, within};

const BAD: &str = "sum by (instance) (increase(errors_total[$window]))";
const ALL: &str = "sum by (instance) (increase(requests_total[$window]))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_prometheus_counted_on_renewed_machines_halts_their_reset() {
    Site::during(a_reset_that_does_harm).await;
}

/// Requests fail on a machine once it has booted again: one in five instead of one in a hundred.
fn errors_of(machines: &[Machine]) -> impl Fn() -> Vec<(String, f64)> + Send + 'static {
    let machines = machines.iter();
    let boots: Vec<_> = machines
        .map(|machine| (machine.name.clone(), Arc::clone(&machine.boots)))
        .collect();
    move || {
        let share = |boots| if boots > 1 { 0.2 } else { 0.01 };
        let now = boots.iter();
        now.map(|(name, boots)| (name.clone(), share(boots.load(Ordering::SeqCst))))
            .collect()
    }
}

fn a_reset_that_does_harm(site: &Site) {
    let masters = [Master::start(site, "m1"), Master::start(site, "m2")];
    let machines: Vec<Machine> = (1..=MACHINES)
        .map(|number| Machine::start(site, number))
        .collect();
    let prometheus = Prometheus::scraping(&exporter(errors_of(&machines)));
    let people = People::of(site, &masters);
    until_up(&people);
    let wanted = "reset start october --not-since now --by +2h --settle 10s --yes";
    let wanted: Vec<&str> = wanted.split(' ').collect();
    let guard = [
        "--guard",
        &prometheus.url,
        "--guard-bad",
        BAD,
        "--guard-all",
        ALL,
    ];
    people.ask(&[&wanted[..], &guard].concat());
    let status = within(240, "the guard halts it", || {
        let status = people.json(&["reset", "status", "october"]);
        let stage = status["stage"].to_string();
        stage.contains("objective").then_some(status)
    });
    let done = status["done"].as_u64().unwrap();
    assert!(done < MACHINES as u64, "{status}");
    let audit = people.ask(&["reset", "audit", "october"]);
    assert!(audit.contains("it is halted: objective"), "{audit}");
}
