//! What a reset tells, line by line.

use helios_rollout::Share;
use helios_rollout::reset::GroupLimit;

use crate::fleet::*;

/// Two roles in two zones, one host that never comes back, one with a database that nobody else has.
#[test]
fn a_reset_tells_what_it_does_and_why() {
    let mut machines = Vec::new();
    for (i, zone) in ["a", "b", "a", "b"].iter().enumerate() {
        let machine = Machine::new(&[("role", "web"), ("zone", zone)], &["front"]);
        machines.push((format!("web-{}", i + 1), machine));
    }
    for (i, zone) in ["a", "b"].iter().enumerate() {
        let machine = Machine::new(&[("role", "db"), ("zone", zone)], &["sql"]);
        machines.push((format!("db-{}", i + 1), machine));
    }
    machines[1].1.fate = Fate::NeverComesBack;
    let mut reset = reset();
    let group = |label: &str, percent| GroupLimit {
        label: label.to_owned(),
        share: Share::from_percent(percent),
        floor: 1,
        ceiling: None,
        keep: 0,
    };
    reset.limits.groups = vec![group("zone", 50), group("role", 25)];
    (reset.limits.at_once, reset.limits.first_alone) = (2, true);
    let mut world = World::new(reset, machines);
    world.until(|world| {
        matches!(
            world.progress.stage,
            helios_rollout::reset::Stage::Halted(_)
        )
    });
    world.until(|world| world.progress.away.is_empty());
    let now = at(world.now);
    world.progress.resume(&world.reset, false, now).unwrap();
    world.until_over();
    let told = world.told.join("\n");
    assert_eq!(told, include_str!("golden/transcript.txt").trim_end());
}
