//! Prints what deciding costs: `cargo bench -p helios-rollout`.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::disallowed_types, reason = "it is measured beside ours")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "its inputs are its own"
)]

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::time::{Duration, Instant};

use helios_core::Timestamp;
use helios_rollout::curve::{Calendar, Curve, Length, Pauses, Shape};
use helios_rollout::order::{Fleet, Member, Order, Told};
use helios_rollout::variable::{Budget, Change, Transition, Variable, View};

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
    decisions(&view, &fleet);
}

/// How many hosts are asked for in one run, and how many runs there are.
const ASKED: u32 = 20_000;
const RUNS: usize = 101;

/// Decisions about hosts at random, beside looking up the same names in the maps of the standard library: they wait for the same memory,
/// and take turns in short runs, so that what else the machine does hits all of them.
fn decisions(view: &View<'_>, fleet: &Fleet) {
    let name = |member: &Member| member.host.as_str().to_owned();
    // Who asks has the name at hand: it is not looked for in the fleet's own memory.
    let hosts: Vec<String> = (0..HOSTS)
        .map(|i| name(&fleet.members()[i * 7_919 % HOSTS]))
        .collect();
    // The maps are built in another order, or their names would lie in the order in which they are asked for.
    let numbered = || fleet.members().iter().map(name).zip(0_u64..);
    let (hashed, sorted): (HashMap<_, _>, BTreeMap<_, _>) =
        (numbered().collect(), numbered().collect());
    println!(
        "\n{RUNS} runs of {ASKED} decisions, for one of them: least, median, most; median of HashMap's"
    );
    for (count, which) in [(HOSTS, "all hosts"), (1_000, "1,000 hosts")] {
        let mut times = [(); 4].map(|()| Vec::new());
        for turn in 0..RUNS {
            let begin = turn * ASKED as usize % count;
            let (later, first) = hosts[..count].split_at(begin);
            let asked = || first.iter().chain(later);
            let [decided, shared, in_hashed, in_sorted] = &mut times;
            decided.push(run(asked(), |host, at| view.value_for(host, at)));
            shared.push(run(asked(), |_, at| view.share_at(at)));
            in_hashed.push(run(asked(), |host, _| hashed.get(host)));
            in_sorted.push(run(asked(), |host, _| sorted.get(host)));
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        let base = times[2][RUNS / 2].as_secs_f64();
        for (times, what) in times.iter().zip([
            "decision: value_for",
            "of which the curve",
            "HashMap<String, u64>::get",
            "BTreeMap<String, u64>::get",
        ]) {
            let [least, median, most] = [0, RUNS / 2, RUNS - 1].map(|place| times[place]);
            let ratio = median.as_secs_f64() / base;
            let what = format!("{what}, {which} at random");
            println!("{what:<50} {least:>8.0?} {median:>8.0?} {most:>8.0?} {ratio:>6.2}");
        }
    }
}

/// How long one of many look-ups takes, each at another time.
fn run<'a, T>(
    hosts: impl Iterator<Item = &'a String> + Clone,
    mut look_up: impl FnMut(&str, Timestamp) -> T,
) -> Duration {
    let mut at = 0;
    let start = Instant::now();
    for host in hosts.cycle().take(ASKED as usize) {
        at = (at + 12_345_678) % (15 * 86_400_000);
        black_box(look_up(host, Timestamp::from_millis(at)));
    }
    start.elapsed() / ASKED
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
