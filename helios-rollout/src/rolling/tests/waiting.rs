//! Rollouts that wait: for hosts that are away, and for hosts of which nobody knows enough.

use helios_core::schema::Keys;

use super::script::request;
use super::toy::{Toy, host};
use crate::rolling::{self as rolling, RolloutState};

const GROUP: &str = "front";

fn fleet(hosts: &[&str]) -> Toy {
    let mut toy = Toy::new();
    for name in hosts {
        toy.host(&host(name), &[("role", "web"), ("zone", "z0")]);
    }
    toy.job("web:1:a", None, "");
    toy.create_group(GROUP, &["role=web"]);
    toy
}

fn roll(toy: &mut Toy, options: &str) {
    let request = request(GROUP, "web:1:a", options);
    let job = toy.get(&Keys::job(&request.job).unwrap());
    let (group, fleet) = (toy.group(GROUP), toy.fleet());
    let txn = rolling::roll_out(group.as_ref(), job.as_ref(), &fleet, &request, &toy.stamp());
    assert!(toy.commit(&txn.unwrap()));
}

/// Nobody looked for longer than it waits for those that are away: all that is left to do is done late, in one
/// step that names each host once.
#[test]
fn who_is_here_when_the_wait_is_over_is_not_given_up() {
    let mut toy = fleet(&["n0"]);
    let options = r#"{"timeout":10,"policy":{"whenDown":"WAIT"}}"#;
    roll(&mut toy, options);
    toy.step(GROUP);
    toy.agents();
    roll(&mut toy, options);
    toy.pass(11);
    toy.step(GROUP);
    let group = toy.group(GROUP).unwrap();
    let rollout = group.rollout.as_ref().unwrap();
    assert_eq!(rollout.state, RolloutState::Done);
    assert!(rollout.failed.is_empty(), "{rollout:?}");
}

/// It is in flight, its name was taken over, and the new agent has not said yet in which zone it is.
#[test]
fn a_host_of_unknown_zone_takes_a_place_in_each() {
    let mut toy = fleet(&["n0", "n1"]);
    roll(
        &mut toy,
        r#"{"timeout":10,"policy":{"per":"zone","parallelism":"50%"}}"#,
    );
    toy.step(GROUP);
    let mut record = toy.record(&host("n0"));
    record.agent_id = "another".to_owned();
    toy.put(&Keys::host(&host("n0")), &record);
    toy.step(GROUP);
    assert!(toy.record(&host("n1")).goals.is_empty());
}

/// The log of a step names each host that failed with its reason, and then what becomes of the rollout.
#[test]
fn the_reason_of_a_failure_is_said_once() {
    let mut toy = fleet(&["n0"]);
    roll(&mut toy, r#"{"timeout":10}"#);
    toy.step(GROUP);
    toy.pass(11);
    toy.step(GROUP);
    let group = toy.group(GROUP).unwrap();
    let rollout = group.rollout.as_ref().unwrap();
    assert_eq!(rollout.state, RolloutState::Failed);
    let last = &rollout.log.back().unwrap().text;
    assert_eq!(last.matches("timed out").count(), 1, "{last}");
    assert!(last.ends_with("; failed: n0"), "{last}");
    assert!(rollout.error.as_ref().unwrap().contains("timed out"));
}
