//! From a deployment to its end, with deaths on the way.

use std::thread::sleep;
use std::time::Duration;

use crate::process::{IMAGE, Solo, docker};
use crate::serving::within;

fn deployed(solo: &Solo, name: &str) {
    let id = format!("{name}:1");
    solo.ask(&["create", "-q", &id, IMAGE, "--", "/bin/idle"]);
    solo.ask(&["deploy", &id, "n1"]);
}

fn until_running(solo: &Solo, job: &str) {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
}

#[test]
fn a_job_runs_survives_its_death_and_that_of_helios_and_ends() {
    let mut solo = Solo::start();
    deployed(&solo, "life");
    until_running(&solo, "life:1");
    let first = solo.until_one_runs();

    docker(&["kill", &first]);
    let second = within("another container runs", || {
        let containers = solo.containers();
        containers
            .into_iter()
            .find(|(id, state)| *id != first && state == "running")
            .map(|(id, _)| id)
    });
    until_running(&solo, "life:1");

    solo.kill();
    assert_eq!(
        solo.until_one_runs(),
        second,
        "containers outlive their agent"
    );
    solo.start_again();
    until_running(&solo, "life:1");
    sleep(Duration::from_secs(2));
    assert_eq!(
        solo.until_one_runs(),
        second,
        "it was adopted, not restarted"
    );

    solo.ask(&["stop", "life:1", "n1"]);
    within("it is STOPPED", || {
        (solo.state("life:1") == "STOPPED").then_some(())
    });
    solo.ask(&["start", "life:1", "n1"]);
    until_running(&solo, "life:1");
    solo.ask(&["undeploy", "life:1", "n1"]);
    within("no container is left", || {
        solo.containers().is_empty().then_some(())
    });
    solo.ask(&["remove", "--yes", "life:1"]);
}

/// Between pull, lease, create, start and report: at every moment of a deployment.
#[test]
fn killed_at_any_moment_of_a_deployment_it_ends_with_one_running_container() {
    for kill in 0..12 {
        let mut solo = Solo::start();
        let id = "moment:1";
        solo.ask(&["create", "-q", id, IMAGE, "-p", "p=7", "--", "/bin/idle"]);
        solo.ask(&["deploy", id, "n1"]);
        sleep(Duration::from_millis(kill * 30));
        solo.kill();
        solo.start_again();
        solo.until_one_runs();
        until_running(&solo, id);
    }
}

#[test]
fn an_undeploy_while_the_agent_is_down_is_followed_when_it_is_back() {
    let mut solo = Solo::start();
    deployed(&solo, "late");
    until_running(&solo, "late:1");
    let container = solo.until_one_runs();
    // The agent is in the same process as the master: the container dies, and Helios with it.
    solo.ask(&["undeploy", "late:1", "n1"]);
    solo.kill();
    solo.start_again();
    within("it is gone", || solo.containers().is_empty().then_some(()));
    let gone = std::process::Command::new("docker")
        .args(["inspect", &container])
        .output()
        .expect("docker");
    assert!(!gone.status.success());
}

#[test]
fn an_image_that_does_not_exist_and_a_port_that_is_taken_are_told() {
    let solo = Solo::start();
    solo.ask(&[
        "create",
        "-q",
        "nothing:1",
        "127.0.0.1:15000/helios-test/nothing:1",
    ]);
    solo.ask(&["deploy", "nothing:1", "n1"]);
    within("it is throttled for its image", || {
        solo.ask(&["status", "-j", "nothing:1"])
            .contains("IMAGE_MISSING")
            .then_some(())
    });

    let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = format!("p=7:{}", taken.local_addr().expect("an address").port());
    solo.ask(&[
        "create",
        "-q",
        "port:1",
        IMAGE,
        "-p",
        &port,
        "--",
        "/bin/idle",
    ]);
    solo.ask(&["deploy", "port:1", "n1"]);
    within("it fails for its port", || {
        (solo.state("port:1") == "FAILED").then_some(())
    });
    drop(taken);
    until_running(&solo, "port:1");
}

/// What the engine finds wrong only when it makes or starts the container is told in its words, again and again tried,
/// and in nobody's way.
#[test]
fn what_the_engine_refuses_is_told_and_holds_up_no_other_job() {
    let solo = Solo::start();
    let refused: [(&str, &[&str], &str); 4] = [
        (
            "runtime:1",
            &["--runtime", "no-such-runtime"],
            "no-such-runtime",
        ),
        (
            "capability:1",
            &["--drop-capability", "NO_SUCH_THING"],
            "NO_SUCH_THING",
        ),
        (
            "volume:1",
            &["--volume", "/proc/no/such/place:/data"],
            "/proc/no",
        ),
        ("command:1", &[], "/bin/no-such-command"),
    ];
    for (job, options, _) in refused {
        let command = if options.is_empty() {
            "/bin/no-such-command"
        } else {
            "/bin/idle"
        };
        solo.ask(&[&["create", "-q", job, IMAGE][..], options, &["--", command]].concat());
        solo.ask(&["deploy", job, "n1"]);
    }
    deployed(&solo, "fine");
    until_running(&solo, "fine:1");
    for (job, _, part) in refused {
        within(&format!("{job} is told to be refused for {part}"), || {
            let status = solo.ask(&["status", "-j", job, "--json"]);
            (solo.state(job) == "FAILED" && status.contains(part)).then_some(())
        });
        solo.ask(&["undeploy", job, "n1"]);
    }
    within("only the other one is left", || {
        (solo.containers().len() == 1).then_some(())
    });
}

#[test]
fn a_registry_that_hangs_holds_up_nobody_else() {
    let solo = Solo::start();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let image = format!("{address}/helios-test/slow:1");
    solo.ask(&["create", "-q", "slow:1", &image]);
    solo.ask(&["deploy", "slow:1", "n1"]);
    within("it is pulled", || {
        (solo.state("slow:1") == "PULLING_IMAGE").then_some(())
    });
    deployed(&solo, "fine");
    until_running(&solo, "fine:1");
    solo.ask(&["undeploy", "slow:1", "n1"]);
    within("it is gone", || {
        solo.state("slow:1").is_empty().then_some(())
    });
}

#[test]
fn a_job_with_a_health_check_runs_once_it_is_well() {
    let solo = Solo::start();
    let image = "helios-test/web:1";
    solo.ask(&[
        "create",
        "-q",
        "well:1",
        image,
        "-p",
        "http=80",
        "--http-check",
        "http:/",
    ]);
    solo.ask(&["deploy", "well:1", "n1"]);
    until_running(&solo, "well:1");
    solo.ask(&[
        "create",
        "-q",
        "unwell:1",
        image,
        "-p",
        "http=81",
        "--tcp-check",
        "http",
    ]);
    solo.ask(&["deploy", "unwell:1", "n1"]);
    within("it is looked at", || {
        (solo.state("unwell:1") == "HEALTHCHECKING").then_some(())
    });
    sleep(Duration::from_secs(5));
    assert_eq!(
        solo.state("unwell:1"),
        "HEALTHCHECKING",
        "nobody listens on its port"
    );
}
