use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::Timestamp;

use super::*;
use crate::Share;
use crate::curve::{Curve, CurveError, Length};
use crate::order::{Amount, Ceiling, Fleet, Floor, Member, Order, OrderError, Rule};

const HOUR: i64 = 3_600_000;

fn hour(count: i64) -> Timestamp {
    Timestamp::from_millis(count * HOUR)
}

/// Hosts `web-0` .. and `db-0` ..
fn fleet(web: usize, db: usize) -> Fleet {
    let member = |role: &str, index: usize| {
        let labels = BTreeMap::from([("role".to_owned(), role.to_owned())]);
        Member::new(format!("{role}-{index}").parse().unwrap(), labels)
    };
    let members = (0..web)
        .map(|i| member("web", i))
        .chain((0..db).map(|i| member("db", i)));
    Fleet::new(members).unwrap()
}

fn curve(start: i64, hours: u64) -> Curve {
    Curve::linear(hour(start), Duration::from_secs(hours * 3_600))
}

fn transition(change: Change) -> Transition {
    let order = Order::new("test", ["role"]);
    Transition::new(change, curve(0, 100), order)
}

fn replace(from: &str, to: &str) -> Transition {
    transition(Change::Replace {
        from: from.into(),
        to: to.into(),
    })
}

fn variable() -> Variable {
    Variable::new("docker", "A".into()).unwrap()
}

fn mix(parts: &[(&str, u32)]) -> Change {
    let part = |(value, percent): &(&str, u32)| Part {
        value: (*value).into(),
        share: Share::from_percent(*percent),
    };
    Change::Mix(parts.iter().map(part).collect())
}

fn counts(variable: &Variable, fleet: &Fleet, at: Timestamp) -> Vec<(String, u64)> {
    let preview = variable.on(fleet).unwrap().preview(at);
    preview
        .values
        .into_iter()
        .map(|(value, count)| (value.to_string(), count))
        .collect()
}

fn run_to_the_end(variable: &mut Variable, fleet: &Fleet) {
    let step = variable
        .on(fleet)
        .unwrap()
        .plan(hour(1_000), Budget::default());
    variable.apply(&step).unwrap();
    variable.finish(fleet, hour(1_000)).unwrap();
}

#[test]
fn bad_transitions_are_refused_and_change_nothing() {
    let fleet = fleet(10, 2);
    let variable = variable().allow(["A", "B", "C"].map(Value::from)).unwrap();
    let variable = variable.forbid("A".into(), "C".into()).unwrap();
    let check = |change: &dyn Fn(&mut Transition)| {
        let mut transition = replace("A", "B");
        change(&mut transition);
        let mut here = variable.clone();
        let refused = here.start(transition, &fleet, hour(0)).unwrap_err();
        assert_eq!(here, variable);
        refused
    };
    let to = |value: Value| {
        check(&|t| {
            t.change = Change::Replace {
                from: "A".into(),
                to: value.clone(),
            }
        })
    };
    assert!(matches!(to("X".into()), VariableError::UnknownValue { .. }));
    assert!(matches!(to(7.into()), VariableError::WrongKind { .. }));
    assert!(matches!(to("A".into()), VariableError::NoChange { .. }));
    assert!(
        matches!(to("C".into()), VariableError::Forbidden { via: Some(via), .. } if via == ["B".into()])
    );
    let from_nobody = check(&|t| t.change = Change::replace("B", "A"));
    assert!(
        matches!(from_nobody, VariableError::UnknownValue { .. }),
        "nobody holds it"
    );
    assert!(matches!(
        check(&|t| t.upto = Share::ZERO),
        VariableError::NobodyChanges { .. }
    ));
    assert!(matches!(
        check(&|t| t.change = mix(&[("A", 50), ("B", 49)])),
        VariableError::Mix { .. }
    ));
    assert!(matches!(
        check(&|t| t.change = mix(&[("A", 50), ("A", 50)])),
        VariableError::Mix { .. }
    ));
    assert!(matches!(
        check(&|t| t.change = mix(&[("C", 100)])),
        VariableError::Forbidden { via: None, .. }
    ));
    let curve = |change: &dyn Fn(&mut Curve)| match check(&|t| change(&mut t.curve)) {
        VariableError::Curve { source, .. } => source,
        other => panic!("{other}"),
    };
    assert_eq!(
        curve(&|c| c.length = Length::Elapsed(Duration::ZERO)),
        CurveError::ZeroDuration
    );
    let saturday = || vec!["Sat 00:00-01:00 UTC".parse().unwrap()];
    let never = curve(&|c| {
        (c.calendar.windows, c.length) = (saturday(), Length::Elapsed(Duration::from_secs(60)));
    });
    assert!(matches!(never, CurveError::NeverOpens { .. }));
}

