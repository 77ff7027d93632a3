//! The way of a host, and what stops a reset.

use helios_rollout::Share;
use helios_rollout::guard::{Action as OnHarm, Counts, Evidence, Guard, Objective};
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    Action, Because, Ending, GroupLimit, Halt, Hold, Phase, Stage, Verdict, Wanted,
};

use crate::fleet::*;

#[test]
fn every_host_is_renewed_and_has_its_jobs_again() {
    let mut world = World::new(reset(), web(4));
    world.until_over();
    assert_eq!(world.progress.stage, Stage::Ended(Ending::Done));
    assert_eq!(world.progress.done.len(), 4);
    assert!(
        world
            .machines
            .values()
            .all(|machine| machine.boot == 2 && machine.drain.is_none())
    );
}

#[test]
fn hosts_that_are_young_enough_are_left_alone() {
    let mut reset = reset();
    reset.wanted = Wanted::YoungerThan(minutes(60 * 24 * 30));
    let mut machines = web(3);
    machines[0].1.up_since = START - 28 * DAY;
    machines[1].1.up_since = START - 29 * DAY - 12 * HOUR;
    let mut world = World::new(reset, machines);
    world.until_over();
    let boots = ["web-1", "web-2", "web-3"].map(|host| world.machine(host).boot);
    assert_eq!(
        boots,
        [1, 2, 2],
        "at the deadline the second would be too old"
    );
}

#[test]
fn the_first_host_goes_alone() {
    let mut reset = reset();
    (reset.limits.at_once, reset.limits.first_alone) = (3, true);
    let mut world = World::new(reset, web(6));
    world.drive();
    assert_eq!(world.progress.away.len(), 1);
    assert!(world.plan().holds.contains_key(&Hold::First));
    world.until(|world| world.progress.done.len() == 1);
    world.drive();
    assert_eq!(world.progress.away.len(), 3);
}

#[test]
fn a_failure_too_many_stops_it_and_who_was_not_reset_gets_its_jobs_back() {
    let mut machines = web(6);
    for (_, machine) in &mut machines {
        machine.fate = Fate::NeverComesBack;
    }
    let mut reset = reset();
    reset.limits.at_once = 1;
    let mut world = World::new(reset, machines);
    world.until(|world| matches!(world.progress.stage, Stage::Halted(Halt::Failures { .. })));
    world.until(|world| world.progress.away.is_empty());
    assert_eq!(world.progress.mishaps.len(), 1);
    world.pass(DAY / 4);
    world.drive();
    assert_eq!(world.progress.mishaps.len(), 1, "nothing goes on by itself");
    assert!(world.plan().holds.contains_key(&Hold::NotRunning));
    let now = at(world.now);
    world.progress.resume(&world.reset, false, now).unwrap();
    world.drive();
    assert_eq!(
        world.progress.away.len(),
        1,
        "it goes on when somebody says so"
    );
}

#[test]
fn hosts_that_were_not_reset_yet_are_released_when_it_is_aborted() {
    let mut reset = reset();
    reset.limits.at_once = 3;
    let mut world = World::new(reset, web(6));
    world.until(|world| {
        world
            .progress
            .away
            .values()
            .any(|away| away.phase == Phase::Draining)
    });
    world.progress.abort().unwrap();
    world.until_over();
    assert_eq!(world.progress.stage, Stage::Ended(Ending::Aborted));
    assert!(world.progress.done.is_empty() && world.progress.mishaps.is_empty());
    assert!(
        world
            .machines
            .values()
            .all(|machine| machine.boot == 1 && machine.drain.is_none())
    );
}

#[test]
fn a_paused_reset_brings_home_who_is_away_and_chooses_nobody() {
    let mut world = World::new(reset(), web(3));
    world.until(|world| {
        world
            .progress
            .away
            .values()
            .any(|away| away.phase == Phase::Draining)
    });
    world.progress.pause().unwrap();
    world.until(|world| world.progress.away.is_empty());
    assert_eq!(world.progress.done.len(), 1);
    world.pass(HOUR);
    world.drive();
    assert!(world.progress.away.is_empty());
    let now = at(world.now);
    world.progress.resume(&world.reset, false, now).unwrap();
    world.until_over();
}

#[test]
fn a_service_that_falls_below_its_minimum_stops_it() {
    let mut reset = reset();
    reset.limits.minimum_healthy = Amount::Hosts(2);
    let mut world = World::new(reset, web(3));
    world.until(|world| {
        world
            .progress
            .away
            .values()
            .any(|away| away.phase == Phase::Resetting)
    });
    let other = world
        .machines
        .keys()
        .find(|host| !world.progress.away.contains_key(host));
    let other = other.unwrap().to_string();
    world.machine(&other).up = false;
    world.pass(30_000);
    world.drive();
    assert_eq!(world.progress.stage, Stage::Running, "for a moment it may");
    world.pass(2 * MINUTE);
    world.drive();
    let halted = Stage::Halted(Halt::Service {
        service: "front".to_owned(),
        healthy: 1,
        minimum: 2,
    });
    assert_eq!(world.progress.stage, halted);
}

