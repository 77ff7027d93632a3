//! P1 to P7, P10, P18 to P20 and P24: who is chosen.

use std::collections::{BTreeMap, BTreeSet};

use helios_rollout::Share;
use helios_rollout::order::{
    Amount, Ceiling, Fleet, Floor, Mode, Order, Purpose, Sequence, Sorting, Told, hash, threshold,
};
use proptest::prelude::*;

use crate::support::*;

fn sequence(fleet: &Fleet, salt: &str, strata: &[String], rotation: Share) -> Sequence {
    let everybody: Vec<usize> = (0..fleet.members().len()).collect();
    Sequence::of(
        fleet,
        &everybody,
        &Sorting {
            salt,
            strata,
            rotation,
        },
        |_| None,
    )
}

fn with_rules(mut order: Order, floor: u64, ramp: Share, ceiling: Share, until: Share) -> Order {
    let mut rule = rule("both");
    rule.floor = Some(Floor {
        at_least: Amount::Hosts(floor),
        ramp,
    });
    let mut limit = crate::support::rule("ceiling");
    limit.scope = vec!["role=role-5".parse().unwrap()];
    limit.ceiling = Some(Ceiling {
        at_most: Amount::Share(ceiling),
        until,
    });
    order.rules = vec![rule, limit];
    order
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn p01_a_larger_share_never_takes_a_host_back(
        members in weighted_members(120), mode in mode(), a in share(), b in share(), ramp in share(), until in share(), floor in 0_u64..3,
    ) {
        let fleet = Fleet::new(members).unwrap();
        let order = with_rules(order("p1", &["region", "role"], mode), floor, ramp, Share::ONE, until);
        let turns = turns(&order, &fleet);
        let (early, late) = (changed(&turns, &fleet, a.min(b)), changed(&turns, &fleet, a.max(b)));
        prop_assert!(early.is_subset(&late));
    }

    #[test]
    fn p02_the_order_of_the_members_does_not_matter(members in weighted_members(120), seed in any::<u64>(), keys in keys(), mode in mode()) {
        let mut shuffled = members.clone();
        shuffled.sort_by_key(|member| hash(Purpose::Host, &seed.to_string(), member.host.as_str()));
        let order = Order { strata: keys, ..order("p2", &[], mode) };
        let (a, b) = (Fleet::new(members).unwrap(), Fleet::new(shuffled).unwrap());
        prop_assert_eq!(turns(&order, &a), turns(&order, &b));
    }

    #[test]
    fn p03_exactly_the_rounded_number_clamped_by_floors_and_ceilings(
        members in members(120), share in share(), floor in 0_u64..4, most in 0_u32..=100, until in share(),
    ) {
        let fleet = Fleet::new(members).unwrap();
        let plain = order("p3", &["role"], Mode::Exact);
        let exact = turns(&plain, &fleet);
        let count = changed(&exact, &fleet, share).len() as u64;
        prop_assert_eq!(count, share.of(fleet.members().len() as u64));
        let ruled = with_rules(plain, floor, Share::ZERO, Share::from_percent(most), until);
        let everybody: Vec<usize> = (0..fleet.members().len()).collect();
        let Ok(limited) = ruled.turns(&fleet, &everybody, &Told::default()) else { return Ok(()) };
        for (index, stratum) in limited.strata().iter().enumerate() {
            let count = |turns: &helios_rollout::order::Turns| turns.iter().filter(|(_, t)| t.stratum == index && t.share <= share).count() as u64;
            let floor = if share > Share::ZERO { floor.min(stratum.hosts) } else { 0 };
            let capped = stratum.path[0] == "role-5" && share < until;
            let ceiling = if capped { Share::from_percent(most).of_floor(stratum.hosts) } else { u64::MAX };
            prop_assert_eq!(count(&limited), count(&exact).max(floor).min(ceiling));
        }
    }

    #[test]
    fn p05_no_run_of_hosts_hits_one_role_hard(members in members(100), salt in "[a-z]{1,4}", rotation in share()) {
        let fleet = Fleet::new(members).unwrap();
        let line = sequence(&fleet, &salt, &["role".to_owned()], rotation);
        let total = line.places().len();
        for (stratum, size) in line.strata().iter().enumerate() {
            for from in 0..total {
                let mut inside = 0;
                for (length, place) in (1_u64..).zip(&line.places()[from..]) {
                    inside += u64::from(place.stratum == stratum);
                    prop_assert!(inside * (total as u64) < size.hosts * length + 2 * total as u64);
                }
            }
        }
    }

    #[test]
    fn p10_nothing_is_nobody_and_everything_is_everybody(
        members in weighted_members(60), mode in mode(), keys in keys(), floor in 0_u64..4, most in 0_u32..=100, until in share(), ramp in share(),
    ) {
        let fleet = Fleet::new(members).unwrap();
        let order = Order { strata: keys, ..order("p10", &[], mode) };
        let everybody: Vec<usize> = (0..fleet.members().len()).collect();
        let ruled = with_rules(order, floor, ramp, Share::from_percent(most), until);
        let Ok(turns) = ruled.turns(&fleet, &everybody, &Told::default()) else { return Ok(()) };
        prop_assert_eq!(changed(&turns, &fleet, Share::ZERO).len(), 0);
        prop_assert_eq!(changed(&turns, &fleet, Share::ONE).len(), fleet.members().len());
    }
}

