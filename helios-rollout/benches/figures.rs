//! Prints what deciding costs: `cargo bench -p helios-rollout`.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "its inputs are its own"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use helios_core::Timestamp;
use helios_rollout::curve::{Calendar, Curve, Length, Pauses, Shape};
use helios_rollout::order::{Fleet, Member, Order, Told};
use helios_rollout::variable::{Budget, Change, Transition, Variable};

const HOSTS: usize = 100_000;
const STRATA: usize = 500;
const WEEKS_2: u64 = 14 * 86_400;

fn main() {
    let members: Vec<Member> = (0..HOSTS).map(member).collect();
    let fleet = Fleet::new(members.clone()).unwrap();
    let everybody: Vec<usize> = (0..HOSTS).collect();
    let mut variable = Variable::new("docker", "26.1".into()).unwrap();
    variable
        .start(transition(), &fleet, Timestamp::from_millis(0))
        .unwrap();
    let half = Timestamp::from_millis(7 * 86_400_000);
    let view = variable.on(&fleet).unwrap();

    println!("{HOSTS} hosts in {STRATA} strata, best of 10");
    report(
        "fleet: check, sort and index the members",
        best(1, || Fleet::new(members.clone()).unwrap()),
    );
    report(
        "order: all turns",
        best(1, || {
            order().turns(&fleet, &everybody, &Told::default()).unwrap()
        }),
    );
    report(
        "schedule: two weeks of office hours",
        best(1, || {
            transition().curve.schedule(&Pauses::default()).unwrap()
        }),
    );
    report(
        "view: order and schedule",
        best(1, || variable.on(&fleet).unwrap()),
    );
    let step = view.plan(half, Budget::default());
    report(
        "plan: half of the fleet is due",
        best(1, || view.plan(half, Budget::default())),
    );
    let mut told = variable.clone();
    told.apply(&step).unwrap();
    let settled = told.on(&fleet).unwrap();
    report(
        "plan: one host is due",
        best(1, || settled.plan(step.wake.unwrap(), Budget::default())),
    );
    report(
        "plan: nobody is due",
        best(1, || settled.plan(half, Budget::default())),
    );
    report("preview", best(1, || view.preview(half)));
    // Who asks has the name at hand: it is not looked for in the fleet's own memory.
    let hosts: Vec<String> = (0..HOSTS)
        .map(|i| fleet.members().get(i * 7_919 % HOSTS).unwrap())
        .map(|member| member.host.as_str().to_owned())
        .collect();
    for (what, count) in [
        ("all hosts at random", HOSTS),
        ("1,000 hosts at random", 1_000),
    ] {
        let mut next = hosts.iter().take(count).cycle();
        let mut at = 0;
        let decision = || {
            at = (at + 12_345_678) % (15 * 86_400_000);
            view.value_for(next.next().unwrap(), Timestamp::from_millis(at))
        };
        report(
            &format!("decision: value_for, {what}"),
            best(1_000_000, decision),
        );
    }
}

fn member(index: usize) -> Member {
    let labels = BTreeMap::from([(
        "role".to_owned(),
        format!("role-{}", index * index % STRATA),
    )]);
    let labels = labels
        .into_iter()
        .chain([("rack".to_owned(), format!("r{}", index % 97))])
        .collect();
    Member::new(
        format!("host-{index}.site-{}.example.net", index % 5)
            .parse()
            .unwrap(),
        labels,
    )
}

fn order() -> Order {
    Order::new("docker-27", ["role"])
}

fn transition() -> Transition {
    let windows = vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse().unwrap()];
    let curve = Curve {
        shape: Shape::Smoothstep,
        start: Timestamp::from_millis(0),
        length: Length::Elapsed(Duration::from_secs(WEEKS_2)),
        calendar: Calendar {
            windows,
            freezes: vec![],
        },
    };
    let change = Change::replace("26.1", "27.0");
    Transition::new(change, curve, order())
}

/// The shortest of ten runs, divided by the rounds in each.
fn best<T>(rounds: u32, mut work: impl FnMut() -> T) -> Duration {
    let run = |_| {
        let start = Instant::now();
        (0..rounds).for_each(|_| drop(black_box(work())));
        start.elapsed() / rounds
    };
    (0..10).map(run).min().expect("ten runs")
}

fn report(what: &str, time: Duration) {
    println!("{what:<50} {time:>12.2?}");
}
