//! On an engine in memory.

use std::time::Duration;

use helios_core::Runtime;
use helios_core::runtime::Owner;
use helios_testkit::host::FakeProbe;
use helios_testkit::runtime::{FakeEngine, FakeImage, Registry};
use helios_testkit::temporary::{Engine, TemporaryErrorKind, TemporaryJobs};

use crate::bodies;

fn engine() -> FakeEngine {
    let engine = FakeEngine::new();
    engine.image(bodies::WEB, FakeImage::new().here().writes("ready\n"));
    engine.image(bodies::NOTHING, FakeImage::new().registry(Registry::Lacks));
    engine
}

/// Who ever owned a container on the engine.
fn owners(engine: &FakeEngine) -> Vec<Owner> {
    let mut owners: Vec<Owner> = engine.calls().into_iter().map(|call| call.owner).collect();
    owners.sort();
    owners.dedup();
    owners
}

async fn containers(engine: &FakeEngine) -> usize {
    let mut count = 0;
    for owner in owners(engine) {
        count += engine.runtime(owner).list().await.expect("a look").len();
    }
    count
}

#[tokio::test]
async fn a_job_runs_and_is_gone_after_the_test() {
    let engine = engine();
    let jobs = TemporaryJobs::fake(&engine).await.expect("an engine");
    assert_eq!(bodies::web(&jobs).await.host(), "127.0.0.1");
    assert_eq!(containers(&engine).await, 1);
    drop(jobs);
    assert_eq!(containers(&engine).await, 0);
}

/// What waits for the job does so elsewhere: virtual time does not run out meanwhile.
#[tokio::test(start_paused = true)]
async fn a_test_may_pause_its_time() {
    let jobs = TemporaryJobs::fake(&engine()).await.expect("an engine");
    bodies::web(&jobs).await;
    jobs.end().await.expect("nothing is left");
}

#[tokio::test]
async fn a_job_with_a_health_check_is_ready_once_it_passes() {
    let jobs = TemporaryJobs::fake(&engine()).await.expect("an engine");
    bodies::a_job_with_a_health_check_is_ready_once_it_passes(&jobs).await;
}

#[tokio::test]
async fn two_tests_with_the_same_job_do_not_meet() {
    let engine = engine();
    let one = TemporaryJobs::fake(&engine).await.expect("an engine");
    let other = TemporaryJobs::fake(&engine).await.expect("an engine");
    bodies::two_tests_with_the_same_job_do_not_meet(&one, &other).await;
    drop(one);
    assert_eq!(containers(&engine).await, 1, "the other's goes on");
}

#[tokio::test]
async fn what_is_wrong_with_a_job_is_told_at_once() {
    let jobs = TemporaryJobs::fake(&engine()).await.expect("an engine");
    bodies::what_is_wrong_with_a_job_is_told_at_once(&jobs).await;
}

#[tokio::test]
async fn a_port_that_nobody_opens_is_told_with_what_the_job_wrote() {
    let (engine, probe) = (engine(), FakeProbe::new());
    probe.see(Some("refused"));
    let on = move |owner| Engine::fake(&engine, &probe, owner);
    let jobs = TemporaryJobs::on(on).await.expect("an engine");
    bodies::a_port_that_nobody_opens_is_told_with_what_the_job_wrote(&jobs, bodies::WEB).await;
}

#[test]
fn a_panic_removes_everything_too() {
    let engine = engine();
    let test = {
        let engine = engine.clone();
        move || {
            let runtime = tokio::runtime::Runtime::new().expect("threads");
            runtime.block_on(async {
                let jobs = TemporaryJobs::fake(&engine).await.expect("an engine");
                bodies::web(&jobs).await;
                panic!("as a failed assertion does");
            })
        }
    };
    assert!(std::thread::spawn(test).join().is_err());
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    assert_eq!(runtime.block_on(containers(&engine)), 0);
}

#[tokio::test]
async fn what_cannot_be_removed_is_told() {
    let engine = engine();
    let jobs = TemporaryJobs::fake(&engine).await.expect("an engine");
    bodies::web(&jobs).await;
    engine.go_away();
    let end = tokio::time::timeout(Duration::from_secs(110), jobs.end()).await;
    let error = end
        .expect("it gives up in time")
        .expect_err("it is still there");
    assert_eq!(error.kind(), TemporaryErrorKind::Unavailable);
}
