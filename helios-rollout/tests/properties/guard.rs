//! P22 and P23: when to stop.

use std::time::Duration;

use helios_core::Timestamp;
use helios_rollout::Share;
use helios_rollout::guard::{
    Action, Advice, Counts, EProcess, Evidence, Guard, Monitor, Objective,
};
use helios_rollout::order::{Purpose, hash};
use proptest::prelude::*;

use crate::support::cases;

/// Random numbers that are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(hash(Purpose::Host, "dice", &seed.to_string()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How many of `count` chances, each of `permille` thousandths, come true.
    pub(crate) fn events(&mut self, count: u64, permille: u64) -> u64 {
        (0..count)
            .filter(|_| self.next() % 1_000 < permille)
            .count() as u64
    }
}

pub(crate) fn look(at: i64, new: (u64, u64), old: (u64, u64)) -> Evidence {
    let counts = |(events, exposure)| Counts { events, exposure };
    Evidence {
        at: Timestamp::from_millis(at),
        stratum: String::new(),
        new: counts(new),
        old: counts(old),
    }
}

pub(crate) fn monitor(alpha_ppm: u32) -> Monitor {
    let objective = Objective {
        name: "errors".to_owned(),
        query: String::new(),
        margin_permille: 250,
        gates: vec![],
        on_harm: Action::RollBack,
        dead_man: Duration::from_secs(1_000_000),
    };
    Monitor::new(
        Guard {
            alpha_ppm,
            objectives: vec![objective],
            bake: None,
        },
        Timestamp::from_millis(0),
    )
    .unwrap()
}

/// The look at which a monitor ends a rollout: exposure moves from the old to the new arm.
pub(crate) fn first_abort(
    seed: u64,
    looks: i64,
    old_permille: u64,
    new_permille: u64,
) -> Option<i64> {
    let (mut dice, mut monitor) = (Dice::new(seed), monitor(50_000));
    (1..=looks).find(|at| {
        let (new, old) = (10 + at.unsigned_abs() % 80, 90 - at.unsigned_abs() % 80);
        let evidence = look(
            *at,
            (dice.events(new, new_permille), new),
            (dice.events(old, old_permille), old),
        );
        monitor.look("errors", &evidence).unwrap();
        matches!(
            monitor.advise(Share::ZERO, Timestamp::from_millis(*at)),
            Advice::Terminate { .. }
        )
    })
}

/// How many rollouts to simulate: more where more cases are asked for.
fn simulated(least: u64) -> u64 {
    least.max(u64::from(ProptestConfig::default().cases / 32))
}

#[test]
fn p22_a_good_rollout_is_rarely_stopped_and_a_bad_one_soon() {
    let runs = simulated(400);
    let stopped = |new| {
        (0..runs)
            .filter_map(|seed| first_abort(seed, 200, 20, new))
            .collect::<Vec<_>>()
    };
    let (good, bad) = (stopped(20), stopped(100));
    // Alpha is 5%; three standard deviations of a share of 400 are 3.3%.
    assert!(
        good.len() as u64 * 1_000 <= runs * 83,
        "{} of {runs} good ones were stopped",
        good.len()
    );
    assert_eq!(bad.len() as u64, runs, "every bad one is stopped");
    let mean = bad.iter().sum::<i64>().unsigned_abs() / runs;
    assert!(mean < 40, "after {mean} looks of 100 requests");
}

#[test]
fn p22_the_mean_of_the_e_value_is_at_most_one() {
    let runs = simulated(2_000);
    let mut process_sum = 0.0;
    let mut square_sum = 0.0;
    for seed in 0..runs {
        let (mut dice, mut process) = (Dice::new(seed), EProcess::of_harm(250));
        for at in 1..=5 {
            process.look(&look(
                at,
                (dice.events(30, 100), 30),
                (dice.events(70, 100), 70),
            ));
        }
        let e = (process.log2() as f64 / 2_f64.powi(32)).exp2();
        process_sum += e;
        square_sum += e * e;
    }
    let mean = process_sum / runs as f64;
    let error = (square_sum / runs as f64 - mean * mean).sqrt() / (runs as f64).sqrt();
    assert!(
        mean <= 1.0 + 4.0 * error,
        "{mean} with a standard error of {error}"
    );
}

fn looks() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..20, 0_u64..20), 1..20)
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn p22_only_the_counts_matter_not_the_times(looks in looks(), stretch in 1_i64..1_000, shift in 0_i64..1_000) {
        let (mut plain, mut moved) = (monitor(50_000), monitor(50_000));
        for (index, (new, old)) in (0_i64..).zip(looks) {
            plain.look("errors", &look(index, (new, 100), (old, 100))).unwrap();
            let later = index * stretch + shift;
            moved.look("errors", &look(later, (new, 100), (old, 100))).unwrap();
            moved.look("errors", &look(later, (0, 50), (0, 0))).unwrap();
        }
        prop_assert_eq!(plain.outcomes().collect::<Vec<_>>(), moved.outcomes().collect::<Vec<_>>());
    }

    #[test]
    fn p22_each_look_is_a_fair_bet(n in 1_u64..1_000, o in 1_u64..1_000, margin in 1_u32..5_000, so_far in looks()) {
        // E after one event more, in the new arm with probability n / (n + o) or else in the old one, is on average at most E now.
        let mut now = EProcess::of_harm(margin);
        so_far.iter().for_each(|(new, old)| now.look(&look(0, (*new, n), (*old, o))));
        let (mut up, mut down) = (now.clone(), now.clone());
        up.look(&look(1, (1, n), (0, o)));
        down.look(&look(1, (0, n), (1, o)));
        // What it is multiplied by: E itself may be more than a float can say.
        let factor = |after: &EProcess| ((after.log2() - now.log2()) as f64 / 2_f64.powi(32)).exp2();
        let mean = (factor(&up) * n as f64 + factor(&down) * o as f64) / (n + o) as f64;
        prop_assert!(mean <= 1.0 + 1e-6, "{mean}");
    }

    #[test]
    fn p23_an_abort_is_for_good(looks in looks(), shares in prop::collection::vec(0_u32..=100, 20)) {
        let mut monitor = monitor(50_000);
        monitor.look("errors", &look(0, (1_000, 10_000), (10, 10_000))).unwrap();
        let end = monitor.advise(Share::ZERO, Timestamp::from_millis(0));
        let is_end = matches!(end, Advice::Terminate { action: Action::RollBack, .. });
        prop_assert!(is_end);
        for ((index, (new, old)), percent) in (1_i64..).zip(looks).zip(shares) {
            // Whatever comes, even proof that all is well again.
            monitor.look("errors", &look(index, (new, 100_000), (old + 1_000, 100_000))).unwrap();
            prop_assert_eq!(&monitor.advise(Share::from_percent(percent), Timestamp::from_millis(index)), &end);
        }
    }
}
