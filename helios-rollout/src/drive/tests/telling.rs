//! Who is told what, and when.

use std::collections::BTreeMap;

use helios_core::model::HostName;

use super::*;
use crate::audit::replay;

#[tokio::test]
async fn hosts_are_told_when_their_turn_comes_and_a_forecast_made_before_is_what_happens() {
    let (rig, mut master) = started(40, None).await;
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    let state = ledger.state().unwrap();
    let view = state.variable.on(&state.fleet).unwrap();
    let forecast: BTreeMap<HostName, i64> = (0..40)
        .map(|index| {
            let at = view.flips_at(host(index).as_str()).forward.unwrap();
            (host(index), at.as_millis())
        })
        .collect();
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
        for (host, value) in master.values().await {
            let told = value == "27".into();
            assert_eq!(
                told,
                forecast[&host] <= second * 1_000,
                "{host} at {second}"
            );
        }
    }
    assert!(!master.is_running().await);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::Finished);
    assert_eq!(ledger.record().past[0].told, 40);
    assert_eq!(ledger.variable().unwrap().held().base(), &"27".into());
}

#[tokio::test]
async fn nothing_is_written_while_nothing_is_due() {
    let (rig, mut master) = started(4, None).await;
    rig.clock.set(50);
    for _ in 0..3 {
        master.tick().await;
    }
    let before = master.variables.ledger("docker").await.unwrap().unwrap();
    for _ in 0..5 {
        rig.clock.set(51);
        master.tick().await;
        master.variables.report(&host(1), None).await.unwrap();
        master
            .variables
            .follow(&Book::default(), &host(1), &BTreeMap::new())
            .await
            .unwrap();
    }
    let after = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(before.record().version, after.record().version);
}

#[tokio::test]
async fn a_rollback_takes_back_the_last_told_first_and_leaves_no_trace() {
    let (rig, mut master) = started(40, None).await;
    rig.clock.set(50);
    master.tick().await;
    assert_eq!(master.told().await, 20);
    let before = master.values().await;
    let over = Some(Duration::from_secs(10));
    master.variables.roll_back("docker", over).await.unwrap();
    rig.clock.set(55);
    master.tick().await;
    let half = master.values().await;
    assert!(
        half.iter()
            .all(|(host, value)| *value == "26".into() || before[host] == *value)
    );
    assert!((9..=11).contains(&master.told().await));
    rig.clock.set(60);
    master.tick().await;
    assert_eq!(master.told().await, 0);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::RolledBack);
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

#[tokio::test]
async fn what_a_host_was_told_never_gets_an_older_number() {
    let (rig, mut master) = started(30, None).await;
    let mut high: BTreeMap<HostName, (u64, Value)> = BTreeMap::new();
    for second in 0..140 {
        rig.clock.set(second);
        match second {
            60 => master.variables.roll_back("docker", None).await.unwrap(),
            90 => master
                .variables
                .start("docker", &transition(), None)
                .await
                .unwrap(),
            95 => master.variables.abort("docker").await.unwrap(),
            100 => master.variables.set("docker", &to_26()).await.unwrap(),
            110 => master.variables.remove("docker").await.unwrap(),
            120 => master.variables.set("docker", &to_26()).await.unwrap(),
            _ => {}
        }
        master.tick().await;
        let book = master.variables.read().await.unwrap();
        for (host, follower) in book.followers.iter() {
            let member = crate::order::Member::new(host.clone(), follower.labels.clone());
            let desired = book.desired(&member);
            let since = desired.since["docker"];
            let value = desired.values.get("docker").copied().cloned();
            let value = value.unwrap_or_else(|| "".into());
            let known = high.insert(host.clone(), (since, value.clone()));
            if let Some((before, old)) = known {
                assert!(
                    before < since || (before == since && old == value),
                    "{host} at {second}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_host_that_lies_about_its_role_later_stays_what_it_was() {
    let (_, master) = fleet_of(4).await;
    let lie = BTreeMap::from([("role".to_owned(), "database".to_owned())]);
    let book = Book::default();
    master
        .variables
        .follow(&book, &host(1), &lie)
        .await
        .unwrap();
    let book = master.variables.read().await.unwrap();
    assert_eq!(
        book.followers.get(&host(1)).unwrap().labels["role"],
        "role-1"
    );
}