// At every share, or in several fleets.
proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn p04_every_prefix_holds_each_stratum_within_one(members in members(150), salt in "[a-z]{1,4}") {
        let fleet = Fleet::new(members).unwrap();
        let keys = ["region".to_owned(), "role".to_owned()];
        let line = sequence(&fleet, &salt, &keys, Share::ZERO);
        let size = |prefix: &[String]| line.strata().iter().filter(|s| s.path.starts_with(prefix)).map(|s| s.hosts as i64).sum::<i64>();
        let mut counts: BTreeMap<&[String], i64> = BTreeMap::new();
        for place in line.places() {
            let path = &line.strata()[place.stratum].path;
            for depth in 0..=2 {
                *counts.entry(&path[..depth]).or_default() += 1;
            }
            for stratum in line.strata() {
                let count = |depth: usize| counts.get(&stratum.path[..depth]).copied().unwrap_or(0);
                let all = |depth: usize| size(&stratum.path[..depth]);
                for depth in 1..=2 {
                    let off = count(depth) * all(depth - 1) - count(depth - 1) * all(depth);
                    prop_assert!(off.abs() < all(depth - 1), "within one of its share of its parent");
                }
                prop_assert!((count(2) * all(0) - count(0) * all(2)).abs() < 2 * all(0), "within two of its share of the fleet");
            }
        }
    }

    #[test]
    fn p06_one_host_more_never_costs_a_role_a_host(sizes in prop::collection::vec(1_usize..30, 1..12)) {
        let members = sizes.iter().enumerate().flat_map(|(role, size)| (0..*size).map(move |host| member(role * 100 + host, 0, role)));
        let fleet = Fleet::new(members).unwrap();
        let turns = turns(&order("p6", &["role"], Mode::Exact), &fleet);
        let total = fleet.members().len() as u64;
        let mut before = BTreeSet::new();
        for k in 0..=total {
            let now = changed(&turns, &fleet, Share::ratio(k, total));
            prop_assert!(before.is_subset(&now));
            prop_assert_eq!(now.len() as u64, k);
            before = now;
        }
    }

    #[test]
    fn p07_joins_and_leaves_move_few_others(members in members(100), leaver in any::<prop::sample::Index>(), role in 0_usize..6, share in share()) {
        prop_assume!(!members.is_empty());
        let left = leaver.index(members.len());
        let fleet = Fleet::new(members.clone()).unwrap();
        let fewer = Fleet::new(members.iter().enumerate().filter(|(i, _)| *i != left).map(|(_, m)| m.clone())).unwrap();
        let more = Fleet::new(members.iter().cloned().chain([member(9_999, 0, role)])).unwrap();
        for other in [&fewer, &more] {
            let flipped = |order: &Order| {
                let known: BTreeSet<String> = fleet.members().iter().filter(|m| other.get(m.host.as_str()).is_some()).map(|m| m.host.to_string()).collect();
                let (a, b) = (changed(&turns(order, &fleet), &fleet, share), changed(&turns(order, other), other, share));
                a.symmetric_difference(&b).filter(|host| known.contains(*host)).count()
            };
            prop_assert_eq!(flipped(&order("p7", &["role"], Mode::Threshold)), 0);
            prop_assert!(flipped(&order("p7", &[], Mode::Exact)) <= 1);
            let chairman = order("p7", &["role"], Mode::Exact);
            prop_assert!(flipped(&chairman) <= turns(&chairman, other).strata().len().max(turns(&chairman, &fleet).strata().len()));
            let mut told = Told::default();
            told.tell_all(changed(&turns(&chairman, &fleet), &fleet, share).iter().map(|host| host.parse().unwrap()));
            let everybody: Vec<usize> = (0..other.members().len()).collect();
            let kept = order("p7", &["role"], Mode::Ratchet).turns(other, &everybody, &told).unwrap();
            let after = changed(&kept, other, share);
            let remaining = told.hosts().filter(|host| other.get(host.as_str()).is_some());
            let mut told_here = 0;
            for host in remaining {
                told_here += 1;
                prop_assert!(after.contains(host.as_str()) || share == Share::ZERO);
            }
            let target = share.of(other.members().len() as u64) as usize;
            prop_assert_eq!(after.len(), target.max(told_here), "never more than is asked for or was told");
        }
    }

    #[test]
    fn p18_rotated_rollouts_begin_on_disjoint_hosts(members in members(150), m in 2_u64..6, salt in "[a-z]{1,4}", keys in keys()) {
        let fleet = Fleet::new(members).unwrap();
        let below = Share::from_parts(Share::PARTS / m - 1);
        for mode in [Mode::Threshold, Mode::Exact] {
            let mut seen = BTreeSet::new();
            for i in 0..m {
                let order = Order { rotation: Share::ratio(i, m), strata: keys.clone(), ..order(&salt, &[], mode) };
                // Whole hosts do not divide evenly: an exact early set may round up by one, so it is compared below that.
                let share = if mode == Mode::Exact { Share::ratio(fleet.members().len() as u64 / m, fleet.members().len() as u64) } else { below };
                for host in changed(&turns(&order, &fleet), &fleet, share.min(below)) {
                    prop_assert!(seen.insert(host), "two novelties on one host");
                }
            }
        }
    }
}

