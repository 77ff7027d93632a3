//! Resets that are guarded by what is measured.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::Cluster;
use helios_rollout::drive::{EvidenceSource, Query, Tally};
use helios_rollout::guard::{
    Action as OnHarm, Counts, Guard, Missing, NoEvidence, Objective, Outcome,
};
use helios_rollout::reset::{Control, Ending, Halt, Sights, Stage};
use tokio::time::sleep;

use crate::fleet::Fleet;

/// Counts a hundred requests on each host at every look. One fails of those, or `renewed` on hosts that were restarted.
#[derive(Debug)]
struct Measured {
    cluster: Cluster,
    renewed: u64,
}

fn missing(error: &dyn std::fmt::Display) -> NoEvidence {
    NoEvidence::new(Missing::Unreachable, error.to_string())
}

#[async_trait]
impl EvidenceSource for Measured {
    async fn count(&self, _: &Query, _: Duration) -> Result<Tally, NoEvidence> {
        let view = self.cluster.fleet().await;
        let view = view.map_err(|error| missing(&error))?;
        let sights = Sights::of(&view).map_err(|error| missing(&error))?;
        let there = sights.iter().filter(|(_, sight)| sight.up);
        let counts = there.map(|(host, sight)| {
            let first_boot = sight
                .boot_id
                .as_ref()
                .is_some_and(|boot| boot.ends_with("-1"));
            let events = if first_boot { 1 } else { self.renewed };
            let exposure = 100;
            (host.clone(), Counts { events, exposure })
        });
        Ok(counts.collect())
    }
}

fn guard(query: &Query) -> Guard {
    Guard {
        alpha_ppm: 50_000,
        objectives: vec![Objective {
            name: "errors".to_owned(),
            query: query.to_string(),
            margin_permille: 500,
            gates: vec![],
            on_harm: OnHarm::Hold,
            dead_man: Duration::from_secs(1_800),
        }],
        bake: None,
    }
}

fn prometheus() -> Query {
    Query::Prometheus {
        url: "http://127.0.0.1:9090".to_owned(),
        bad: "increase(errors_total[$window])".to_owned(),
        all: "increase(requests_total[$window])".to_owned(),
        host_label: "instance".to_owned(),
    }
}

async fn guarded(hosts: usize, renewed: u64) -> Fleet {
    let fleet = Fleet::start(hosts).await;
    let mut reset = fleet.reset();
    reset.guard = Some(guard(&prometheus()));
    fleet.resets().start(&reset).await.expect("a start");
    for name in ["m1", "m2"] {
        let cluster = fleet.cluster.clone();
        let source = Arc::new(Measured { cluster, renewed });
        fleet.guarding_master(name, source);
    }
    fleet
}

#[tokio::test(start_paused = true)]
async fn harm_on_hosts_that_were_reset_halts_it_until_somebody_resumes_it() {
    let mut fleet = guarded(6, 40).await;
    let is_halted = |stage: &Stage| matches!(stage, Stage::Halted(Halt::Objective { .. }));
    let record = fleet
        .until(|record| is_halted(&record.progress.stage) && record.progress.away.is_empty())
        .await;
    assert_eq!(
        record.progress.stage.to_string(),
        "halted: objective \"errors\" was breached: look why, then resume"
    );
    let done = record.progress.done.len();
    assert!((1..6).contains(&done), "{done} hosts");
    sleep(Duration::from_secs(600)).await;
    assert!(is_halted(&fleet.record().await.progress.stage));
    let trail = fleet.resets().trail("spring").await.expect("a trail");
    let seen = |what: &str| trail.iter().any(|line| line.text.contains(what));
    assert!(seen("objective errors: ") && seen("it is halted: objective"));

    let resume = Control::Resume {
        again: false,
        deadline: None,
    };
    fleet
        .resets()
        .control("spring", &resume)
        .await
        .expect("a resume");
    let record = fleet.record().await;
    assert_eq!(record.progress.stage, Stage::Running);
    let monitor = record.progress.monitor.expect("a guard");
    let forgotten = |(_, outcome, _): (&str, Outcome, u64)| outcome == Outcome::NotKnown;
    assert!(monitor.outcomes().all(forgotten));
}

#[tokio::test(start_paused = true)]
async fn a_reset_without_harm_ends_and_its_report_has_what_was_counted() {
    let mut fleet = guarded(6, 1).await;
    let record = fleet.until_over().await;
    assert_eq!(record.progress.stage, Stage::Ended(Ending::Done));
    let monitor = record.progress.monitor.expect("a guard");
    let harm = monitor
        .outcomes()
        .any(|(_, outcome, _)| outcome == Outcome::HarmShown);
    assert!(!harm);
    let report = fleet.resets().robustness("spring").await.expect("a report");
    let counted = report.services["front"].objectives["errors"];
    assert!(counted.away.exposure >= 1_000, "{counted:?}");
    let worse = report.services["front"].gets_worse(monitor.guard());
    assert_eq!(worse, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn hosts_that_stay_unwell_once_they_were_reset_are_harm_by_health() {
    let mut fleet = Fleet::start(3).await;
    let mut reset = fleet.reset();
    reset.guard = Some(guard(&Query::Health { grace_seconds: 10 }));
    fleet.resets().start(&reset).await.expect("a start");
    let _master = fleet.master("m1");
    let record = fleet.until(|record| record.progress.done.len() == 1).await;
    assert!(record.progress.fallen.contains_key("errors"), "it looks");
    let record = fleet.until_over().await;
    assert_eq!(record.progress.done.len(), 3);
    // Every machine was away for longer than that while it was restarted: that is no harm.
    assert!(record.progress.fallen["errors"].is_empty());
}
