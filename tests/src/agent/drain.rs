//! A host that is to be empty for a while.

use std::time::Duration;

use helios_core::ops::drain_host;
use helios_core::schema::{Drain, Keys};
use helios_core::{Goal, TaskState, Timestamp};

use crate::rig::{Rig, host, job};

async fn drain(rig: &Rig, drain: Option<&Drain>) {
    let (cluster, name) = (&rig.cluster, &host());
    cluster
        .transact("drain", |stamp| async move {
            let seen = cluster.read(&Keys::host(name)).await?;
            Ok(drain_host(seen.as_ref(), name, "spring", drain, &stamp)?)
        })
        .await
        .expect("a drain");
}

fn spring() -> Drain {
    Drain {
        by: "spring".to_owned(),
        id: "spring.0.1".to_owned(),
        since: Timestamp::from_millis(0),
        reset: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_drained_host_stops_its_jobs_with_grace_and_starts_them_again_afterwards() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let idle = rig.deploy(&job("idle"), Goal::Stop).await;
    rig.until_state(&web, TaskState::Running).await;
    drain(&rig, Some(&spring())).await;
    let report = rig.until_state(&web, TaskState::Stopped).await;
    assert_eq!(report.goal, Goal::Stop, "what the agent follows");
    let record = rig.cluster.host(&host()).await.expect("a read");
    let goals = &record.expect("the host").record.goals;
    assert_eq!(
        (goals[&web].goal, goals[&idle].goal),
        (Goal::Start, Goal::Stop)
    );
    drain(&rig, None).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(
        rig.running().await.len(),
        1,
        "what was stopped before stays stopped"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployment_to_a_drained_host_is_accepted_and_waits() {
    let rig = Rig::start().await;
    drain(&rig, Some(&spring())).await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Stopped).await;
    rig.pass(Duration::from_secs(60)).await;
    assert!(rig.containers().await.is_empty(), "nothing was even made");
    drain(&rig, None).await;
    rig.until_state(&web, TaskState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_starts_without_its_store_keeps_a_drained_host_empty() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    drain(&rig, Some(&spring())).await;
    rig.until_state(&web, TaskState::Stopped).await;
    rig.kill_agent().await;
    let store = std::mem::take(&mut rig.store);
    rig.store.close();
    rig.start_agent().await;
    rig.pass(Duration::from_secs(600)).await;
    assert!(rig.running().await.is_empty());
    rig.kill_agent().await;
    rig.store = store;
    rig.start_agent().await;
    drain(&rig, None).await;
    rig.until_state(&web, TaskState::Running).await;
}