#[test]
fn p07_the_ratchet_holds_through_hundreds_of_events() {
    let order = order("churn", &["role"], Mode::Ratchet);
    let share = Share::from_percent(30);
    let mut members: Vec<_> = (0..400).map(|host| member(host, 0, host % 17)).collect();
    let mut told = Told::default();
    let mut untold_leavers = 0;
    for event in 0..300 {
        if event % 2 == 0 {
            let index = hash(Purpose::Host, "leave", &event.to_string()) as usize % members.len();
            untold_leavers += u64::from(!told.contains(&members.swap_remove(index).host));
        } else {
            members.push(member(1_000 + event, 0, event % 17));
        }
        let fleet = Fleet::new(members.clone()).unwrap();
        let everybody: Vec<usize> = (0..members.len()).collect();
        let now = changed(
            &order.turns(&fleet, &everybody, &told).unwrap(),
            &fleet,
            share,
        );
        assert!(
            told.hosts()
                .filter(|host| fleet.get(host.as_str()).is_some())
                .all(|host| now.contains(host.as_str()))
        );
        let (count, target) = (now.len() as u64, share.of(members.len() as u64));
        assert!(
            count >= target && count <= target + share.of_ceil(untold_leavers) + 1,
            "{count} of {target}"
        );
        told.tell_all(now.iter().map(|host| host.parse().unwrap()));
    }
}

#[test]
fn p18_rollouts_with_their_own_salts_are_independent() {
    let early = |salt: &str| {
        (0..20_000)
            .filter(|host| {
                threshold(salt, &format!("host-{host}"), Share::ZERO) <= Share::from_percent(10)
            })
            .collect::<BTreeSet<_>>()
    };
    let sets: Vec<_> = ["docker-27", "docker-28", "kernel-6", "a", "b"]
        .map(early)
        .into();
    for (index, a) in sets.iter().enumerate() {
        for b in &sets[index + 1..] {
            // 200 of 20,000 are expected in both; six standard deviations are 85.
            let both = a.intersection(b).count();
            assert!((115..=285).contains(&both), "{both}");
        }
    }
}

