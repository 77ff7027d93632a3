//! What is written, and that it can be decided again.

use std::collections::BTreeMap;

use helios_core::Timestamp;

use super::*;
use crate::audit::{Entry, replay};

#[tokio::test]
async fn every_decision_of_two_masters_can_be_made_again_from_the_log() {
    let (rig, mut one) = started(60, None).await;
    let mut two = rig.master("m2");
    for second in 0..=100 {
        rig.clock.set(second);
        match second {
            20 => two.follow(100).await,
            30 => one.variables.pause("docker").await.unwrap(),
            40 => two.variables.resume("docker").await.unwrap(),
            50 => one.variables.forget(&host(7)).await.unwrap(),
            // A crash: a new process knows nothing but the store.
            60 => one = rig.master("m3"),
            _ => {}
        }
        let (fleet, book) = (
            one.variables.cluster().fleet().await.unwrap(),
            one.variables.read().await.unwrap(),
        );
        // Both decide from the same picture, and race.
        futures_util::future::join(
            one.driver.tick(&fleet, &book),
            two.driver.tick(&fleet, &book),
        )
        .await;
        assert_eq!(one.values().await, two.values().await);
    }
    let log = rig.full_log();
    let state = replay(&log).unwrap();
    assert_eq!(state.fleet.members().len(), 60);
    assert!(state.variable.running().is_some(), "ten seconds were lost");
    let told = |record: &&crate::audit::Record| matches!(record.entry, Entry::Told { .. });
    assert!(log.iter().filter(told).count() > 20);
    rig.clock.set(111);
    two.tick().await;
    assert!(!one.is_running().await);
    assert_eq!(one.told().await, 60);
}

#[tokio::test]
async fn a_fleet_that_fits_no_page_is_kept_on_many() {
    let (rig, mut master) = fleet_of(0).await;
    let labels: BTreeMap<String, String> = (0..20)
        .map(|index| (format!("label-{index}"), "x".repeat(250)))
        .collect();
    for index in 0..300 {
        master
            .variables
            .follow(&Book::default(), &host(index), &labels)
            .await
            .unwrap();
    }
    master
        .variables
        .start("docker", &transition(), None)
        .await
        .unwrap();
    let head = master.variables.ledger("docker").await.unwrap().unwrap();
    assert!(head.record().log.as_ref().unwrap().pages > 1);
    rig.clock.set(100);
    for _ in 0..3 {
        master.tick().await;
    }
    assert_eq!(master.told().await, 300);
}

#[test]
fn records_are_stored_as_the_golden_files_say() {
    let variable = crate::variable::Variable::new("docker", "26".into()).unwrap();
    let record = VariableRecord {
        changes: 9,
        settled_at: 1,
        variable: Some(variable),
        log: Some(LogHead {
            id: "m1-7-0".to_owned(),
            from: 1,
            pages: 2,
            records: 8,
            running: true,
            rolled_up: None,
        }),
        past: vec![Past {
            change: transition().change,
            accepted: Timestamp::from_millis(1_000),
            ended: Timestamp::from_millis(2_000),
            outcome: Outcome::RolledBack,
            told: 3,
        }],
    };
    let follower = FollowerRecord {
        labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
        failed: Some("exit code 1".to_owned()),
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let variable = text(&helios_core::schema::encode(&record));
    assert_eq!(variable, include_str!("../golden/variable.json").trim_end());
    let follower = text(&helios_core::schema::encode(&follower));
    assert_eq!(follower, include_str!("../golden/follower.json").trim_end());
}
