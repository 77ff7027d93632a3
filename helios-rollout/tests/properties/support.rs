//! Generators.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::Timestamp;
use helios_rollout::Share;
use helios_rollout::curve::{Calendar, Curve, Freeze, Length, OnResume, Point, Shape};
use helios_rollout::order::{Fleet, Member, Mode, Order, Rule, Told, Turns};
use helios_rollout::variable::{Budget, Change, Transition, Variable};
use proptest::prelude::*;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 1_440 * MINUTE;

/// The cases of properties of which one costs as much as `dear` cheap ones, which have as many as proptest's default or
/// `PROPTEST_CASES` says. They are printed, for the sum.
#[expect(clippy::print_stdout, reason = "how many there were is for people")]
pub(crate) fn cases(dear: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = asked.cases / dear;
    println!("cases: {cases}");
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..asked
    }
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn member(host: usize, region: usize, role: usize) -> Member {
    let labels = [
        ("region", format!("region-{region}")),
        ("role", format!("role-{role}")),
    ];
    let labels: BTreeMap<String, String> = labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Member::new(format!("host-{host}.example.net").parse().unwrap(), labels)
}

/// Hosts with a region and a role each; sizes of roles differ widely.
pub(crate) fn members(max: usize) -> impl Strategy<Value = Vec<Member>> {
    let stratum = (0_usize..4, 0_usize..6).prop_map(|(region, role)| (region, role * role / 5));
    prop::collection::vec(stratum, 0..max).prop_map(|strata| {
        strata
            .into_iter()
            .enumerate()
            .map(|(host, (region, role))| member(host, region, role))
            .collect()
    })
}

pub(crate) fn weighted_members(max: usize) -> impl Strategy<Value = Vec<Member>> {
    (members(max), prop::collection::vec(1_u32..9, max)).prop_map(|(members, weights)| {
        members
            .into_iter()
            .zip(weights)
            .map(|(member, weight)| Member { weight, ..member })
            .collect()
    })
}

pub(crate) fn keys() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        Just(vec![]),
        Just(vec!["role"]),
        Just(vec!["region", "role"])
    ]
    .prop_map(|keys| keys.into_iter().map(str::to_owned).collect())
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Ratchet),
        Just(Mode::Exact),
        Just(Mode::Threshold)
    ]
}

pub(crate) fn share() -> impl Strategy<Value = Share> {
    (0..=Share::PARTS).prop_map(Share::from_parts)
}

pub(crate) fn order(salt: &str, strata: &[&str], mode: Mode) -> Order {
    let strata = strata.iter().map(|key| (*key).to_owned()).collect();
    Order {
        salt: salt.to_owned(),
        strata,
        mode,
        rules: vec![],
        rotation: Share::ZERO,
    }
}

pub(crate) fn turns(order: &Order, fleet: &Fleet) -> Turns {
    let everybody: Vec<usize> = (0..fleet.members().len()).collect();
    order.turns(fleet, &everybody, &Told::default()).unwrap()
}

/// The hosts that have changed at a share.
pub(crate) fn changed(turns: &Turns, fleet: &Fleet, share: Share) -> BTreeSet<String> {
    let early = turns.iter().filter(|(_, turn)| turn.share <= share);
    early
        .map(|(member, _)| fleet.members()[member].host.to_string())
        .collect()
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let points =
        prop::collection::btree_map(1_u64..1_000, 0_u64..=1_000, 1..8).prop_map(|points| {
            let mut shares: Vec<u64> = points.values().copied().collect();
            shares.sort_unstable();
            let thousandth = |n| Share::from_parts(n * (Share::PARTS / 1_000));
            let point = |(after, share)| Point {
                after: thousandth(after),
                share: thousandth(share),
            };
            points
                .into_keys()
                .zip(shares)
                .map(point)
                .collect::<Vec<_>>()
        });
    prop_oneof![
        Just(Shape::Linear),
        Just(Shape::Smoothstep),
        (1_u32..60).prop_map(|growth| Shape::Exponential {
            growth: Share::from_percent(growth)
        }),
        (2_u32..1_000_000).prop_map(|ratio| Shape::Geometric { ratio }),
        (1_u32..=8).prop_map(|exponent| Shape::Power { exponent }),
        (1_u32..=40).prop_map(|octaves| Shape::Logistic { octaves }),
        points.clone().prop_map(|points| Shape::Points { points }),
        points.clone().prop_map(|points| Shape::Smooth { points }),
        points.prop_map(|mut points| {
            points.push(Point {
                after: Share::ONE,
                share: Share::ONE,
            });
            Shape::Steps { points }
        }),
    ]
}

