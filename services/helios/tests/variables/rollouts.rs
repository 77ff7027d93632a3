//! Rollouts over hosts that follow on loopback.

use helios_rollout::drive::Outcome;

use crate::fleet::{Fleet, show, within};
use crate::process::Master;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_value_is_stopped_by_its_guard_and_taken_back_from_two_hundred_hosts() {
    let mut master = Master::start();
    master.ask(&["variable", "set", "docker", "good"]);
    let fleet = Fleet::of(200, Some("bad"), &master);
    fleet.settled("good", &master).await;
    let rollout =
        "variable rollout docker --to bad --over 2m --at-least 1 --guard health --grace 0s --yes";
    let plan = master.ask(&rollout.split(' ').collect::<Vec<_>>());
    assert!(
        plan.contains("200 hosts") && plan.contains("planned"),
        "{plan}"
    );
    let mut most = 0;
    let status = within("the guard ends it", || {
        let status = show(&master);
        let rollout = status.rollout.as_ref();
        most = most.max(rollout.map_or(0, |rollout| rollout.told));
        let ended = status.past.last().map(|past| past.outcome);
        (ended == Some(Outcome::RolledBack)).then_some(status)
    })
    .await;
    assert!(
        (1..150).contains(&most),
        "{most} hosts were told the bad value"
    );
    assert_eq!(status.hosts[0].hosts, 200);
    within("all hosts went back", || fleet.all_hold("good")).await;
    // The log survives the master, and every decision in it can be made again.
    master.crash();
    let audit = master.ask(&["variable", "audit", "docker", "--replay"]);
    assert!(audit.contains("harm was shown"), "{audit}");
    assert!(
        audit.contains("every decision comes out the same"),
        "{audit}"
    );
    master.ask(&["variable", "chart", "docker", "-o", "chart.svg"]);
    let chart = std::fs::read_to_string(master.dir.path().join("chart.svg")).unwrap();
    assert!(chart.contains("<polygon"), "{chart}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_follow_command_writes_runs_and_goes_on_without_a_master() {
    let mut master = Master::start();
    master.ask(&["variable", "set", "docker", "26.1"]);
    let follow = |master: &Master| {
        let command = [
            "follow", "--once", "--name", "h1", "--label", "role=web", "--out", "d.json",
        ];
        let command = command.into_iter();
        let run = ["--", "sh", "-c", "cat $HELIOS_DESIRED >>seen; echo >>seen"];
        master.output(&command.chain(run).collect::<Vec<_>>())
    };
    assert!(follow(&master).status.success());
    assert!(follow(&master).status.success());
    let read = |name: &str| std::fs::read_to_string(master.dir.path().join(name)).unwrap();
    assert_eq!(read("d.json"), r#"{"docker":"26.1"}"#);
    assert_eq!(
        read("seen").lines().count(),
        1,
        "run once, since nothing changed"
    );
    master.ask(&["variable", "set", "docker", "27.0"]);
    assert!(follow(&master).status.success());
    let seen = std::fs::read_to_string(master.dir.path().join("seen")).unwrap();
    assert_eq!(seen.lines().last(), Some(r#"{"docker":"27.0"}"#));
    let why = master.ask(&["variable", "why", "docker", "h1"]);
    assert!(
        why.contains("h1 holds 27.0") && why.contains("no transition"),
        "{why}"
    );
    let list = master.ask(&["variable", "list"]);
    assert!(
        list.contains("docker") && list.contains("27.0 on 1"),
        "{list}"
    );
    master.crash();
    assert_eq!(master.ask(&["variable", "list"]), list);
    let unknown = master.output(&["variable", "show", "nothing"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        !unknown.status.success() && said.contains("variable list"),
        "{said}"
    );
}
