//! What holds at every moment of every reset.

use std::collections::BTreeMap;

use helios_rollout::Share;
use helios_rollout::order::Amount;
use helios_rollout::reset::{Ending, GroupLimit, Phase, Stage, check};
use proptest::prelude::*;

use crate::fleet::*;

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }
}

/// So many hosts in so many roles and three zones; two of a hundred never come back.
fn fleet(hosts: usize, roles: usize, seed: u64, lost_percent: u64) -> Vec<(String, Machine)> {
    let mut dice = Dice(seed);
    (0..hosts)
        .map(|i| {
            let role = format!("role-{}", i % roles);
            let zone = format!("zone-{}", dice.below(3));
            let service = format!("service-{}", i % roles);
            let shared = format!("shared-{}", dice.below(7));
            let labels = [("role", role.as_str()), ("zone", zone.as_str())];
            let machine = Machine::new(&labels, &[&service, &shared]);
            let lost = dice.below(100) < lost_percent;
            let fate = if lost {
                Fate::NeverComesBack
            } else {
                Fate::ComesBack
            };
            (format!("host-{i}.example.net"), machine.fate(fate))
        })
        .collect()
}

fn limits(reset: &mut helios_rollout::reset::Reset, at_once: u64) {
    let group = |label: &str, percent| GroupLimit {
        label: label.to_owned(),
        share: Share::from_percent(percent),
        floor: 1,
        ceiling: Some(20),
        keep: 1,
    };
    reset.limits.groups = vec![group("zone", 10), group("role", 20)];
    reset.limits.at_once = at_once;
    reset.limits.minimum_healthy = Amount::Share(Share::from_percent(50));
    reset.limits.failures = 500;
    reset.limits.first_alone = true;
}

/// Judges the fleet itself, not what the reset says of it.
fn judge(world: &World) {
    let limits = &world.reset.limits;
    let away: Vec<_> = world
        .machines
        .iter()
        .filter(|(host, machine)| world.progress.away.contains_key(host) || machine.drain.is_some())
        .collect();
    assert!(away.len() as u64 <= limits.at_once, "{} away", away.len());
    for limit in &limits.groups {
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        for machine in world.machines.values() {
            *all.entry(&machine.labels[&limit.label]).or_default() += 1;
        }
        let mut gone: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, machine) in &away {
            *gone.entry(&machine.labels[&limit.label]).or_default() += 1;
        }
        for (value, gone) in gone {
            assert!(
                gone <= limit.allowed(all[value]),
                "{gone} with {value} away"
            );
        }
    }
    let (mut all, mut well): (BTreeMap<String, u64>, BTreeMap<String, u64>) = Default::default();
    for machine in world.machines.values() {
        for instance in machine.sight(world.now).instances {
            *all.entry(instance.service.clone()).or_default() += 1;
            *well.entry(instance.service).or_default() += u64::from(instance.healthy);
        }
    }
    for (service, all) in all {
        let minimum = limits.minimum_of(&service, all);
        assert!(
            well[&service] >= minimum,
            "{service}: {} of {all} well",
            well[&service]
        );
    }
}

fn run(world: &mut World, dice: &mut Dice, crashes: bool, tick: i64) {
    let deadline = world.reset.deadline.as_millis();
    while !world.progress.is_over() && world.now < deadline {
        if crashes {
            for _ in 0..4 {
                let until = match dice.below(4) {
                    0 => Until::Stored,
                    1 => Until::Orders(usize::try_from(dice.below(4)).unwrap()),
                    _ => Until::End,
                };
                world.me = ["m1", "m2", "m3"][usize::try_from(dice.below(3)).unwrap()];
                world.step(until);
                judge(world);
            }
        } else {
            world.drive();
        }
        judge(world);
        world.pass(tick);
    }
}

#[test]
fn a_thousand_hosts_in_fifty_roles_are_renewed_in_time_though_some_never_come_back() {
    let mut reset = reset();
    limits(&mut reset, 30);
    // It is looked at every three minutes only.
    reset.patience.expected = minutes(15);
    let machines = fleet(1000, 50, 7, 2);
    let lost = machines
        .iter()
        .filter(|(_, machine)| machine.fate == Fate::NeverComesBack)
        .count();
    let mut world = World::new(reset, machines);
    let forecast = check(&world.reset, &world.sights(), at(START)).unwrap();
    // Those that never come back keep their place for half an hour each instead of a quarter.
    world.reset.deadline = at(forecast.ends.unwrap().as_millis() * 3 / 2 - START / 2);
    run(&mut world, &mut Dice(3), false, 3 * MINUTE);
    assert_eq!(
        world.progress.stage,
        Stage::Ended(Ending::Done),
        "{:?}",
        world.plan().holds
    );
    assert_eq!(
        (world.progress.done.len(), world.progress.mishaps.len()),
        (1000 - lost, lost)
    );
    assert!(lost > 10 && world.progress.away.is_empty());
    assert!(
        world
            .machines
            .values()
            .all(|machine| machine.drain.is_none() && machine.boot <= 2)
    );
}

