//! From a deployment to its end.

use std::time::Duration;

use helios_core::model::{HealthCheck, ThrottleState};
use helios_core::runtime::RuntimeErrorKind;
use helios_core::{Goal, PortMapping, TaskState};
use helios_testkit::runtime::{FakeImage, Fault, Registry, Verb};

use crate::rig::{Rig, job};

#[tokio::test(start_paused = true)]
async fn a_deployed_job_runs_and_an_undeployed_one_is_gone() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let report = rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    assert_eq!(running.len(), 1);
    assert_eq!(report.container_id.as_deref(), Some(running[0].id.as_str()));
    rig.undeploy(&web).await;
    rig.until_gone(&web).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_container_comes_back_as_a_fresh_one() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let first = rig.running().await.remove(0);
    rig.pass(Duration::from_secs(30)).await;
    rig.engine.kill(&first.name);
    rig.until("another container runs", async |rig| {
        rig.running()
            .await
            .iter()
            .any(|container| container.id != first.id)
    })
    .await;
    let report = rig.until_state(&web, TaskState::Running).await;
    assert_eq!(report.restarts, 1);
    assert_eq!(report.last_exit.map(|exit| exit.code), Some(137));
    assert_eq!(rig.containers().await.len(), 1, "the dead one was removed");
}

