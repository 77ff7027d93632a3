//! The obvious ways, and what they break. If one of these passed, the property it is a control for would be too weak.

use std::collections::{BTreeMap, BTreeSet};

use helios_rollout::Share;
use helios_rollout::order::{Amount, Fleet, Floor, Mode, Purpose, Rule, hash};

use crate::guard::{Dice, first_abort};
use crate::support::{changed, member, order, rule, turns};

/// Largest remainder: everybody gets the whole part of their share, the largest remainders one more.
fn hamilton(sizes: &[u64], k: u64) -> Vec<u64> {
    let total: u64 = sizes.iter().sum();
    let mut seats: Vec<u64> = sizes.iter().map(|size| size * k / total).collect();
    let mut remainders: Vec<(u64, usize)> = sizes
        .iter()
        .enumerate()
        .map(|(i, size)| (u64::MAX - size * k % total, i))
        .collect();
    remainders.sort_unstable();
    for (_, index) in remainders
        .into_iter()
        .take((k - seats.iter().sum::<u64>()) as usize)
    {
        seats[index] += 1;
    }
    seats
}

#[test]
fn p06_control_largest_remainder_takes_hosts_back() {
    let fleets = 50;
    let size = |fleet: u64, stratum: u64| {
        3 + hash(Purpose::Host, "size", &format!("{fleet}/{stratum}")) % 58
    };
    let takes_back = |fleet: &u64| {
        let sizes: Vec<u64> = (0..10).map(|stratum| size(*fleet, stratum)).collect();
        let steps: Vec<Vec<u64>> = (0..=sizes.iter().sum())
            .map(|k| hamilton(&sizes, k))
            .collect();
        steps.windows(2).any(|pair| {
            pair[0]
                .iter()
                .zip(&pair[1])
                .any(|(before, after)| after < before)
        })
    };
    let bad = (0..fleets).filter(takes_back).count() as u64;
    assert!(
        bad * 10 > fleets * 9,
        "only {bad} of {fleets} fleets show the paradox"
    );
}

#[test]
fn p03_control_thresholds_leave_roles_without_a_canary() {
    // 200 roles of 3 to 60 hosts, at 10%, with a floor of one host in each role.
    let members = (0..200_usize).flat_map(|role| {
        (0..3 + role * 37 % 58).map(move |host| member(role * 100 + host, 0, role))
    });
    let fleet = Fleet::new(members).unwrap();
    let roles = |mode| {
        let mut order = order("canaries", &["role"], mode);
        let floor = Floor {
            at_least: Amount::Hosts(1),
            ramp: Share::ZERO,
        };
        order.rules = vec![Rule {
            floor: Some(floor),
            ..rule("canary")
        }];
        let early = changed(&turns(&order, &fleet), &fleet, Share::from_percent(10));
        let role = |host: &String| fleet.get(host).unwrap().label("role").to_owned();
        early.iter().map(role).collect::<BTreeSet<_>>().len()
    };
    // By chance alone, a role of n hosts has none with a probability of 0.9^n: 25 of these 200 are expected.
    let threshold = roles(Mode::Threshold);
    assert!(
        threshold < 190,
        "{threshold} of 200 roles have a canary with thresholds"
    );
    assert_eq!(roles(Mode::Exact), 200);
}

#[test]
fn p03_control_thresholds_miss_the_count() {
    let fleet = Fleet::new((0..1_000).map(|host| member(host, 0, 0))).unwrap();
    let count = |salt: u32| {
        changed(
            &turns(&order(&salt.to_string(), &[], Mode::Threshold), &fleet),
            &fleet,
            Share::from_percent(30),
        )
        .len()
    };
    assert!(
        (0..20).any(|salt| count(salt).abs_diff(300) > 14),
        "the standard deviation is 14.5"
    );
}

#[test]
fn p07_control_a_place_in_a_list_decides_for_strangers() {
    // "Every third host of the sorted list", before and after one host leaves the front.
    let hosts: Vec<usize> = (0..900).collect();
    let chosen = |hosts: &[usize]| {
        hosts
            .iter()
            .enumerate()
            .filter(|(place, _)| place % 3 == 0)
            .map(|(_, host)| *host)
            .collect::<BTreeSet<_>>()
    };
    let flipped = chosen(&hosts)
        .symmetric_difference(&chosen(&hosts[1..]))
        .count();
    assert!(flipped > 500, "{flipped}");
}

#[test]
fn p08_control_cumulative_intervals_move_twice_what_they_must() {
    // 50, 30, 20 becomes 20, 30, 50: the least is 30.
    let interval = |weights: [usize; 3], host: usize| {
        if host < weights[0] {
            0
        } else if host < weights[0] + weights[1] {
            1
        } else {
            2
        }
    };
    let moved = (0..100)
        .filter(|host| interval([50, 30, 20], *host) != interval([20, 30, 50], *host))
        .count();
    assert_eq!(moved, 60);
}

#[test]
fn p15_control_swapping_the_values_exposes_fresh_hosts() {
    let fleet = Fleet::new((0..100).map(|host| member(host, 0, host % 5))).unwrap();
    let turns = turns(&order("swap", &["role"], Mode::Exact), &fleet);
    let exposed = changed(&turns, &fleet, Share::from_percent(40));
    // "new" becomes "old" in the same order from its front, and the others are new meanwhile.
    let old_again = changed(&turns, &fleet, Share::from_percent(10));
    let everybody = changed(&turns, &fleet, Share::ONE);
    let fresh: Vec<_> = everybody
        .difference(&old_again)
        .filter(|host| !exposed.contains(*host))
        .collect();
    assert_eq!(fresh.len(), 60);
}

#[test]
fn p22_control_three_bad_looks_in_a_row_stop_good_rollouts() {
    // 300 looks of 50 requests at an error rate of 1%, and "above 2% three times running" as the rule.
    let runs = 300;
    let naive = |seed: &u64| {
        let mut dice = Dice::new(*seed);
        let bad: Vec<bool> = (0..300).map(|_| dice.events(50, 10) > 1).collect();
        bad.windows(3).any(|looks| looks.iter().all(|bad| *bad))
    };
    let stopped = (0..runs).filter(naive).count() as u64;
    let guarded = (0..runs)
        .filter(|seed| first_abort(*seed, 300, 10, 10).is_some())
        .count() as u64;
    assert!(
        stopped * 10 > runs,
        "the naive rule stopped {stopped} of {runs} good ones"
    );
    assert!(
        guarded * 20 < stopped * 10 + runs,
        "the guard stopped {guarded}, the naive rule {stopped}"
    );
    assert!(guarded * 12 <= runs, "{guarded} of {runs}");
}

#[test]
fn p19_control_a_weak_hash_is_not_uniform() {
    // The sum of the bytes, as some balancers have used it.
    let mut buckets: BTreeMap<u64, i64> = BTreeMap::new();
    for host in 0..51_200 {
        let sum: u64 = format!("host-{host}").bytes().map(u64::from).sum();
        *buckets.entry(sum % 256).or_default() += 1;
    }
    let chi_square = (0..256)
        .map(|bucket| (buckets.get(&bucket).copied().unwrap_or(0) - 200).pow(2))
        .sum::<i64>()
        / 200;
    assert!(chi_square > 10_000, "{chi_square}");
}
