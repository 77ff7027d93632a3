//! The store is away, empty, old, or somebody else's.

use std::time::Duration;

use helios_core::schema::Keys;
use helios_core::store::{Key, Store, Txn};
use helios_core::{Goal, TaskState};

use crate::rig::{Rig, host, job};

async fn delete(rig: &Rig, key: Key) {
    let entry = rig
        .store
        .get(&key)
        .await
        .expect("a read")
        .expect("an entry");
    rig.store
        .commit(Txn::new().delete(key, entry.version))
        .await
        .expect("a delete");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_store_stops_nothing() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    delete(&rig, Keys::cluster()).await;
    delete(&rig, Keys::host(&host())).await;
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
    assert!(
        rig.store
            .get(&Keys::host(&host()))
            .await
            .expect("a read")
            .is_none(),
        "not registered there"
    );
    rig.cluster.init().await.expect("another cluster");
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_goal_is_no_empty_goal() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    let key = Keys::host(&host());
    let entry = rig
        .store
        .get(&key)
        .await
        .expect("a read")
        .expect("an entry");
    rig.store
        .commit(Txn::new().update(key, entry.version, "{ torn"))
        .await
        .expect("an update");
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
    rig.engine.kill(&running[0].name);
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.running().await.len(),
        1,
        "and the dead are still started again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_host_registers_again_and_drops_what_it_ran() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.cluster
        .deregister_host(&host())
        .await
        .expect("a deregistration");
    rig.until("it is registered again, with nothing to do", async |rig| {
        let host = rig.cluster.host(&host()).await.expect("a read");
        host.is_some_and(|host| host.record.goals.is_empty()) && rig.containers().await.is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_agent_of_the_same_name_does_nothing_and_says_so() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    let state = std::mem::take(&mut rig.state);
    let other = rig.agent("a2", rig.store.session()).await;
    rig.state = state;
    let other = tokio::spawn(other.run(std::future::pending()));
    rig.pass(Duration::from_secs(1800)).await;
    assert_eq!(rig.running().await, running);
    let record = rig
        .cluster
        .host(&host())
        .await
        .expect("a read")
        .expect("the host")
        .record;
    assert_eq!(record.agent_id, "a1");
    other.abort();
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_over_from_an_agent_that_is_gone_for_good() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.kill_agent().await;
    rig.state.wipe();
    let other = rig.agent("a2", rig.store.session()).await;
    tokio::spawn(other.run(std::future::pending()));
    rig.pass(Duration::from_secs(590)).await;
    let record = rig
        .cluster
        .host(&host())
        .await
        .expect("a read")
        .expect("the host")
        .record;
    assert_eq!(
        record.agent_id, "a1",
        "the old agent has ten minutes to come back"
    );
    rig.until("the host has a new agent, and its goals", async |rig| {
        let host = rig
            .cluster
            .host(&host())
            .await
            .expect("a read")
            .expect("the host");
        host.record.agent_id == "a2" && host.up && host.record.goals.contains_key(&web)
    })
    .await;
    rig.until_state(&web, TaskState::Running).await;
}
