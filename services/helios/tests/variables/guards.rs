//! Guards that ask a real Prometheus.

use helios_rollout::drive::Outcome;
use helios_rollout::guard::{Doubt, Missing};
use helios_rollout::variable::Value;

use crate::fleet::{Fleet, show, within};
use crate::process::Master;
use crate::prometheus::{Prometheus, exporter};

const BAD: &str = "sum by (instance) (increase(errors_total[$window]))";
const ALL: &str = "sum by (instance) (increase(requests_total[$window]))";

fn roll_out(master: &Master, to: &str, more: &[&str]) {
    let rollout = ["variable", "rollout", "docker", "--to", to, "--yes"];
    let counted = ["--guard-bad", BAD, "--guard-all", ALL];
    master.ask(&[&rollout[..], &counted, more].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_prometheus_counted_ends_a_bad_rollout_and_its_silence_holds_a_good_one() {
    let master = Master::start();
    master.ask(&["variable", "set", "docker", "good"]);
    let fleet = Fleet::of(40, None, &master);
    fleet.settled("good", &master).await;
    let enacted = fleet.enacted.clone();
    let mut prometheus = Prometheus::scraping(&exporter(move || {
        let enacted = enacted.lock().expect("no panic");
        let share = |value: &Value| if *value == "bad".into() { 0.2 } else { 0.01 };
        let hosts = enacted.iter();
        hosts
            .map(|(host, value)| (host.clone(), share(value)))
            .collect()
    }));
    let url = prometheus.url.clone();

    roll_out(&master, "bad", &["--over", "60s", "--guard", &url]);
    let status = within("the guard ends it", || {
        let status = show(&master);
        (!status.past.is_empty()).then_some(status)
    })
    .await;
    assert_eq!(status.past[0].outcome, Outcome::RolledBack);
    within("all hosts went back", || fleet.all_hold("good")).await;
    let audit = master.ask(&["variable", "audit", "docker", "--replay"]);
    assert!(audit.contains("harm was shown"), "{audit}");
    assert!(
        audit.contains("every decision comes out the same"),
        "{audit}"
    );

    prometheus.crash();
    let limits = ["--over", "600s", "--dead-man", "5s", "--on-harm", "hold"];
    let guard = ["--guard", &url];
    roll_out(&master, "better", &[&limits[..], &guard].concat());
    let status = within("the dead-man limit ends it", || {
        let status = show(&master);
        let held = status.rollout.as_ref()?.held_by_guard;
        held.then_some(status)
    })
    .await;
    let rollout = status.rollout.unwrap();
    assert!(rollout.told < 20);
    let Some(Doubt::NoEvidence(silence)) = &rollout.objectives[0].doubt else {
        panic!("{:?}", rollout.objectives)
    };
    assert_eq!(silence.because.kind, Missing::Unreachable);
    for question in [
        &["variable", "show", "docker"][..],
        &["variable", "why", "docker", "host-0"],
    ] {
        let said = master.ask(question);
        assert!(
            said.contains(&format!("there is no evidence: {url}")),
            "{said}"
        );
    }
    let audit = master.ask(&["variable", "audit", "docker"]);
    assert!(audit.contains("no evidence for too long"), "{audit}");
}
