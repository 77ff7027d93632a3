//! P8, P9, P15 to P17 and P21: variables in motion.

use std::collections::{BTreeMap, BTreeSet};

use helios_rollout::Share;
use helios_rollout::audit::{self, Entry, State, replay, roll_up};
use helios_rollout::curve::{Curve, OnResume};
use helios_rollout::order::{Fleet, Mode};
use helios_rollout::variable::{Budget, Change, Held, Part, Transition, Value, Variable};
use proptest::prelude::*;

use crate::support::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Shares of the four values, in percent.
fn mix() -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec(0_u32..=100, 3).prop_map(|mut cuts| {
        cuts.extend([0, 100]);
        cuts.sort_unstable();
        let part = |(pair, name): (&[u32], &&str)| Part {
            value: (**name).into(),
            share: Share::from_percent(pair[1] - pair[0]),
        };
        cuts.windows(2).zip(&NAMES).map(part).collect()
    })
}

fn to_mix(parts: Vec<Part>) -> Transition {
    let order = order("mix", &["role"], Mode::Ratchet);
    Transition {
        change: Change::Mix(parts),
        curve: plain_curve(0),
        upto: Share::ONE,
        scope: vec![],
        order,
        on_resume: OnResume::Stretch,
    }
}

fn arrive(variable: &mut Variable, fleet: &Fleet, parts: Vec<Part>) {
    variable.start(to_mix(parts), fleet, at(0)).unwrap();
    tell(variable, fleet, 1_000 * MINUTE);
    variable.finish(fleet, at(1_000 * MINUTE)).unwrap();
}

