//! What containers write, by way of the master; and what an agent says on its own machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::process::{IMAGE, Solo, free_port};
use crate::serving::within;

fn until_running(solo: &Solo, job: &str) {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
}

/// Five lines, and one more for each end of a sleep that the test kills.
const SCRIPT: &str = "for n in 1 2 3 4 5; do echo line $n; done; \
                      while true; do sleep 1; echo more; done";

#[test]
fn logs_are_read_by_way_of_the_master() {
    let solo = Solo::start();
    solo.ask(&[
        "create", "-q", "talk:1", IMAGE, "--", "/bin/sh", "-c", SCRIPT,
    ]);
    solo.ask(&["deploy", "talk:1", "n1"]);
    until_running(&solo, "talk:1");
    within("all of the past is there", || {
        let log = solo.ask(&["logs", "talk:1", "n1", "--tail", "1000"]);
        log.starts_with("line 1\nline 2\nline 3\nline 4\nline 5\n")
            .then_some(())
    });
    for args in [&["talk", "n1"][..], &["talk", "n"], &["talk"]] {
        let log = solo.ask(&[&["logs", "--tail", "1"], args].concat());
        assert_eq!(log.lines().count(), 1, "{args:?}: {log}");
    }

    let mut follow = Command::new(env!("CARGO_BIN_EXE_helios"))
        .args(["-z", &solo.url, "logs", "-f", "talk:1", "n1", "--tail", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(follow.stdout.take().expect("its output")).lines();
    let comes = [lines.next(), lines.next()].map(|line| line.expect("a line").expect("text"));
    assert_eq!(comes, ["more", "more"]);
    // A log ends with its container.
    let dead = solo.container_of("talk:1");
    solo.docker(&["kill", &dead]);
    let rest = lines.map_while(Result::ok).collect::<Vec<_>>();
    assert!(rest.iter().all(|line| line == "more"), "{rest:?}");
    assert!(follow.wait().expect("an end").success());

    within("another one runs", || {
        let runs = solo.state("talk:1") == "RUNNING";
        (runs && solo.container_of("talk:1") != dead).then_some(())
    });
    let before = solo.ask(&["logs", "talk:1", "n1", "--previous", "--tail", "1000"]);
    assert!(before.contains("line 5\nmore\nmore\n"), "{before}");
    let kept = solo.docker(&["inspect", "--format", "{{.State.Status}}", &dead]);
    assert_eq!(kept.trim(), "exited");

    for (args, part) in [
        (["logs", "talk:1", "nowhere"], "no such host"),
        (["logs", "nothing", "n1"], "unknown job"),
    ] {
        let error = solo.ask_wrongly(&args);
        assert!(error.contains(part), "{error}");
    }
}

/// What an agent answers: status line, and body.
fn get(port: u16, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the agent listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a question");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.lines().next().unwrap_or_default();
    (status.to_owned(), body.to_owned())
}

#[test]
fn an_agent_says_on_its_machine_what_it_runs_and_counts() {
    let port = free_port();
    let http = format!("127.0.0.1:{port}");
    let solo = Solo::start_with(&["--http", &http]);
    solo.ask(&["create", "-q", "seen:1", IMAGE, "--", "/bin/idle"]);
    solo.ask(&["deploy", "seen:1", "n1"]);
    until_running(&solo, "seen:1");
    let id = solo.full_id("seen:1");
    for (path, parts) in [
        ("/health", vec!["\"healthy\":true", "\"problems\":[]"]),
        ("/tasks", vec![&*id, "\"goal\":\"START\""]),
        ("/statuses", vec![&*id, "\"state\":\"RUNNING\""]),
        (
            "/metrics",
            vec![
                "helios_agent_member 1",
                "helios_agent_engine_readable 1",
                "helios_agent_tasks{state=\"RUNNING\"} 1",
                "helios_agent_actions_total{action=\"start\",outcome=\"ok\"} 1",
                "helios_agent_orphans_reaped_total 0",
                "# EOF",
            ],
        ),
    ] {
        let (status, body) = get(port, path);
        assert!(status.contains("200"), "{path}: {status}");
        for part in parts {
            assert!(body.contains(part), "{path} lacks {part}: {body}");
        }
    }
    for (path, code) in [
        ("/logs/nothing:1:0000".to_owned(), "404"),
        (format!("/logs/{id}?host=n1"), "200"),
        (format!("/logs/{id}?host=n2"), "421"),
        (format!("/logs/{id}?tail=few"), "400"),
    ] {
        let (status, body) = get(port, &path);
        assert!(status.contains(code), "{path}: {status} {body}");
    }
}
