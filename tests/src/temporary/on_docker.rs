//! On this machine's Docker engine.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use helios_core::model::HealthCheck;
use helios_docker::DockerEndpoint;
use helios_testkit::temporary::{Address, TemporaryErrorKind, TemporaryJobs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bodies;

const BUSYBOX: &str = "helios-test/busybox:1";

async fn solo() -> TemporaryJobs {
    TemporaryJobs::solo()
        .await
        .expect("run `make services` first")
}

/// What a web server answers.
async fn get(address: &Address) -> String {
    let mut stream = TcpStream::connect((address.host(), address.port()))
        .await
        .expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .await
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

fn docker(args: &[&str]) -> (bool, String) {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("the docker client");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn is_there(container: &str) -> bool {
    docker(&["inspect", "--format", "{{.Id}}", container]).0
}

#[tokio::test]
async fn a_job_runs_and_is_gone_after_the_test() {
    let jobs = solo().await;
    let address = bodies::web(&jobs).await;
    assert!(get(&address).await.contains(bodies::WEB));
    jobs.end().await.expect("nothing is left");
    let again = TcpStream::connect((address.host(), address.port())).await;
    assert!(again.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_job_with_a_health_check_is_ready_once_it_passes() {
    bodies::a_job_with_a_health_check_is_ready_once_it_passes(&solo().await).await;
}

#[tokio::test]
async fn two_tests_with_the_same_job_do_not_meet() {
    let (one, other) = (solo().await, solo().await);
    bodies::two_tests_with_the_same_job_do_not_meet(&one, &other).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_job_is_told_at_once() {
    bodies::what_is_wrong_with_a_job_is_told_at_once(&solo().await).await;
}

#[tokio::test]
async fn a_port_that_nobody_opens_is_told_with_what_the_job_wrote() {
    let jobs = solo().await;
    bodies::a_port_that_nobody_opens_is_told_with_what_the_job_wrote(&jobs, BUSYBOX).await;
}

#[tokio::test]
async fn a_job_that_ends_at_once_is_told_with_its_code_and_what_it_wrote() {
    let jobs = solo().await;
    let broken = jobs.job("broken").image(BUSYBOX);
    let broken = broken
        .command(["/bin/sh", "-c", "echo no configuration; exit 3"])
        .port("http", 80);
    let error = broken.deploy().await.expect_err("it ends");
    assert_eq!(error.kind(), TemporaryErrorKind::Failed);
    for part in ["code 3", "no configuration"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn containers_reach_each_other() {
    let jobs = solo().await;
    let web = jobs
        .job("web")
        .image(bodies::WEB)
        .port("http", 80)
        .deploy()
        .await;
    let web = web
        .expect("it runs")
        .inner_address(80)
        .await
        .expect("its own address");
    let url = format!("http://{web}/");
    let client = jobs
        .job("client")
        .image(BUSYBOX)
        .command(["/bin/idle"])
        .health_check(HealthCheck::exec([
            "/bin/wget",
            "-q",
            "-O",
            "/dev/null",
            &url,
        ]))
        .within(Duration::from_secs(30));
    let client = client.deploy().await.expect("it reaches the other");
    assert_eq!(client.logs().await, "ready\n");
}

#[tokio::test]
async fn the_image_of_a_build_is_run_by_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("image-id");
    let (_, id) = docker(&["image", "inspect", "--format", "{{.Id}}", bodies::WEB]);
    assert!(id.starts_with("sha256:"), "{id}");
    std::fs::write(&file, id).expect("a file");
    let jobs = solo().await;
    let built = jobs.job("built").image_from(&file).port("http", 80);
    built.deploy().await.expect("it runs");
}

#[tokio::test]
async fn without_an_engine_a_test_fails_with_what_to_do() {
    let nowhere = DockerEndpoint::Unix("/nonexistent/docker.sock".to_owned());
    let error = TemporaryJobs::docker(nowhere)
        .await
        .expect_err("nobody is there");
    assert_eq!(error.kind(), TemporaryErrorKind::NoPlace);
    for part in ["/nonexistent/docker.sock", "systemctl start docker"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// A test as a process of its own, and the container it deployed.
fn holder(how: &str) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_temporary-jobs-holder"))
        .arg(how)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut container = String::new();
    let out = process.stdout.take().expect("its output");
    BufReader::new(out)
        .read_line(&mut container)
        .expect("a line");
    (process, container.trim().to_owned())
}

#[test]
fn a_test_that_panics_says_what_its_jobs_wrote_and_leaves_nothing() {
    let (mut process, container) = holder("panic");
    let mut said = String::new();
    let mut errors = process.stderr.take().expect("its errors");
    errors.read_to_string(&mut said).expect("text");
    assert!(!process.wait().expect("an end").success());
    for part in ["job held on solo: RUNNING", "--- it wrote:\nready"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!container.is_empty() && !is_there(&container), "{said}");
}

#[tokio::test]
async fn what_a_killed_test_left_is_removed_by_the_next() {
    let (mut process, container) = holder("hold");
    assert!(is_there(&container), "{container:?}");
    let living = solo().await;
    assert!(is_there(&container), "its test lives");
    drop(living);

    process.kill().expect("a kill");
    process.wait().expect("an end");
    let _next = solo().await;
    // The next test may be another one on this machine: then that one is removing it.
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_there(&container) {
        assert!(Instant::now() < deadline, "{container} is still there");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
