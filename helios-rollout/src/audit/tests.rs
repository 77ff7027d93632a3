use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::curve::Curve;
use crate::guard::{Action, Counts, Evidence, Guard, Objective};
use crate::order::{Fleet, Member, Order};
use crate::variable::{Budget, Change, Transition, Variable};

fn millis(at: i64) -> Timestamp {
    Timestamp::from_millis(at)
}

fn member(index: usize) -> Member {
    Member::new(format!("host-{index}").parse().unwrap(), BTreeMap::new())
}

fn transition() -> Transition {
    let curve = Curve::linear(millis(0), Duration::from_millis(1_000));
    let order = Order::new("audit", [""; 0]);
    let change = Change::replace("A", "B");
    Transition::new(change, curve, order)
}

fn guard() -> Guard {
    let objective = Objective {
        name: "errors".to_owned(),
        query: String::new(),
        margin_permille: 500,
        gates: vec![],
        on_harm: Action::Hold,
        dead_man: Duration::from_secs(60),
    };
    Guard {
        alpha_ppm: 50_000,
        objectives: vec![objective],
        bake: None,
    }
}

/// A small story with everything in it, and the state it ends in.
fn story() -> (Vec<Record>, State) {
    let fleet = Fleet::new((0..20).map(member)).unwrap();
    let mut state = State::new(Variable::new("docker", "A".into()).unwrap(), fleet);
    let first = state.checkpoint(millis(0));
    state = replay([&first]).unwrap();
    let mut log = vec![first];
    let told = |at: i64, max| {
        let budget = Budget {
            in_flight_max: max,
            in_flight: 0,
        };
        move |state: &State| state.tell(millis(at), budget).unwrap()
    };
    let mut append = |at: i64, entry: &dyn Fn(&State) -> Entry| {
        let entry = entry(&state);
        log.push(state.append(millis(at), entry).unwrap());
    };
    append(0, &|_| Entry::Started {
        transition: Box::new(transition()),
        guard: Some(guard()),
    });
    append(200, &told(200, Some(3)));
    append(210, &|_| Entry::Members {
        joined: vec![member(90), member(91)],
        left: vec!["host-3".parse().unwrap()],
    });
    append(220, &|_| Entry::Looked {
        objective: "errors".to_owned(),
        evidence: evidence(220),
        fallen: vec!["host-7".parse().unwrap()],
    });
    append(230, &|state| state.advise(millis(230)).unwrap().unwrap());
    append(300, &|_| Entry::Paused);
    append(400, &|_| Entry::Resumed);
    append(700, &told(700, None));
    append(800, &|_| Entry::RolledBack {
        curve: Box::new(Curve {
            start: millis(800),
            ..transition().curve
        }),
    });
    append(5_000, &told(5_000, None));
    append(5_001, &|_| Entry::Finished);
    (log, state)
}

fn evidence(at: i64) -> Evidence {
    let counts = Counts {
        events: 1,
        exposure: 100,
    };
    Evidence {
        at: millis(at),
        stratum: String::new(),
        new: counts,
        old: counts,
    }
}

#[test]
fn a_log_survives_storage_and_replays_to_the_same_state() {
    let (log, state) = story();
    let text = serde_json::to_string(&log).unwrap();
    let stored: Vec<Record> = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, log);
    assert_eq!(replay(&stored).unwrap(), state);
    assert!(state.tells > 6, "{}", state.tells);
}

#[test]
fn a_rolled_up_log_replays_to_the_same_state() {
    let (log, state) = story();
    for keep in 0..=log.len() + 1 {
        let shorter = roll_up(&log, keep).unwrap();
        assert_eq!(shorter.len(), (keep + 1).min(log.len()));
        assert_eq!(replay(&shorter).unwrap(), state, "keep {keep}");
    }
    assert_eq!(roll_up(&[], 3), Err(AuditError::NoBeginning));
}

#[test]
fn a_log_that_was_tampered_with_does_not_replay() {
    let (log, _) = story();
    let check = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut changed = log.clone();
        change(&mut changed);
        replay(&changed).unwrap_err()
    };
    assert_eq!(check(&|log| drop(log.remove(0))), AuditError::NoBeginning);
    assert_eq!(
        check(&|log| drop(log.remove(3))),
        AuditError::Gap {
            expected: 3,
            found: 4
        }
    );
    assert_eq!(
        check(&|log| log[4].revision = 7),
        AuditError::Revision {
            sequence: 4,
            expected: 1,
            found: 7
        }
    );
    let swap = check(&|log| {
        let Entry::Told { step, .. } = &mut log[2].entry else {
            panic!()
        };
        step.tells.swap(0, 1);
    });
    assert_eq!(swap, AuditError::Differs { sequence: 2 });
    assert_eq!(
        check(&|log| log[1].entry = Entry::Paused),
        AuditError::Variable {
            sequence: 1,
            source: Box::new(VariableError::NoTransition {
                name: "docker".to_owned(),
                wanted: "to pause"
            }),
        }
    );
}

#[test]
fn a_host_has_a_history() {
    let (log, _) = story();
    let Entry::Told { step, .. } = &log[2].entry else {
        panic!()
    };
    assert_eq!((step.tells.len(), step.held_back), (3, 1));
    let told: Vec<_> = history(&log, &step.tells[0].host)
        .map(|(at, revision, tell)| (at.as_millis(), revision, tell.value.to_string()))
        .collect();
    assert_eq!(told, [(200, 1, "B".to_owned()), (5_000, 4, "A".to_owned())]);
}
