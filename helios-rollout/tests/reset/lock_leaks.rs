//! What goes wrong with tools that reset hosts under a lock, as tests.
//!
//! kured keeps its lock in an annotation, airlock and other servers of the FleetLock protocol in a list of holders. A lock has to be given back
//! by who took it; a place in a stored plan does not.

use helios_rollout::order::Amount;
use helios_rollout::reset::{Because, Phase, Progress, To};

use crate::fleet::*;

/// kured: the lock stays with a node that was removed from the cluster, and nothing is rebooted any more.
#[test]
fn a_host_that_is_deregistered_frees_its_place() {
    for phase in [Phase::Draining, Phase::Resetting, Phase::Returned] {
        let mut world = World::new(reset(), web(3));
        world.drive();
        let first = world.progress.away.keys().next().unwrap().to_string();
        world.until_phase(&first, phase);
        world.machines.remove(&name(&first));
        world.until_over();
        assert_eq!(
            (world.progress.done.len(), world.progress.left),
            (2, 1),
            "{phase:?}"
        );
        assert!(world.progress.mishaps.is_empty());
    }
}

/// airlock: a machine that never comes back holds its slot until somebody edits the store.
#[test]
fn a_host_that_never_comes_back_frees_its_place_when_its_time_is_over() {
    let mut machines = web(4);
    machines[1].1.fate = Fate::NeverComesBack;
    let mut reset = reset();
    reset.limits.failures = 1;
    let mut world = World::new(reset, machines);
    world.until_over();
    assert_eq!(world.progress.done.len(), 3);
    let mishap = &world.progress.mishaps[&name("web-2")];
    assert_eq!((mishap.lost, &mishap.because), (true, &Because::NotBack));
}

/// kured: the sentinel file is still there after the reboot, or the lock was taken twice, and the node reboots again.
#[test]
fn no_host_is_reset_twice() {
    let mut world = World::new(reset(), web(3));
    world.until_over();
    for (host, machine) in &world.machines {
        assert_eq!((machine.boot, machine.ran.len()), (2, 1), "{host}");
    }
    let chosen = world
        .told
        .iter()
        .filter(|line| line.contains("-> chosen"))
        .count();
    assert_eq!(chosen, 3);
}

/// kured: the daemon restarts while its node is on the way, and does it all again.
#[test]
fn an_agent_that_restarts_does_not_reset_its_host_again() {
    let mut reset = reset();
    reset.limits.minimum_healthy = Amount::Hosts(0);
    let mut world = World::new(reset, web(1));
    world.until_phase("web-1", Phase::Resetting);
    world.drive();
    world.pass(1000);
    let order = world.machine("web-1").drain.clone().unwrap();
    assert!(order.reset.is_some() && world.machine("web-1").ran.contains(&order.id));
    world.until_over();
    assert_eq!(
        world.machine("web-1").boot,
        2,
        "one boot for one order, however often it is read"
    );
}

/// FleetLock: the client says "I am back" after its agent restarted without a reboot.
#[test]
fn a_host_that_returns_with_the_same_boot_id_was_not_reset() {
    let mut machines = web(2);
    machines[0].1.fate = Fate::SameBoot;
    let mut reset = reset();
    reset.limits.failures = 1;
    let mut world = World::new(reset, machines);
    world.until_over();
    let mishap = &world.progress.mishaps[&name("web-1")];
    assert_eq!((mishap.lost, &mishap.because), (false, &Because::SameBoot));
    assert_eq!(world.progress.done.len(), 1);
    assert!(
        world.machine("web-1").drain.is_none(),
        "it has its jobs again"
    );
}

/// FleetLock servers: two pools with a machine in common let it go twice.
#[test]
fn of_two_resets_over_the_same_hosts_the_older_one_has_them() {
    let mut world = World::new(reset(), web(3));
    world.drive();
    let mut other = reset();
    other.name = "autumn".to_owned();
    let progress = Progress::new(&other, at(START + MINUTE)).unwrap();
    let sights = world
        .sights()
        .claimed_by("spring", world.machines.keys().cloned());
    let now = at(START + MINUTE);
    let plan =
        helios_rollout::reset::advance(&other, &progress, &Default::default(), &sights, "m1", now);
    assert!(plan.next.away.is_empty() && plan.orders.is_empty());
    assert_eq!(plan.holds.values().sum::<u64>(), 3);
    assert!(
        plan.holds
            .keys()
            .all(|hold| hold.to_string().contains("spring")),
        "{:?}",
        plan.holds
    );
    // Should it have been chosen before the other was seen: who drains it has it.
    let mut late = World::new(other, web(3));
    late.drive();
    let first = late.progress.away.keys().next().unwrap().to_string();
    late.machine(&first).drain.as_mut().unwrap().by = "spring".to_owned();
    let plan = late.plan();
    assert!(matches!(&plan.lines[0].because, Because::Taken(by) if by == "spring"));
    assert_eq!(plan.lines[0].to, To::Released);
}

/// kured: a reboot command that hangs keeps the lock for ever.
#[test]
fn an_action_that_hangs_ends_with_its_time() {
    let mut machines = web(2);
    machines[0].1.fate = Fate::Hangs;
    let mut reset = reset();
    reset.limits.failures = 1;
    let mut world = World::new(reset, machines);
    world.until_over();
    assert_eq!(
        world.progress.mishaps[&name("web-1")].because,
        Because::SameBoot
    );
    assert_eq!(world.progress.done.len(), 1);
    assert!(world.machine("web-1").drain.is_none());
}

/// airlock: holders are counted in the memory of the master that died, and its successor grants anew.
#[test]
fn a_master_that_dies_takes_no_place_with_it_and_makes_none() {
    let mut reset = reset();
    reset.limits.at_once = 2;
    reset.limits.minimum_healthy = Amount::Hosts(1);
    let mut world = World::new(reset, web(5));
    let crashes = [
        Until::Stored,
        Until::Orders(0),
        Until::Orders(1),
        Until::End,
    ];
    for (master, round) in ["m1", "m2", "m3"].iter().cycle().zip(0..4000_usize) {
        world.me = master;
        world.step(crashes[round % crashes.len()]);
        let drained = world
            .machines
            .values()
            .filter(|machine| machine.drain.is_some())
            .count();
        assert!(world.progress.away.len() <= 2 && drained <= 2);
        world.pass(5_000);
        if world.progress.is_over() {
            break;
        }
    }
    assert!(world.progress.is_over());
    assert!(
        world
            .machines
            .values()
            .all(|machine| machine.boot == 2 && machine.drain.is_none())
    );
}