#[test]
fn rules_that_cannot_both_hold_are_named() {
    let mut canary = rule("canary");
    canary.floor = Some(Floor {
        at_least: Amount::Hosts(1),
        ramp: Share::ZERO,
    });
    let mut small = rule("not all of a small role");
    small.scope = vec!["role=db".parse().unwrap()];
    small.ceiling = Some(Ceiling {
        at_most: Amount::Share(Share::from_percent(49)),
        until: Share::from_percent(50),
    });
    let start = |rules: &[&Rule], db: usize| {
        let mut transition = replace("A", "B");
        transition.order.rules = rules.iter().copied().cloned().collect();
        variable().start(transition, &fleet(10, db), hour(0))
    };
    let Err(VariableError::Order { source, .. }) = start(&[&canary, &small], 2) else {
        panic!("accepted")
    };
    let message = source.to_string();
    let expected = r#"rules "canary" and "not all of a small role" cannot both hold in stratum db: at least 1 of its 2 hosts, but at most 0"#;
    assert_eq!(message, expected);
    assert_eq!(start(&[&canary, &small], 3), Ok(()), "49% of three is one");
    let twice = start(&[&canary, &canary], 3);
    assert!(matches!(
        twice,
        Err(VariableError::Order {
            source: OrderError::DuplicateRule { .. },
            ..
        })
    ));
}

fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        scope: vec![],
        floor: None,
        ceiling: None,
    }
}

#[test]
fn overlaps_names_and_duplicate_hosts_are_refused() {
    let fleet = fleet(3, 0);
    let mut variable = variable();
    variable.start(replace("A", "B"), &fleet, hour(0)).unwrap();
    assert!(matches!(
        variable.start(replace("A", "C"), &fleet, hour(0)),
        Err(VariableError::Overlaps { .. })
    ));
    assert!(matches!(
        variable.finish(&fleet, hour(50)),
        Err(VariableError::NotEnded { left: 3, .. })
    ));
    assert!(matches!(
        Variable::new("a b", 1.into()),
        Err(VariableError::Name { .. })
    ));
    let twice = [fleet.members(), fleet.members()].concat();
    assert!(matches!(
        Fleet::new(twice),
        Err(OrderError::DuplicateHost { .. })
    ));
    let weightless = fleet.members().iter().cloned().map(|member| Member {
        weight: 0,
        ..member
    });
    assert!(matches!(
        Fleet::new(weightless),
        Err(OrderError::ZeroWeight { .. })
    ));
}

#[test]
fn thirty_percent_of_a_role_but_at_least_one() {
    let fleet = fleet(20, 2);
    let mut transition = replace("A", "B");
    transition.upto = Share::from_percent(30);
    let mut canary = rule("at least one");
    canary.floor = Some(Floor {
        at_least: Amount::Hosts(1),
        ramp: Share::ZERO,
    });
    transition.order.rules = vec![canary];
    let mut variable = variable();
    variable.start(transition, &fleet, hour(0)).unwrap();
    let view = variable.on(&fleet).unwrap();
    let at = |time| {
        view.preview(time)
            .strata
            .iter()
            .map(|s| s.changed)
            .collect::<Vec<_>>()
    };
    assert_eq!(at(hour(0)), [0, 0]);
    assert_eq!(at(hour(1)), [1, 1], "the floor comes first");
    assert_eq!(at(hour(100)), [1, 6]);
    assert_eq!(
        counts(&variable, &fleet, hour(100)),
        [("A".to_owned(), 15), ("B".to_owned(), 7)]
    );
    run_to_the_end(&mut variable, &fleet);
    assert_eq!(
        counts(&variable, &fleet, hour(0)),
        [("A".to_owned(), 15), ("B".to_owned(), 7)]
    );
}

#[test]
fn hosts_that_join_later_get_what_their_scope_has() {
    let mut variable = variable();
    let mut transition = replace("A", "B");
    transition.scope = vec!["role=db".parse().unwrap()];
    variable
        .start(transition.clone(), &fleet(2, 2), hour(0))
        .unwrap();
    run_to_the_end(&mut variable, &fleet(2, 2));
    assert_eq!(
        counts(&variable, &fleet(2, 9), hour(0)),
        [("A".to_owned(), 2), ("B".to_owned(), 9)]
    );
    transition.change = Change::replace("B", "C");
    variable.start(transition, &fleet(2, 9), hour(0)).unwrap();
    run_to_the_end(&mut variable, &fleet(2, 9));
    assert_eq!(
        counts(&variable, &fleet(2, 9), hour(0)),
        [("A".to_owned(), 2), ("C".to_owned(), 9)]
    );
    variable
        .start(replace("A", "C"), &fleet(2, 9), hour(0))
        .unwrap();
    run_to_the_end(&mut variable, &fleet(2, 9));
    assert_eq!(
        counts(&variable, &fleet(5, 5), hour(0)),
        [("C".to_owned(), 10)]
    );
}

