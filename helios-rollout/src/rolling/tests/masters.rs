//! Masters that do the same at once, or too late.

use super::script::request;
use super::toy::{Toy, host};
use crate::rolling::{advance, roll_out, step};

const GROUP: &str = "front";

/// A group of three hosts, on its way to the first job.
fn rolling_out() -> Toy {
    let mut toy = Toy::new();
    for name in ["n1", "n2", "n3"] {
        toy.host(&host(name), &[("role", "web")]);
    }
    toy.job("web:1:a", None, "");
    toy.job("web:2:b", None, "");
    toy.create_group(GROUP, &["role=web"]);
    start(&mut toy, "web:1:a");
    toy
}

fn start(toy: &mut Toy, job: &str) {
    let request = request(GROUP, job, "");
    let job = toy.get(&helios_core::schema::Keys::job(&request.job).unwrap());
    let (group, stamp) = (toy.group(GROUP), toy.stamp());
    let txn = roll_out(group.as_ref(), job.as_ref(), &toy.fleet(), &request, &stamp);
    assert!(toy.commit(&txn.unwrap()));
}

/// There, two leaders at once did each piece of work twice.
#[test]
fn moby_25017_two_masters_that_plan_the_same_step_make_it_once() {
    let mut toy = rolling_out();
    let (group, fleet, now) = (toy.group(GROUP).unwrap(), toy.fleet(), toy.now);
    let made = ["m1", "m2", "m3"].map(|master| {
        let plan = advance(&group, &fleet, now);
        let txn = step(&group, &plan, &fleet, now, &toy.stamp(), master);
        toy.commit(&txn)
    });
    assert_eq!(made, [true, false, false]);
    let rollout = toy.group(GROUP).unwrap().rollout.clone().unwrap();
    assert_eq!((rollout.step, rollout.started), (1, 1));
}

/// There, one that was a leader no more went on with what it had begun.
#[test]
fn moby_53632_a_master_that_goes_on_with_old_news_changes_nothing() {
    let mut toy = rolling_out();
    let (group, fleet, now) = (toy.group(GROUP).unwrap(), toy.fleet(), toy.now);
    start(&mut toy, "web:2:b");
    let before = toy.group(GROUP).unwrap();
    let plan = advance(&group, &fleet, now);
    let txn = step(&group, &plan, &fleet, now, &toy.stamp(), "m1");
    assert!(!plan.is_empty() && !toy.commit(&txn));
    assert_eq!(toy.group(GROUP).unwrap(), before);
    assert!(toy.record(&host("n1")).goals.is_empty());
}
