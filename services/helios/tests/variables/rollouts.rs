//! Rollouts over hosts that follow on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helios_api::Client;
use helios_api::client::Follower;
use helios_api::wire::VariableStatus;
use helios_rollout::drive::Outcome;
use helios_rollout::variable::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::process::Master;

const HOSTS: usize = 200;

/// What each host holds, as it has enacted it.
type Enacted = Arc<Mutex<BTreeMap<String, Value>>>;

/// Two hundred hosts of ten roles; the value `bad` cannot be enacted.
fn hosts(master: &Master) -> (Enacted, JoinSet<()>) {
    let enacted = Enacted::default();
    let mut hosts = JoinSet::new();
    let client = Client::new(&master.url).unwrap();
    for index in 0..HOSTS {
        let (name, enacted) = (format!("host-{index}"), Arc::clone(&enacted));
        let path = master.dir.path().join(format!("{name}.json"));
        let follower = Follower::open(client.clone(), name.as_str(), path).unwrap();
        let mut follower = follower
            .labels([("role".to_owned(), format!("role-{}", index % 10))])
            .every(Duration::from_millis(1_000));
        hosts.spawn(async move {
            loop {
                let value = follower.next().await.get("docker").cloned();
                let bad = value == Some("bad".into());
                if let Some(value) = value {
                    enacted.lock().unwrap().insert(name.clone(), value);
                }
                let outcome = if bad {
                    Err("it does not start".to_owned())
                } else {
                    Ok(())
                };
                follower.enacted(outcome).unwrap();
                if bad {
                    sleep(follower.pause()).await;
                    // The master may be away.
                    let _ = follower.ask().await;
                    follower.again();
                }
            }
        });
    }
    (enacted, hosts)
}

fn show(master: &Master) -> VariableStatus {
    serde_json::from_str(&master.ask(&["variable", "show", "docker", "--json"])).unwrap()
}

async fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within two minutes: {what}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_value_is_stopped_by_its_guard_and_taken_back_from_two_hundred_hosts() {
    let mut master = Master::start();
    master.ask(&["variable", "set", "docker", "good"]);
    let (enacted, _hosts) = hosts(&master);
    let all_hold = |wanted: &str| {
        let enacted = enacted.lock().unwrap();
        enacted.len() == HOSTS && enacted.values().all(|value| *value == wanted.into())
    };
    within("all hosts hold it", || all_hold("good").then_some(())).await;
    within("the master knows all", || {
        (show(&master).hosts[0].hosts == 200).then_some(())
    })
    .await;
    let rollout =
        "variable rollout docker --to bad --over 60s --at-least 1 --guard health --grace 0s --yes";
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
    within("all hosts went back", || all_hold("good").then_some(())).await;
    // The log survives the master, and every decision in it can be made again.
    master.crash();
    let audit = master.ask(&["variable", "audit", "docker", "--replay"]);
    assert!(audit.contains("HarmShown"), "{audit}");
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