#[test]
fn an_objective_that_is_breached_stops_it() {
    let mut reset = reset();
    reset.guard = Some(Guard {
        alpha_ppm: 50_000,
        bake: None,
        objectives: vec![Objective {
            name: "errors".to_owned(),
            query: String::new(),
            margin_permille: 500,
            gates: vec![],
            on_harm: OnHarm::Hold,
            dead_man: minutes(60 * 24),
        }],
    });
    let mut world = World::new(reset, web(3));
    world.drive();
    let evidence = Evidence {
        at: at(world.now),
        stratum: String::new(),
        new: Counts {
            events: 500,
            exposure: 1000,
        },
        old: Counts {
            events: 1,
            exposure: 1000,
        },
    };
    world.progress.look("errors", &evidence).unwrap();
    world.drive();
    let objective = "errors".to_owned();
    assert_eq!(
        world.progress.stage,
        Stage::Halted(Halt::Objective { objective })
    );
}

#[test]
fn groups_have_their_shares_with_floors_and_ceilings() {
    let limit = |share, floor, ceiling| GroupLimit {
        label: "role".to_owned(),
        share: Share::from_percent(share),
        floor,
        ceiling,
        keep: 0,
    };
    let allowed = |limit: GroupLimit| [1, 3, 10, 100].map(|hosts| limit.allowed(hosts));
    assert_eq!(allowed(limit(10, 0, None)), [0, 0, 1, 10]);
    assert_eq!(allowed(limit(10, 1, None)), [1, 1, 1, 10]);
    assert_eq!(allowed(limit(50, 2, Some(4))), [1, 2, 4, 4]);
}

#[test]
fn jobs_that_do_not_come_back_are_named() {
    let mut machines = web(3);
    machines[2].1.fate = Fate::Unwell;
    let mut world = World::new(reset(), machines);
    world.until(|world| matches!(world.progress.stage, Stage::Halted(_)));
    let mishap = &world.progress.mishaps[&name("web-3")];
    assert_eq!(
        mishap.because,
        Because::JobsUnwell(vec!["front:1".to_owned()])
    );
}

#[test]
fn a_drill_empties_and_fills_and_resets_nothing() {
    let mut reset = reset();
    reset.action = Action::None;
    let mut world = World::new(reset, web(3));
    world.until_over();
    assert_eq!(world.progress.done.len(), 3);
    assert!(world.machines.values().all(|machine| machine.boot == 1));
}

#[test]
fn a_service_with_one_instance_is_found_by_the_report() {
    let mut reset = reset();
    reset.limits.waived = ["lonely".to_owned()].into();
    let mut machines = web(3);
    machines[1].1.services.push("lonely".to_owned());
    let mut world = World::new(reset, machines);
    world.until_over();
    let report = world.robustness.by_verdict();
    let verdicts: Vec<_> = report
        .iter()
        .map(|(name, story)| (*name, story.verdict(), story.hosts))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("lonely", Verdict::WasDown, 1),
            ("front", Verdict::Robust, 3)
        ]
    );
    assert_eq!(
        (report[0].1.host.as_str(), report[1].1.healthy),
        ("web-2", 2)
    );
}

#[test]
fn a_master_that_asked_and_died_is_followed_by_another() {
    let mut reset = reset();
    reset.action = Action::Master;
    let mut world = World::new(reset, web(2));
    world.drive();
    let first = world.progress.away.keys().next().unwrap().to_string();
    world.until_phase(&first, Phase::Resetting);
    world.drive();
    assert_eq!(world.asked.len(), 1, "one master asks");
    // It dies before it could; another one waits for its time, and asks with the same id.
    (world.me, world.asked) = ("m2", vec![]);
    world.pass(MINUTE);
    world.drive();
    assert!(world.asked.is_empty());
    world.pass(MINUTE);
    world.drive();
    assert_eq!(world.asked.len(), 1);
    let (now, id) = (world.now, world.progress.away[&name(&first)].id.clone());
    assert_eq!(world.asked[0].1, id);
    world.has_asked(&first);
    world.machine(&first).reset(now);
    world.until(|world| world.progress.done.len() == 1);
}

#[test]
fn a_master_that_asked_and_did_not_come_to_say_so_does_not_lead_to_a_second_reset() {
    let mut reset = reset();
    reset.action = Action::Master;
    reset.limits.minimum_healthy = Amount::Hosts(0);
    let mut world = World::new(reset, web(1));
    world.until_phase("web-1", Phase::Resetting);
    world.drive();
    let now = world.now;
    world.machine("web-1").reset(now);
    (world.me, world.asked) = ("m2", vec![]);
    world.until_over();
    assert_eq!((world.asked.len(), world.machine("web-1").boot), (0, 2));
}

#[test]
fn nobody_is_chosen_while_no_window_is_open() {
    let mut reset = reset();
    reset.deadline = at(START + 3 * DAY);
    reset.limits.calendar.windows = vec!["daily 10:00-11:00 UTC".parse().unwrap()];
    let mut world = World::new(reset, web(12));
    world.drive();
    assert!(world.plan().holds.contains_key(&Hold::Closed));
    world.until_over();
    let chosen = world.told.iter().filter(|line| line.contains("-> chosen"));
    // 08:00 is the start: windows are two and twenty-six hours after it.
    let hours: Vec<&str> = chosen.map(|line| &line[..2]).collect();
    assert!(
        hours.iter().all(|hour| ["02", "26"].contains(hour)),
        "{hours:?}"
    );
}