fn counts(variable: &Variable, fleet: &Fleet, minute: i64) -> BTreeMap<Value, u64> {
    variable
        .on(fleet)
        .unwrap()
        .preview(at(minute * MINUTE))
        .values
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn p08_as_few_hosts_move_as_possible_and_none_the_wrong_way(members in members(80), from in mix(), to in mix(), minutes in prop::collection::vec(0_i64..=1_000, 4)) {
        let fleet = Fleet::new(members).unwrap();
        let mut variable = Variable::new("v", "a".into()).unwrap();
        arrive(&mut variable, &fleet, from);
        let before = counts(&variable, &fleet, 0);
        variable.start(to_mix(to.clone()), &fleet, at(0)).unwrap();
        let after = counts(&variable, &fleet, 1_000);
        let view = variable.on(&fleet).unwrap();
        let hosts = fleet.members().iter().map(|member| member.host.as_str());
        let moved = hosts.clone().filter(|host| view.value_for(host, at(0)) != view.value_for(host, at(1_000 * MINUTE))).count() as u64;
        let count = |counts: &BTreeMap<Value, u64>, name: &str| counts.get(&name.into()).copied().unwrap_or(0);
        let distance: u64 = NAMES.iter().map(|name| count(&before, name).abs_diff(count(&after, name))).sum();
        prop_assert_eq!(moved * 2, distance);
        for part in &to {
            let exact = part.share.of(fleet.members().len() as u64);
            prop_assert!(after.get(&part.value).copied().unwrap_or(0).abs_diff(exact) <= 1);
        }
        let mut minutes = minutes;
        minutes.sort_unstable();
        for pair in minutes.windows(2) {
            let (early, late) = (counts(&variable, &fleet, pair[0]), counts(&variable, &fleet, pair[1]));
            for name in NAMES {
                let grows = count(&after, name) >= count(&before, name);
                let (early, late) = (count(&early, name), count(&late, name));
                let right_way = if grows { late >= early } else { late <= early };
                prop_assert!(right_way);
            }
        }
    }

    #[test]
    fn p09_the_same_weights_again_move_nobody(members in members(80), mix in mix()) {
        let fleet = Fleet::new(members).unwrap();
        let mut variable = Variable::new("v", "a".into()).unwrap();
        arrive(&mut variable, &fleet, mix.clone());
        variable.start(to_mix(mix), &fleet, at(0)).unwrap();
        prop_assert_eq!(tell(&mut variable, &fleet, 1_000 * MINUTE), 0);
    }

    #[test]
    fn p15_the_last_in_are_the_first_out(
        members in members(60), mode in mode(), pivot in 1_i64..1_000, back in shape(), steps in prop::collection::vec(1_i64..400, 1..8), joiner in any::<bool>(),
    ) {
        let mut fleet = Fleet::new(members.clone()).unwrap();
        let mut variable = started(replace(order("p15", &["role"], mode), plain_curve(0)), &fleet);
        for minute in [pivot / 3, pivot / 2, pivot] {
            tell(&mut variable, &fleet, minute * MINUTE);
        }
        if joiner && mode == Mode::Ratchet {
            fleet = Fleet::new(members.into_iter().skip(1).chain([member(777, 0, 1)])).unwrap();
        }
        let exposed: BTreeSet<String> = variable.running().unwrap().told.hosts().map(ToString::to_string).collect();
        let told = variable.running().unwrap().told.clone();
        let curve = Curve { shape: back, ..plain_curve(pivot * MINUTE) };
        variable.roll_back(curve, &fleet).unwrap();
        let (mut time, mut before) = (pivot, exposed);
        for step in steps {
            time += step;
            let now = new_hosts(&variable, &fleet, time * MINUTE);
            prop_assert!(now.is_subset(&before), "nobody is newly exposed");
            if mode == Mode::Ratchet {
                let place = |host: &String| told.place(&host.parse().unwrap()).unwrap();
                let gone = before.difference(&now).filter(|host| fleet.get(host).is_some());
                let first_gone = gone.map(place).min().unwrap_or(u64::MAX);
                prop_assert!(now.iter().all(|host| place(host) < first_gone), "last in, first out");
            }
            tell(&mut variable, &fleet, time * MINUTE);
            prop_assert_eq!(&new_hosts(&variable, &fleet, time * MINUTE), &now);
            before = now;
        }
        tell(&mut variable, &fleet, (pivot + 1_000) * MINUTE);
        variable.finish(&fleet, at((pivot + 1_000) * MINUTE)).unwrap();
        prop_assert_eq!(variable.held(), &Held::all("old".into()), "the old state, exactly");
    }

    #[test]
    fn p16_planning_again_changes_nothing(members in members(60), mode in mode(), minute in 0_i64..1_100, crash in any::<prop::sample::Index>()) {
        let fleet = Fleet::new(members).unwrap();
        let time = at(minute * MINUTE);
        let mut variable = started(replace(order("p16", &["role"], mode), plain_curve(0)), &fleet);
        let step = variable.on(&fleet).unwrap().plan(time, Budget::default());
        // Another master planned the same at the same time; it crashed after storing a part and another one began again.
        let mut part = step.clone();
        part.tells.truncate(if step.tells.is_empty() { 0 } else { crash.index(step.tells.len()) });
        let mut crashed = variable.clone();
        crashed.apply(&part).unwrap();
        let again = crashed.on(&fleet).unwrap().plan(time, Budget::default());
        crashed.apply(&again).unwrap();
        variable.apply(&step).unwrap();
        prop_assert_eq!(crashed.running().unwrap().told.hosts().collect::<Vec<_>>(), variable.running().unwrap().told.hosts().collect::<Vec<_>>());
        variable.apply(&step).unwrap();
        let nothing = variable.on(&fleet).unwrap().plan(time, Budget::default());
        prop_assert!(nothing.tells.is_empty());
        let view = variable.on(&fleet).unwrap();
        for tell in &step.tells {
            prop_assert_eq!(view.value_for(tell.host.as_str(), time), Some(&tell.value), "told and decided agree");
        }
    }

    #[test]
    fn p16_a_forecast_is_what_happens(members in members(40), mode in mode(), curve in curve(), upto in 1_u32..=100) {
        let fleet = Fleet::new(members).unwrap();
        if curve.schedule(&helios_rollout::curve::Pauses::default()).is_err() {
            return Ok(());
        }
        let mut transition = replace(order("forecast", &["role"], mode), curve);
        transition.upto = Share::from_percent(upto);
        let variable = started(transition, &fleet);
        let view = variable.on(&fleet).unwrap();
        for member in fleet.members() {
            let host = member.host.as_str();
            let Some(flip) = view.flips_at(host).forward else {
                prop_assert!(upto < 100, "at the end everybody has changed");
                continue;
            };
            prop_assert_eq!(view.value_for(host, flip), Some(&"new".into()));
            prop_assert_eq!(view.value_for(host, at(flip.as_millis() - 1)), Some(&"old".into()));
        }
    }

    #[test]
    fn p17_the_budget_is_kept_and_used(members in members(60), max in 1_u64..6, minutes in prop::collection::vec(1_i64..200, 3..12)) {
        let fleet = Fleet::new(members).unwrap();
        let mut variable = started(replace(order("p17", &["role"], Mode::Ratchet), plain_curve(0)), &fleet);
        let (mut minute, mut in_flight) = (0, 0);
        for (round, step) in minutes.into_iter().enumerate() {
            minute += step;
            in_flight /= 1 + (round as u64 % 3); // Some confirm.
            let plan = variable.on(&fleet).unwrap().plan(at(minute * MINUTE), Budget { in_flight_max: Some(max), in_flight });
            let told = plan.tells.len() as u64;
            let free = max - in_flight;
            prop_assert!(told <= free);
            prop_assert_eq!(told, free.min(told + plan.held_back), "free budget is used");
            variable.apply(&plan).unwrap();
            in_flight += told;
        }
        for _ in 0..60 {
            let plan = variable.on(&fleet).unwrap().plan(at(1_000 * MINUTE), Budget { in_flight_max: Some(max), in_flight: 0 });
            variable.apply(&plan).unwrap();
        }
        prop_assert_eq!(variable.running().unwrap().told.len(), fleet.members().len(), "and everybody gets there");
    }

    #[test]
    fn p21_a_log_replays_bit_for_bit(members in members(40), mode in mode(), events in prop::collection::vec((0_u8..7, 1_i64..200), 1..14), keep in 0_usize..10) {
        let mut state = State::new(Variable::new("docker", "old".into()).unwrap(), Fleet::new(members).unwrap());
        let first = state.checkpoint(at(0));
        state = replay([&first]).unwrap();
        let mut log = vec![first];
        let transition = Box::new(replace(order("p21", &["role"], mode), plain_curve(0)));
        log.push(state.append(at(0), Entry::Started { transition, guard: None }).unwrap());
        let mut minute = 0;
        for (index, (event, step)) in events.into_iter().enumerate() {
            minute += step;
            let time = at(minute * MINUTE);
            let entry = match event {
                0 => Entry::Paused,
                1 => Entry::Resumed,
                2 => Entry::Members { joined: vec![member(500 + index, 1, index % 5)], left: vec![member(index, 0, 0).host] },
                3 if minute > 700 => Entry::RolledBack { curve: Box::new(plain_curve(minute * MINUTE)) },
                _ => state.tell(time, Budget { in_flight_max: Some(7), in_flight: 0 }).unwrap(),
            };
            let before = state.clone();
            match state.append(time, entry) {
                Ok(record) => log.push(record),
                Err(_) => prop_assert_eq!(&state, &before, "a refusal changes nothing"),
            }
        }
        prop_assert_eq!(&replay(&log).unwrap(), &state);
        let text = serde_json::to_string(&roll_up(&log, keep).unwrap()).unwrap();
        let stored: Vec<audit::Record> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&replay(&stored).unwrap(), &state);
    }
}