#[test]
fn p19_hashes_are_uniform() {
    for salt in ["", "docker-27", "x"] {
        for name in [
            |host: u32| format!("host-{host}"),
            |host| format!("{host}.rack-{}.example.net", host % 40),
        ] {
            let mut buckets = [0_i64; 256];
            let hosts = 256 * 200;
            for host in 0..hosts {
                buckets[(hash(Purpose::Host, salt, &name(host)) >> 56) as usize] += 1;
            }
            let chi_square = buckets
                .iter()
                .map(|count| (count - 200).pow(2))
                .sum::<i64>()
                / 200;
            // 255 degrees of freedom: mean 255, standard deviation 22.6.
            assert!((140..=375).contains(&chi_square), "{chi_square}");
        }
    }
}

#[test]
fn p20_the_published_vectors_hold() {
    #[derive(serde::Deserialize)]
    struct Vectors {
        hash: Vec<(String, String, String, String)>,
        threshold: Vec<(String, String, String, u64)>,
        order: Vec<OrderVector>,
    }
    #[derive(serde::Deserialize)]
    struct OrderVector {
        salt: String,
        hosts: Vec<(String, String)>,
        order: Vec<String>,
        turns: Vec<u64>,
    }
    let vectors: Vectors = serde_json::from_str(include_str!("../../vectors/order.json")).unwrap();
    assert!(vectors.hash.len() >= 10 && vectors.threshold.len() >= 4 && vectors.order.len() >= 3);
    for (purpose, salt, text, expected) in vectors.hash {
        let purpose = match purpose.as_str() {
            "host" => Purpose::Host,
            "stratum" => Purpose::Stratum,
            "coin" => Purpose::Coin,
            other => panic!("{other}"),
        };
        assert_eq!(
            format!("{:016x}", hash(purpose, &salt, &text)),
            expected,
            "{salt} {text}"
        );
    }
    for (salt, host, rotation, expected) in vectors.threshold {
        assert_eq!(
            threshold(&salt, &host, rotation.parse().unwrap()).parts(),
            expected,
            "{host}"
        );
    }
    for vector in vectors.order {
        let member = |(host, role): &(String, String)| {
            let labels = BTreeMap::from([("role".to_owned(), role.clone())]);
            helios_rollout::order::Member::new(host.parse().unwrap(), labels)
        };
        let fleet = Fleet::new(vector.hosts.iter().map(member)).unwrap();
        let order = order(&vector.salt, &["role"], Mode::Exact);
        let mut line: Vec<_> = turns(&order, &fleet)
            .iter()
            .map(|(member, turn)| {
                (
                    turn.place,
                    turn.share.parts(),
                    fleet.members()[member].host.to_string(),
                )
            })
            .collect();
        line.sort_unstable();
        assert_eq!(
            line.iter()
                .map(|(_, _, host)| host.clone())
                .collect::<Vec<_>>(),
            vector.order
        );
        assert_eq!(
            line.iter().map(|(_, turn, _)| *turn).collect::<Vec<_>>(),
            vector.turns
        );
    }
}

#[test]
fn p24_over_many_rollouts_nobody_is_always_first() {
    let fleet =
        Fleet::new((0..30).map(|host| member(host, 0, [0, 0, 0, 0, 0, 1, 1, 1, 2, 2][host % 10])))
            .unwrap();
    let rollouts = 2_000;
    let mut places = [0_u64; 30];
    for rollout in 0..rollouts {
        for (member, turn) in turns(
            &order(&format!("rollout-{rollout}"), &["role"], Mode::Exact),
            &fleet,
        )
        .iter()
        {
            places[member] += turn.place;
        }
    }
    for sum in places {
        // The mean of 2,000 places from 0 to 29 has a standard deviation of 0.19.
        let mean_permille = sum * 1_000 / rollouts;
        assert!(
            (13_500..=15_500).contains(&mean_permille),
            "{mean_permille}"
        );
    }
}
