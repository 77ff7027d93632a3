//! What is stored.

use helios_core::Timestamp;
use helios_core::model::DeploymentGroup;
use helios_core::schema::encode;

use super::toy::host;
use crate::rolling::{
    Failure, FailureCode, Flight, GroupRecord, Phase, Policy, Rollout, RolloutState, Undone,
};

fn record() -> GroupRecord {
    let at = Timestamp::from_millis;
    let group = DeploymentGroup::new("front", vec!["role=web".parse().unwrap()]);
    let policy = Policy {
        parallelism: Some("10%".parse().unwrap()),
        rollback: true,
        ..Policy::default()
    };
    let job = "web:2:b".parse().unwrap();
    let mut rollout = Rollout::new("m1-9".to_owned(), job, policy, 20, at(1_000));
    rollout.undoes = Some(Undone {
        rollout: "m1-8".to_owned(),
        job: "web:3:c".parse().unwrap(),
    });
    rollout.state = RolloutState::Failed;
    rollout.error = Some("n1: it is down".to_owned());
    rollout.pause = Some("paused by ann".to_owned());
    rollout.pause_at = Some(2);
    let flight = Flight {
        phase: Phase::Starting,
        since: at(2_000),
        healthy: Some(at(3_000)),
        jobs: vec!["web:1:a".parse().unwrap()],
    };
    rollout.in_flight.insert(host("n2"), flight);
    let failure = Failure {
        code: FailureCode::HostDown,
        reason: "it is down".to_owned(),
        at: at(4_000),
    };
    rollout.failed.insert(host("n1"), failure);
    rollout.left_out.insert(host("n3"));
    rollout.note(at(5_000), "step 1: nothing".to_owned());
    GroupRecord {
        settled: Some("web:1:a".parse().unwrap()),
        rollout: Some(rollout),
        ..GroupRecord::new("m1-7".to_owned(), group)
    }
}

#[test]
fn a_group_is_stored_as_the_golden_file_says() {
    let golden = include_str!("group.json").trim_end();
    assert_eq!(std::str::from_utf8(&encode(&record())).unwrap(), golden);
    assert_eq!(
        serde_json::from_str::<GroupRecord>(golden).unwrap(),
        record()
    );
    let later = golden.replacen('{', r#"{"addedLater":[1],"#, 1);
    assert_eq!(
        serde_json::from_str::<GroupRecord>(&later).unwrap(),
        record()
    );
}
