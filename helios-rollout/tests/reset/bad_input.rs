//! Resets that can never be done, and why.

use std::time::Duration;

use helios_rollout::Share;
use helios_rollout::curve::Freeze;
use helios_rollout::guard::{Action as OnHarm, Guard, Objective};
use helios_rollout::order::Amount;
use helios_rollout::reset::{Action, GroupLimit, Reset, Stage, Wanted, check};

use crate::fleet::*;

/// What the reset is refused for, of ten web servers, two of them with a database that has a role of its own.
fn refused(change: impl FnOnce(&mut Reset)) -> Vec<String> {
    let mut machines = web(10);
    machines.push(("db-1".to_owned(), Machine::new(&[("role", "db")], &["sql"])));
    let mut reset = reset();
    reset.limits.waived = ["sql".to_owned()].into();
    change(&mut reset);
    let world = World::new(reset, machines);
    match check(&world.reset, &world.sights(), at(START)) {
        Ok(_) => vec![],
        Err(why) => why.iter().map(ToString::to_string).collect(),
    }
}

fn roles(keep: u64) -> Vec<GroupLimit> {
    vec![GroupLimit {
        label: "role".to_owned(),
        share: Share::from_percent(10),
        floor: 1,
        ceiling: None,
        keep,
    }]
}

#[test]
fn what_is_possible_is_accepted() {
    assert_eq!(refused(|_| {}), [""; 0]);
}

#[test]
fn limits_that_can_never_be_met_are_refused() {
    let why = refused(|reset| reset.limits.at_once = 0);
    assert_eq!(
        why,
        ["the hosts that may be away at once must be from 1 to 500"]
    );
    let why = refused(|reset| {
        reset.limits.groups = roles(0);
        reset.limits.groups[0].floor = 0;
    });
    let expected = "of the 1 hosts with role=db, 0 may be away and 0 have to serve, so none can be reset: \
                    change the limits, or waive \"role=db\"";
    assert_eq!(why, [expected]);
    let why = refused(|reset| reset.limits.minimum_healthy = Amount::Share(Share::ONE));
    let expected = "service front has 10 instances and 10 have to stay well, so host web-1 can never be reset: \
                    deploy it to more hosts, change its minimum, or waive \"front\"";
    assert_eq!(why, [expected]);
}

#[test]
fn a_window_that_is_always_closed_is_refused() {
    let why = refused(|reset| {
        reset.limits.calendar.freezes = vec![Freeze {
            from: at(START - DAY),
            until: at(START + 40_000 * DAY),
            reason: "never touch it".to_owned(),
        }];
    });
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].starts_with("it could never begin: "), "{why:?}");
}

#[test]
fn a_role_with_one_host_and_a_minimum_of_one_is_refused_unless_waived() {
    let why = refused(|reset| reset.limits.groups = roles(1));
    let expected = "of the 1 hosts with role=db, 1 may be away and 1 have to serve, so none can be reset: \
                    change the limits, or waive \"role=db\"";
    assert_eq!(why, [expected]);
    let why = refused(|reset| reset.limits.waived.clear());
    assert!(
        why[0].starts_with("service sql has 1 instances and 1 have to stay well"),
        "{why:?}"
    );
    let waived = refused(|reset| {
        reset.limits.groups = roles(1);
        reset.limits.waived.insert("role=db".to_owned());
    });
    assert_eq!(waived, [""; 0]);
}

#[test]
fn a_deadline_that_cannot_be_met_is_refused_with_when_it_would_end() {
    let why = refused(|reset| reset.deadline = at(START + HOUR));
    let expected = "the 11 hosts cannot be reset by the deadline: at most 1 can be away at once, so it would end at \
                    2026-10-19T09:06:00Z; 90.909090909% of them can be done in time: allow more at once, open more \
                    windows, or choose a later deadline";
    assert_eq!(why, [expected]);
    let enough = refused(|reset| {
        reset.deadline = at(START + HOUR);
        reset.limits.at_once = 2;
    });
    assert_eq!(enough, [""; 0]);
}

#[test]
fn guards_whose_questions_cannot_be_asked_are_refused() {
    let asks = |queries: &[&str]| {
        let objective = |(number, query): (usize, &&str)| Objective {
            name: format!("objective-{number}"),
            query: (*query).to_owned(),
            margin_permille: 500,
            gates: vec![],
            on_harm: OnHarm::Hold,
            dead_man: minutes(60),
        };
        refused(|reset| {
            reset.guard = Some(Guard {
                alpha_ppm: 50_000,
                objectives: queries.iter().enumerate().map(objective).collect(),
                bake: None,
            });
        })
    };
    let health = r#"{"health": {}}"#;
    assert_eq!(
        asks(&[health, ""]),
        [""; 0],
        "an empty one is told from outside"
    );
    let why = asks(&[health, health]);
    assert_eq!(
        why,
        ["two objectives of the guard ask for health: one is enough"]
    );
    let why = asks(&["up"]);
    assert!(
        why[0].starts_with("the guard cannot ask \"up\": "),
        "{why:?}"
    );
}

#[test]
fn times_that_mean_nothing_are_refused() {
    let why = refused(|reset| reset.wanted = Wanted::ResetSince(at(START + 1)));
    assert!(why[0].contains("has not come"), "{why:?}");
    let why = refused(|reset| reset.patience.away = Duration::ZERO);
    assert!(why[0].contains("\"away\""), "{why:?}");
}

#[test]
fn what_goes_wrong_with_a_host_halts_the_reset_and_says_what_to_look_at() {
    let same_boot =
        "it is up with the boot it had before: whatever was to reset it did not, or not in time";
    let cases = [
        (Fate::SameBoot, Action::Agent, same_boot),
        (Fate::Hangs, Action::Agent, same_boot),
        (
            Fate::NeverComesBack,
            Action::Agent,
            "it is not up, and its time is over",
        ),
        (
            Fate::Unwell,
            Action::Agent,
            "these jobs did not become well in time: front:1",
        ),
        (
            Fate::Hangs,
            Action::Master,
            "what was to reset it gave no answer",
        ),
    ];
    for (fate, action, because) in cases {
        let mut machines = web(2);
        for (_, machine) in &mut machines {
            machine.fate = fate;
        }
        let reset = Reset { action, ..reset() };
        let mut world = World::new(reset, machines);
        world.until(|world| matches!(world.progress.stage, Stage::Halted(_)));
        let (host, mishap) = world.progress.mishaps.first_key_value().unwrap();
        assert_eq!(mishap.because.to_string(), because);
        let halted = format!(
            "halted: 1 hosts failed, the last one {host}, and 0 may: look at them, then resume"
        );
        assert_eq!(world.progress.stage.to_string(), halted);
    }
}
