//! Orphans that are really made, found and ended.

use std::process::Command;

use serde_json::Value;

use crate::engine::{Engine, lives};
use crate::process::{Solo, WEB_IMAGE, free_port};
use crate::serving::within;

/// The host's problems, as `helios hosts --json` tells them.
pub(crate) fn problems(solo: &Solo) -> Vec<String> {
    let hosts: Value = serde_json::from_str(&solo.ask(&["hosts", "--json"])).expect("JSON");
    let problems = hosts["n1"]["problems"].as_array().cloned();
    let texts = problems.unwrap_or_default();
    texts
        .iter()
        .filter_map(|text| text.as_str().map(ToOwned::to_owned))
        .collect()
}

fn until_told(solo: &Solo, parts: &[&str]) {
    within(&format!("the host tells of {parts:?}"), || {
        let problems = problems(solo);
        let told = |part: &&str| problems.iter().any(|problem| problem.contains(part));
        parts.iter().all(told).then_some(())
    });
}

fn until_running(solo: &Solo, job: &str) -> String {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
    solo.container_of(job)
}

/// Two jobs whose ports are ports of the host, in the two ways there are.
fn deploy(solo: &Solo, published: u16) {
    let env = format!("PORT={}", free_port());
    let direct = ["--network-mode", "host", "--env", &env];
    solo.ask(&[&["create", "-q", "direct:1", WEB_IMAGE][..], &direct].concat());
    let port = format!("http=80:{published}");
    solo.ask(&["create", "-q", "published:1", WEB_IMAGE, "-p", &port]);
    for job in ["direct:1", "published:1"] {
        solo.ask(&["deploy", job, "n1"]);
    }
}

/// An engine that is killed, loses what it knew, and leaves a proxy that does not end: both jobs of ours are blocked
/// by what was theirs. Reported first, ended where that is wanted, and a stranger's process is left alone.
#[test]
fn what_a_killed_engine_left_is_found_and_ended_and_a_strangers_is_not() {
    let mut engine = Engine::start(false);
    let address = engine.address();
    let report = ["--docker", &address, "--orphans-interval", "1"];
    let mut solo = Solo::start_with(&report);
    let published = free_port();
    deploy(&solo, published);
    let ours = ["direct:1", "published:1"].map(|job| until_running(&solo, job));
    let stranger = engine.docker(&["run", "-d", WEB_IMAGE]);
    let processes = [&ours[0], &ours[1], &stranger].map(|id| engine.pid(id));
    let proxy = engine.proxy_of(published);
    // What is ours is known once a look has seen it, and the proxy last of all.
    within("the agent has seen the proxy at work", || {
        solo.document("orphans.json")
            .contains(&format!("\"pid\":{proxy}"))
            .then_some(())
    });

    assert!(
        Command::new("kill")
            .args(["-STOP", &proxy.to_string()])
            .status()
            .is_ok()
    );
    engine.kill();
    for container in ours.iter().chain([&stranger]) {
        engine.lose(container);
    }
    engine.start_again();
    let short = |id: &str| format!("of container {}", &id[..12]);
    let proxy_told = format!("docker-proxy {proxy}, which holds port {published}/tcp");
    let left = [
        short(&ours[0]),
        short(&ours[1]),
        short(&stranger),
        proxy_told,
    ];
    until_told(&solo, &left.each_ref().map(String::as_str));
    assert!(
        processes.iter().chain([&proxy]).all(|pid| lives(*pid)),
        "reported, not ended"
    );

    solo.kill();
    solo.start_again_with(&[&report[..], &["--orphans", "reap"]].concat());
    for job in ["direct:1", "published:1"] {
        until_running(&solo, job);
    }
    within("only the stranger's is left to tell", || {
        let problems = problems(&solo);
        let is_strangers = |problem: &String| problem.contains(&short(&stranger));
        (problems.len() == 1 && problems.iter().all(is_strangers)).then_some(())
    });
    assert_eq!(processes.map(lives), [false, false, true]);
    assert!(!lives(proxy));
}
