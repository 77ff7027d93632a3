use std::time::Duration;

use helios_core::Timestamp;

use super::*;
use crate::Share;
use crate::fixed::LOG_ONE;

fn look(at: i64, new: (u64, u64), old: (u64, u64)) -> Evidence {
    let counts = |(events, exposure)| Counts { events, exposure };
    Evidence {
        at: Timestamp::from_millis(at),
        stratum: String::new(),
        new: counts(new),
        old: counts(old),
    }
}

fn guard() -> Guard {
    let objective = Objective {
        name: "errors".to_owned(),
        query: "sum(errors)".to_owned(),
        margin_permille: 500,
        gates: vec![Share::from_percent(5)],
        on_harm: Action::RollBack,
        dead_man: Duration::from_secs(100),
    };
    Guard {
        alpha_ppm: 50_000,
        objectives: vec![objective],
        bake: None,
    }
}

fn monitor() -> Monitor {
    Monitor::new(guard(), Timestamp::from_millis(0)).unwrap()
}

fn outcome(monitor: &Monitor) -> Outcome {
    monitor.outcomes().next().unwrap().1
}

/// The statistic in floating point, for comparison only.
fn by_float(reference: f64, ratios: &[f64], looks: &[Evidence]) -> f64 {
    let log = |r: f64| -> f64 {
        let gain = |e: &Evidence| {
            let (n, o) = (e.new.exposure as f64, e.old.exposure as f64);
            let theta = |r: f64| r * n / (r * n + o);
            e.new.events as f64 * (theta(r) / theta(reference)).log2()
                + e.old.events as f64 * ((1.0 - theta(r)) / (1.0 - theta(reference))).log2()
        };
        looks.iter().map(gain).sum()
    };
    let sum: f64 = ratios.iter().map(|r| log(*r).exp2()).sum();
    (sum / ratios.len() as f64).log2()
}

#[test]
fn integers_agree_with_floats_and_never_exceed_them() {
    let looks = [
        look(1, (3, 1_000), (40, 20_000)),
        look(2, (9, 5_000), (17, 15_000)),
        look(3, (30, 10_000), (11, 9_000)),
    ];
    let mut harm = EProcess::of_harm(500);
    let mut safety = EProcess::of_safety(500);
    for look in &looks {
        harm.look(look);
        safety.look(look);
    }
    let grid = [1.5, 1.65, 1.875, 2.25, 3.0, 4.5, 7.5, 15.0, 45.0];
    for (process, exact) in [
        (harm, by_float(1.0, &grid, &looks)),
        (safety, by_float(1.5, &[1.0, 0.75, 0.5, 0.25], &looks)),
    ] {
        let here = process.log2() as f64 / LOG_ONE as f64;
        assert!(
            here <= exact + 1e-9 && exact - here < 1e-5,
            "{here} {exact}"
        );
    }
}

#[test]
fn nothing_seen_is_a_one() {
    let mut process = EProcess::of_harm(500);
    assert!(process.log2().abs() < 16, "{}", process.log2());
    process.look(&look(1, (0, 0), (5, 100)));
    assert!(
        process.log2().abs() < 16,
        "an arm without exposure says nothing"
    );
    process.look(&look(2, (400, 1_000), (100, 1_000)));
    assert_eq!(
        (process.value() > 1_000_000, process.has_reached(1)),
        (true, true)
    );
}

#[test]
fn a_gate_holds_until_harm_is_excluded() {
    let mut monitor = monitor();
    let at = Timestamp::from_millis;
    assert_eq!(
        monitor.advise(Share::from_percent(4), at(1)),
        Advice::Proceed
    );
    let hold = Advice::Hold {
        objective: "errors".to_owned(),
        gate: Share::from_percent(5),
    };
    assert_eq!(monitor.advise(Share::from_percent(5), at(2)), hold);
    monitor
        .look("errors", &look(3, (1, 1_000), (1, 1_000)))
        .unwrap();
    assert_eq!(
        (
            outcome(&monitor),
            monitor.advise(Share::from_percent(5), at(4))
        ),
        (Outcome::NotKnown, hold)
    );
    monitor
        .look("errors", &look(5, (100, 100_000), (200, 100_000)))
        .unwrap();
    assert_eq!(
        (
            outcome(&monitor),
            monitor.advise(Share::from_percent(5), at(6))
        ),
        (Outcome::HarmExcluded, Advice::Proceed)
    );
}

