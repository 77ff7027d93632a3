//! Tests as somebody would write them, wherever their containers run.

use std::time::Duration;

use helios_core::model::HealthCheck;
use helios_testkit::temporary::{Address, TemporaryErrorKind, TemporaryJobs};

/// An image with a web server on port 80.
pub(crate) const WEB: &str = "helios-test/web:1";

/// An image that no registry has.
pub(crate) const NOTHING: &str = "127.0.0.1:15000/helios-test/nothing:1";

/// Deploys one job, and yields where it is.
pub(crate) async fn web(jobs: &TemporaryJobs) -> Address {
    let web = jobs
        .job("web")
        .image(WEB)
        .port("http", 80)
        .env("MODE", "test")
        .deploy()
        .await
        .expect("it runs");
    assert!(web.id().name().ends_with("_web"), "{}", web.id());
    assert!(web.container().is_some());
    let none = web.address("smtp").unwrap_err();
    assert!(none.to_string().contains("only http"), "{none}");
    web.address("http").expect("an address")
}

pub(crate) async fn a_job_with_a_health_check_is_ready_once_it_passes(jobs: &TemporaryJobs) {
    let checked = jobs
        .job("checked")
        .image(WEB)
        .port("http", 80)
        .health_check(HealthCheck::http("http", "/"))
        .deploy()
        .await
        .expect("it is well");
    checked.undeploy().await.expect("it is gone");
    // Its name is free again.
    let again = jobs.job("checked").image(WEB).deploy().await;
    again.expect("it runs again");
}

pub(crate) async fn two_tests_with_the_same_job_do_not_meet(
    one: &TemporaryJobs,
    other: &TemporaryJobs,
) {
    let (first, second) = tokio::join!(web(one), web(other));
    assert_ne!(first, second);
}

pub(crate) async fn what_is_wrong_with_a_job_is_told_at_once(jobs: &TemporaryJobs) {
    jobs.job("twice")
        .image(WEB)
        .deploy()
        .await
        .expect("it runs");
    for (name, image, kind, part) in [
        (
            "twice",
            WEB,
            TemporaryErrorKind::BadJob,
            "has a job twice already",
        ),
        ("blank", "", TemporaryErrorKind::BadJob, ".image("),
        ("a b", WEB, TemporaryErrorKind::BadJob, "a b"),
        (
            "wrong",
            "no image!",
            TemporaryErrorKind::BadJob,
            "no image!",
        ),
        (
            "nothing",
            NOTHING,
            TemporaryErrorKind::Failed,
            "IMAGE_MISSING",
        ),
    ] {
        let error = jobs.job(name).image(image).deploy().await.expect_err(name);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = jobs
        .job("elsewhere")
        .image(WEB)
        .host("nowhere")
        .deploy()
        .await;
    let error = error.expect_err("there is no such host");
    assert_eq!(error.kind(), TemporaryErrorKind::NoPlace);
    let error = jobs
        .job("guarded")
        .image(WEB)
        .with(|job| job.token("secret"));
    let error = error.deploy().await.expect_err("nobody could remove it");
    assert!(error.to_string().contains("no token"), "{error}");
}

/// For jobs whose ports nobody opens, which write "ready".
pub(crate) async fn a_port_that_nobody_opens_is_told_with_what_the_job_wrote(
    jobs: &TemporaryJobs,
    image: &str,
) {
    let silent = jobs.job("silent").image(image).command(["/bin/idle"]);
    let silent = silent.port("http", 80).within(Duration::from_secs(2));
    let error = silent.deploy().await.expect_err("nobody listens");
    assert_eq!(error.kind(), TemporaryErrorKind::TimedOut);
    for part in [
        "within 2s",
        "RUNNING",
        "nobody listens on its port http",
        "ready",
    ] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}