#[test]
fn a_mix_goes_around_what_is_forbidden() {
    let fleet = fleet(50, 50);
    let mut variable = variable().forbid("B".into(), "D".into()).unwrap();
    variable
        .start(transition(mix(&[("A", 50), ("B", 50)])), &fleet, hour(0))
        .unwrap();
    run_to_the_end(&mut variable, &fleet);
    // The greedy match would send B to D, which must not be.
    variable
        .start(transition(mix(&[("C", 50), ("D", 50)])), &fleet, hour(0))
        .unwrap();
    let halfway = counts(&variable, &fleet, hour(50));
    assert_eq!(halfway.iter().map(|(_, count)| count).sum::<u64>(), 100);
    for member in fleet.members() {
        let view = variable.on(&fleet).unwrap();
        let [before, after] = [0, 100].map(|time| {
            view.value_for(member.host.as_str(), hour(time))
                .unwrap()
                .to_string()
        });
        assert!(
            matches!((before.as_str(), after.as_str()), ("A", "D") | ("B", "C")),
            "{before} {after}"
        );
    }
    run_to_the_end(&mut variable, &fleet);
    assert_eq!(
        counts(&variable, &fleet, hour(0)),
        [("C".to_owned(), 50), ("D".to_owned(), 50)]
    );
}

#[test]
fn an_abort_keeps_everybody_where_they_are() {
    let fleet = fleet(10, 10);
    let mut variable = variable();
    variable.start(replace("A", "B"), &fleet, hour(0)).unwrap();
    variable.abort(&fleet, hour(30)).unwrap();
    assert_eq!(
        counts(&variable, &fleet, hour(99)),
        [("A".to_owned(), 14), ("B".to_owned(), 6)]
    );
    assert!(matches!(
        variable.abort(&fleet, hour(31)),
        Err(VariableError::NoTransition { .. })
    ));
}

#[test]
fn rolling_back_a_rollback_pauses() {
    let fleet = fleet(10, 0);
    let mut variable = variable();
    variable.start(replace("A", "B"), &fleet, hour(0)).unwrap();
    let step = variable
        .on(&fleet)
        .unwrap()
        .plan(hour(50), Budget::default());
    variable.apply(&step).unwrap();
    variable.roll_back(curve(50, 10), &fleet).unwrap();
    variable.roll_back(curve(55, 10), &fleet).unwrap();
    assert!(variable.running().unwrap().is_paused());
    assert_eq!(
        counts(&variable, &fleet, hour(99)),
        [("A".to_owned(), 7), ("B".to_owned(), 3)]
    );
    let stale = variable.apply(&step);
    assert!(
        matches!(
            stale,
            Err(VariableError::Stale {
                planned: 1,
                present: 3,
                ..
            })
        ),
        "{stale:?}"
    );
}

#[test]
fn explanations_are_sentences() {
    let fleet = fleet(4, 0);
    let mut variable = variable();
    let explain = |variable: &Variable, at| {
        variable
            .on(&fleet)
            .unwrap()
            .explain("web-0", hour(at))
            .unwrap()
            .to_string()
    };
    assert_eq!(
        explain(&variable, 0),
        "web-0 holds A (revision 0): no transition is running"
    );
    variable.start(replace("A", "B"), &fleet, hour(0)).unwrap();
    let line = |variable: &Variable| {
        variable
            .on(&fleet)
            .unwrap()
            .explain("web-0", hour(99))
            .unwrap()
            .because
    };
    let Because::TurnHasCome(place) = line(&variable) else {
        panic!()
    };
    let number = place.place + 1;
    let turn = place.turn;
    let early = format!(
        "web-0 holds A (revision 1): it is number {number} of 4 and changes at {turn} by its place in the line, and the curve is only at 1%"
    );
    assert_eq!(explain(&variable, 1), early);
    assert_eq!(variable.on(&fleet).unwrap().explain("web-9", hour(0)), None);
}

#[test]
fn hosts_that_a_floor_lets_go_early_delay_nobody() {
    let roles = (0..300).map(|index| (index, format!("role-{}", (index * index) % 40)));
    let members = roles.map(|(index, role)| {
        let labels = BTreeMap::from([("role".to_owned(), role)]);
        Member::new(format!("host-{index}").parse().unwrap(), labels)
    });
    let fleet = Fleet::new(members).unwrap();
    let mut planned = replace("A", "B");
    let mut rule = Rule::at_least("two canaries", 2);
    rule.floor = rule.floor.map(|floor| Floor {
        ramp: Share::from_percent(10),
        ..floor
    });
    planned.order.rules = vec![rule];
    let mut variable = variable();
    variable.start(planned, &fleet, hour(0)).unwrap();
    let forecast = |variable: &Variable| -> BTreeMap<String, Option<Timestamp>> {
        let view = variable.on(&fleet).unwrap();
        let told = &variable.running().unwrap().told;
        let hosts = fleet.members().iter().map(|member| &member.host);
        let waiting = hosts.filter(|host| !told.contains(host));
        waiting
            .map(|host| (host.to_string(), view.flips_at(host.as_str()).forward))
            .collect()
    };
    let before = forecast(&variable);
    for at in 1..100 {
        let step = variable
            .on(&fleet)
            .unwrap()
            .plan(hour(at), Budget::default());
        variable.apply(&step).unwrap();
        for (host, flips) in forecast(&variable) {
            assert_eq!(flips, before[&host], "{host} at hour {at}");
        }
    }
}