#[test]
fn a_source_that_is_down_and_a_gate_without_an_answer_both_end_the_rollout() {
    let end = |because| Advice::Terminate {
        objective: "errors".to_owned(),
        action: Action::RollBack,
        because,
    };
    let mut silent = monitor();
    assert_eq!(
        silent.advise(Share::ZERO, Timestamp::from_millis(100_000)),
        Advice::Proceed
    );
    assert_eq!(
        silent.advise(Share::ZERO, Timestamp::from_millis(100_001)),
        end(Termination::NoEvidence)
    );
    let mut undecided = monitor();
    for second in 0..=101 {
        let at = second * 1_000;
        undecided.look("errors", &look(at, (0, 1), (0, 1))).unwrap();
        let advice = undecided.advise(Share::from_percent(5), Timestamp::from_millis(at));
        assert_eq!(
            matches!(advice, Advice::Terminate { .. }),
            second > 100,
            "{second}"
        );
    }
    assert_eq!(
        undecided.advise(Share::ZERO, Timestamp::from_millis(0)),
        end(Termination::HeldTooLong),
        "for good"
    );
}

#[test]
fn impossible_evidence_changes_nothing() {
    let mut monitor = monitor();
    monitor.look("errors", &look(5, (1, 10), (1, 10))).unwrap();
    let before = monitor.clone();
    assert!(matches!(
        monitor.look("errors", &look(6, (1, 0), (0, 9))),
        Err(GuardError::EventsWithoutExposure { .. })
    ));
    assert!(matches!(
        monitor.look("errors", &look(4, (1, 9), (0, 9))),
        Err(GuardError::OutOfOrder { .. })
    ));
    assert!(matches!(
        monitor.look("latency", &look(6, (1, 9), (0, 9))),
        Err(GuardError::UnknownObjective { .. })
    ));
    assert_eq!(monitor, before);
}

#[test]
fn guards_that_mean_nothing_are_refused() {
    let check = |change: fn(&mut Guard)| {
        let mut guard = guard();
        change(&mut guard);
        assert!(
            matches!(guard.check(), Err(GuardError::Invalid { .. })),
            "{guard:?}"
        );
    };
    check(|guard| guard.alpha_ppm = 0);
    check(|guard| guard.alpha_ppm = 600_000);
    check(|guard| guard.objectives.clear());
    check(|guard| guard.objectives.push(guard.objectives[0].clone()));
    check(|guard| guard.objectives[0].margin_permille = 0);
    check(|guard| guard.objectives[0].dead_man = Duration::ZERO);
}

#[test]
fn a_change_after_the_end_is_noticed() {
    let baseline = Counts {
        events: 100,
        exposure: 10_000,
    };
    let mut detector = ChangeDetector::new(baseline, 2_000, 10_000).unwrap();
    for _ in 0..1_000 {
        assert!(
            !detector.look(Counts {
                events: 1,
                exposure: 100
            }),
            "what was expected"
        );
    }
    let looks = (1..100).find(|_| {
        detector.look(Counts {
            events: 3,
            exposure: 100,
        })
    });
    // log2(10000) / (3 * log2(2) - 1 * log2(e)) is 8.5.
    assert_eq!((looks, detector.has_alarmed()), (Some(9), true));
    assert!(ChangeDetector::new(Counts::default(), 2_000, 10_000).is_err());
    assert!(ChangeDetector::new(baseline, 1_000, 10_000).is_err());
}