/// Around both changes of the clock of 2026 and the leap day of 2028, in zones that change and one that does not.
pub(crate) fn calendar() -> impl Strategy<Value = Calendar> {
    let days = prop_oneof![Just("Mon-Fri"), Just("daily"), Just("Tue,Thu-Sun")];
    let hours = prop_oneof![
        Just("09:00-16:00"),
        Just("22:00-04:00"),
        Just("01:30-02:30"),
        Just("00:00-24:00")
    ];
    let zones = prop_oneof![
        Just("Europe/Stockholm"),
        Just("America/New_York"),
        Just("Asia/Kolkata"),
        Just("UTC")
    ];
    let window = (days, hours, zones)
        .prop_map(|(days, hours, zone)| format!("{days} {hours} {zone}").parse().unwrap());
    let freeze = (start(), 1_i64..3 * DAY).prop_map(|(from, length)| Freeze {
        from: at(from),
        until: at(from + length),
        reason: "holidays".to_owned(),
    });
    (
        prop::collection::vec(window, 0..3),
        prop::collection::vec(freeze, 0..2),
    )
        .prop_map(|(windows, freezes)| Calendar { windows, freezes })
}

/// Near a change of the clock in spring or autumn 2026, or the leap day of 2028.
pub(crate) fn start() -> impl Strategy<Value = i64> {
    let near = prop_oneof![
        Just(1_774_746_000_000_i64),
        Just(1_792_890_000_000),
        Just(1_835_395_200_000)
    ];
    (near, -5 * DAY..5 * DAY).prop_map(|(near, offset)| near + offset)
}

pub(crate) fn curve() -> impl Strategy<Value = Curve> {
    (shape(), start(), 8 * DAY..20 * DAY, calendar()).prop_map(
        |(shape, start, millis, calendar)| {
            let length = Length::Elapsed(Duration::from_millis(millis.unsigned_abs()));
            Curve {
                shape,
                start: at(start),
                length,
                calendar,
            }
        },
    )
}

/// From hour zero, a thousand minutes long, always open.
pub(crate) fn plain_curve(start: i64) -> Curve {
    let length = Length::Elapsed(Duration::from_millis(1_000 * MINUTE.unsigned_abs()));
    Curve {
        shape: Shape::Linear,
        start: at(start),
        length,
        calendar: Calendar::default(),
    }
}

pub(crate) fn replace(order: Order, curve: Curve) -> Transition {
    let change = Change::Replace {
        from: "old".into(),
        to: "new".into(),
    };
    Transition {
        change,
        curve,
        upto: Share::ONE,
        scope: vec![],
        order,
        on_resume: OnResume::Stretch,
    }
}

pub(crate) fn started(transition: Transition, fleet: &Fleet) -> Variable {
    let mut variable = Variable::new("docker", "old".into()).unwrap();
    let start = transition.curve.start;
    variable.start(transition, fleet, start).unwrap();
    variable
}

pub(crate) fn tell(variable: &mut Variable, fleet: &Fleet, time: i64) -> usize {
    let step = variable
        .on(fleet)
        .unwrap()
        .plan(at(time), Budget::default());
    variable.apply(&step).unwrap();
    step.tells.len()
}

/// The hosts that hold `new`.
pub(crate) fn new_hosts(variable: &Variable, fleet: &Fleet, time: i64) -> BTreeSet<String> {
    let view = variable.on(fleet).unwrap();
    let has_new = |host: &str| view.value_for(host, at(time)) == Some(&"new".into());
    let hosts = fleet.members().iter().map(|member| member.host.to_string());
    hosts.filter(|host| has_new(host)).collect()
}

pub(crate) fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        scope: vec![],
        floor: None,
        ceiling: None,
    }
}