#[test]
fn with_room_for_w_hosts_it_takes_hardly_longer_than_the_hosts_divided_by_w() {
    let (hosts, width) = (300, 10);
    let mut reset = reset();
    reset.limits.at_once = width;
    reset.limits.minimum_healthy = Amount::Hosts(0);
    reset.deadline = at(START + 10 * DAY);
    let machines = fleet(300, 20, 11, 0);
    let mut world = World::new(reset, machines);
    run(&mut world, &mut Dice(5), false, MINUTE);
    let took = world.now - START;
    let per_host = i64::try_from(world.progress.average().unwrap().as_millis()).unwrap();
    let ideal = hosts / i64::try_from(width).unwrap() * per_host;
    assert!(took <= ideal * 12 / 10, "{took} instead of {ideal}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 20))]

    /// Masters die anywhere, also between storing and ordering, and take turns.
    #[test]
    fn limits_hold_and_everybody_is_done_whatever_dies(
        seed in any::<u64>(), hosts in 12_usize..40, roles in 2_usize..5, at_once in 1_u64..8,
    ) {
        let mut reset = reset();
        limits(&mut reset, at_once);
        reset.deadline = at(START + DAY);
        let machines = fleet(hosts, roles, seed, 4);
        let mut world = World::new(reset, machines);
        if check(&world.reset, &world.sights(), at(START)).is_err() {
            return Ok(());
        }
        run(&mut world, &mut Dice(seed), true, MINUTE);
        let plan = world.plan();
        // A service that lost hosts for good may not be able to spare another: that is told, and nothing else is in the way.
        prop_assert!(
            world.progress.stage == Stage::Ended(Ending::Done) || !world.progress.mishaps.is_empty(),
            "{:?} {:?}", world.progress.stage, plan.holds
        );
        prop_assert!(world.machines.values().all(|machine| machine.boot <= 2));
    }

    /// Hosts vanish at any moment, and take no place with them.
    #[test]
    fn no_place_is_leaked_by_a_host_that_vanishes(seed in any::<u64>()) {
        let mut reset = reset();
        reset.limits.at_once = 3;
        reset.limits.minimum_healthy = Amount::Hosts(0);
        let mut world = World::new(reset, web(20));
        let mut dice = Dice(seed);
        while !world.progress.is_over() {
            world.drive();
            if dice.below(20) == 0 && world.machines.len() > 5 {
                let place = usize::try_from(dice.below(world.machines.len() as u64)).unwrap();
                let host = world.machines.keys().nth(place).unwrap().clone();
                world.machines.remove(&host);
            }
            world.pass(30_000);
            prop_assert!(world.now < START + DAY);
        }
        prop_assert!(world.progress.mishaps.is_empty());
        prop_assert!(world.machines.values().all(|machine| machine.boot == 2));
    }

    /// The window bound: any run of consecutive hosts is spread over the roles.
    #[test]
    fn any_run_of_consecutive_hosts_is_spread_over_the_roles(seed in any::<u64>(), roles in 2_usize..6) {
        let mut reset = reset();
        limits(&mut reset, 4);
        reset.limits.groups.remove(0);
        reset.name = format!("reset-{seed}");
        let machines = fleet(40, roles, seed, 0);
        let world = World::new(reset, machines);
        let line = helios_rollout::reset::forecast(&world.reset, &world.progress, &world.sights(), at(START)).line;
        for length in 1..line.len() {
            for run in line.windows(length) {
                for role in 0..roles {
                    let role = format!("role-{role}");
                    let of = |hosts: &mut dyn Iterator<Item = &helios_core::model::HostName>| {
                        hosts.filter(|host| world.machines[*host].labels["role"] == role).count()
                    };
                    let (here, all) = (of(&mut run.iter()), of(&mut line.iter()));
                    prop_assert!(here * line.len() < all * length + 2 * line.len());
                }
            }
        }
    }
}

#[test]
fn a_host_counts_as_away_until_it_was_checked() {
    let mut reset = reset();
    reset.patience.settle = minutes(10);
    let mut world = World::new(reset, web(2));
    world.until_phase("web-1", Phase::Checked);
    assert_eq!(world.progress.away.len(), 1);
    assert_eq!(world.phase("web-2"), None);
    world.pass(9 * MINUTE);
    world.drive();
    assert_eq!(world.phase("web-2"), None);
    world.pass(MINUTE);
    world.drive();
    assert_eq!(world.phase("web-1"), None);
}
