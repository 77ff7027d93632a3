//! What guards see, and what follows.

use std::time::Duration;

use super::*;
use crate::Share;
use crate::audit::{Entry, replay};
use crate::guard::{Advice, Bake, Doubt, Missing};

#[tokio::test]
async fn a_bad_value_is_stopped_by_what_its_hosts_report_and_taken_back() {
    let guard = guard(Action::RollBack);
    let (rig, mut master) = started(200, Some(&guard)).await;
    let mut most = 0;
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
        for (host, value) in master.values().await {
            let failed = (value == "27".into()).then_some("exit code 1");
            master.variables.report(&host, failed).await.unwrap();
        }
        most = most.max(master.told().await);
    }
    assert!((1..60).contains(&most), "{most} hosts had the bad value");
    assert_eq!(master.told().await, 0);
    let log = master.variables.log("docker").await.unwrap();
    let state = replay(&log).unwrap();
    assert!(
        state
            .monitor
            .unwrap()
            .outcomes()
            .any(|(_, outcome, _)| outcome == crate::guard::Outcome::HarmShown)
    );
}

#[tokio::test]
async fn hosts_that_were_unwell_before_are_no_evidence() {
    let guard = guard(Action::Hold);
    let (rig, mut master) = fleet_of(100).await;
    for index in 0..50 {
        master
            .variables
            .report(&host(index), Some("disk full"))
            .await
            .unwrap();
    }
    master
        .variables
        .start("docker", &transition(), Some(&guard))
        .await
        .unwrap();
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 100);
}

#[tokio::test]
async fn a_guard_without_evidence_ends_a_rollout_by_its_dead_man_limit() {
    let mut guard = guard(Action::Hold);
    guard.objectives[0].dead_man = Duration::from_secs(20);
    guard.objectives[0].query = Query::Prometheus {
        url: "http://127.0.0.1:1".to_owned(),
        bad: "bad[$window]".to_owned(),
        all: "all[$window]".to_owned(),
        host_label: "instance".to_owned(),
    }
    .to_string();
    let (rig, mut master) = started(100, Some(&guard)).await;
    for second in 0..60 {
        rig.clock.set(second);
        master.tick().await;
    }
    let told = master.told().await;
    assert!((18..=24).contains(&told), "{told} hosts");
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    let monitor = ledger.state().unwrap().monitor.clone().unwrap();
    let (_, sight) = monitor.sights().next().unwrap();
    let Doubt::NoEvidence(silence) = sight.doubt() else {
        panic!("{:?}", sight.doubt())
    };
    assert_eq!(silence.because.kind, Missing::NobodyToAsk);
    let log = rig.full_log();
    let missed = |record: &&crate::audit::Record| matches!(record.entry, Entry::Missed { .. });
    assert_eq!(log.iter().filter(missed).count(), 1, "it is noted once");
    replay(&log).unwrap();
    let resumed = master.variables.resume("docker").await.unwrap_err();
    assert!(
        matches!(resumed.refused(), Some(Refusal::HeldByGuard { .. })),
        "{resumed}"
    );
    master.variables.abort("docker").await.unwrap();
    assert_eq!(master.told().await, told, "they keep what they have");
}

#[tokio::test]
async fn a_guard_holds_at_its_gate_until_harm_is_excluded() {
    let mut guard = guard(Action::Hold);
    guard.objectives[0].gates = vec![Share::from_percent(10)];
    guard.objectives[0].margin_permille = 1_000_000;
    let (rig, mut master) = started(100, Some(&guard)).await;
    for second in 0..40 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(master.told().await < 15, "held at the gate");
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert!(ledger.state().unwrap().held_by_guard);
    // Old hosts fail and new ones do not: the new value is no worse.
    let values = master.values().await;
    let old = values.iter().filter(|(_, value)| **value == "26".into());
    for (host, _) in old.take(60) {
        master
            .variables
            .report(host, Some("old bug"))
            .await
            .unwrap();
    }
    for second in 40..60 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(master.told().await > 20, "released");
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

/// A rollout over a hundred seconds that is watched for another hundred.
async fn baked() -> (Rig, Master) {
    let mut guard = guard(Action::RollBack);
    guard.bake = Some(Bake {
        length: Duration::from_secs(100),
        run_length: 1_000,
    });
    let (rig, mut master) = started(60, Some(&guard)).await;
    for second in 0..120 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 60);
    assert!(master.is_running().await, "it is watched after the end");
    (rig, master)
}

#[tokio::test]
async fn a_rollout_ends_after_its_bake() {
    let (rig, mut master) = baked().await;
    for second in 195..205 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(!master.is_running().await);
    assert_eq!(master.told().await, 60);
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

#[tokio::test]
async fn what_goes_wrong_only_after_the_last_host_is_taken_back_in_the_bake() {
    let (rig, mut master) = baked().await;
    for index in 0..20 {
        let failed = Some("it leaks");
        let reported = master.variables.report(&host(index), failed).await;
        reported.unwrap();
    }
    for second in 120..140 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 0);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::RolledBack);
    let log = rig.full_log();
    let worse = log.iter().any(|record| {
        let because = crate::guard::Termination::WorseAfterTheEnd;
        matches!(&record.entry, Entry::Advised { advice: Advice::Terminate { because: why, .. } } if *why == because)
    });
    assert!(worse);
    replay(&log).unwrap();
}