#[tokio::test(start_paused = true)]
async fn a_job_may_want_the_same_container_again() {
    let rig = Rig::start().await;
    let same = job("web").metadata("helios.restart", "same");
    let web = rig.deploy(&same.with_computed_id(), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let first = rig.running().await.remove(0);
    rig.pass(Duration::from_secs(30)).await;
    for deaths in 1..=2 {
        rig.engine.kill(&first.name);
        rig.until("it runs again", async |rig| {
            rig.report(&web).await.is_some_and(|report| {
                (report.restarts, report.state) == (deaths, TaskState::Running)
            })
        })
        .await;
        rig.pass(Duration::from_secs(30)).await;
        assert_eq!(rig.running().await[0].id, first.id);
    }
    // A container that cannot be started any more is replaced.
    rig.engine.image(
        "busybox",
        FakeImage::new()
            .here()
            .start_fails(RuntimeErrorKind::Failed),
    );
    rig.engine.kill(&first.name);
    rig.until("its start failed", async |rig| {
        rig.report(&web)
            .await
            .is_some_and(|report| report.state == TaskState::Failed)
    })
    .await;
    rig.engine.image("busybox", FakeImage::new().here());
    rig.until_state(&web, TaskState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_container_flaps_too() {
    let rig = Rig::start().await;
    let dies = FakeImage::new()
        .here()
        .exits_after(Duration::from_millis(500), 1);
    rig.engine.image("busybox", dies);
    let same = job("web").metadata("helios.restart", "same");
    let web = rig.deploy(&same.with_computed_id(), Goal::Start).await;
    rig.until("it flaps", async |rig| {
        rig.report(&web)
            .await
            .is_some_and(|report| report.throttled == ThrottleState::Flapping)
    })
    .await;
    assert_eq!(rig.containers().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn goals_stop_and_start_a_job() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Stop).await;
    rig.until_state(&web, TaskState::Stopped).await;
    assert!(rig.containers().await.is_empty());
    rig.set_goal(&web, Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.set_goal(&web, Goal::Stop).await;
    rig.until_state(&web, TaskState::Stopped).await;
    assert!(rig.running().await.is_empty());
    rig.set_goal(&web, Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn fifty_jobs_at_once_run_and_come_back_when_all_are_killed() {
    let rig = Rig::start().await;
    let mut jobs = Vec::new();
    for n in 0..50 {
        jobs.push(rig.deploy(&job(&format!("j{n}")), Goal::Start).await);
    }
    rig.until("all run", async |rig| rig.running().await.len() == 50)
        .await;
    rig.pass(Duration::from_secs(60)).await;
    let first = rig.running().await;
    first
        .iter()
        .for_each(|container| rig.engine.kill(&container.name));
    rig.until("all are back", async |rig| {
        let running = rig.running().await;
        running.len() == 50
            && running
                .iter()
                .all(|now| first.iter().all(|old| old.id != now.id))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_nobody_has_is_reported_as_missing() {
    let rig = Rig::start().await;
    rig.engine
        .image("busybox", FakeImage::new().registry(Registry::Lacks));
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let report = rig.until_state(&web, TaskState::Failed).await;
    assert_eq!(report.throttled, ThrottleState::ImageMissing);
    assert!(!report.error.is_empty());
    rig.engine.image("busybox", FakeImage::new().here());
    rig.until_state(&web, TaskState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_away_is_reported_as_a_failed_pull() {
    let rig = Rig::start().await;
    rig.engine
        .image("busybox", FakeImage::new().registry(Registry::Unreachable));
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let report = rig.until_state(&web, TaskState::Failed).await;
    assert_eq!(report.throttled, ThrottleState::ImagePullFailed);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_keeps_dying_flaps_until_it_lasts() {
    let rig = Rig::start().await;
    rig.engine.image(
        "busybox",
        FakeImage::new()
            .here()
            .exits_after(Duration::from_millis(500), 1),
    );
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until("it flaps", async |rig| {
        rig.report(&web)
            .await
            .is_some_and(|report| report.throttled == ThrottleState::Flapping)
    })
    .await;
    rig.engine.image("busybox", FakeImage::new().here());
    rig.until("it does not flap any more", async |rig| {
        rig.report(&web).await.is_some_and(|report| {
            (report.throttled, report.state) == (ThrottleState::No, TaskState::Running)
        })
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_undeploy_during_a_pull_takes_effect_at_once() {
    let rig = Rig::start().await;
    rig.engine.image(
        "busybox",
        FakeImage::new().pull_takes(Duration::from_secs(600)),
    );
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::PullingImage).await;
    rig.undeploy(&web).await;
    let before = tokio::time::Instant::now();
    rig.until_gone(&web).await;
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_slow_pull_does_not_hold_up_another_job() {
    let rig = Rig::start().await;
    rig.engine.image(
        "slow",
        FakeImage::new().pull_takes(Duration::from_secs(600)),
    );
    let slow = helios_core::Job::new("slow:1", "slow")
        .unwrap()
        .with_computed_id();
    rig.deploy(&slow, Goal::Start).await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let before = tokio::time::Instant::now();
    rig.until_state(&web, TaskState::Running).await;
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_health_check_is_passed_before_a_job_counts_as_running() {
    let rig = Rig::start().await;
    rig.probe.see(Some("connection refused"));
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .health_check(HealthCheck::tcp("http"))
        .with_computed_id();
    let web = rig.deploy(&web, Goal::Start).await;
    let report = rig.until_state(&web, TaskState::Healthchecking).await;
    rig.pass(Duration::from_secs(120)).await;
    let report = rig.report(&web).await.unwrap_or(report);
    assert_eq!(
        (report.state, report.error.as_str()),
        (TaskState::Healthchecking, "connection refused")
    );
    rig.probe.see(None);
    rig.until_state(&web, TaskState::Running).await;
    rig.probe.see(Some("500"));
    rig.until_state(&web, TaskState::Healthchecking).await;
    assert_eq!(rig.running().await.len(), 1, "it is reported, not killed");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_tried_again_and_its_reason_is_told() {
    let rig = Rig::start().await;
    rig.engine
        .inject(Fault::new(Verb::Start, RuntimeErrorKind::Failed).times(3));
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let report = rig.until_state(&web, TaskState::Failed).await;
    assert!(!report.error.is_empty());
    let report = rig.until_state(&web, TaskState::Running).await;
    assert_eq!(report.error, "");
    assert_eq!(rig.containers().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_went_away_and_came_back_is_used_again() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.engine.go_away();
    rig.until("the trouble is told", async |rig| {
        !rig.problems().await.is_empty()
    })
    .await;
    rig.undeploy(&web).await;
    rig.pass(Duration::from_secs(60)).await;
    rig.engine.come_back();
    rig.until_gone(&web).await;
    rig.until("nothing is wrong", async |rig| {
        rig.problems().await.is_empty()
    })
    .await;
}
