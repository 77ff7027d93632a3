//! P11 to P14: shares over time.

use helios_rollout::Share;
use helios_rollout::curve::{CurveError, OnResume, Pauses, Schedule};
use proptest::prelude::*;

use crate::support::*;

/// `None` for a window that is never open there, which is refused and tested elsewhere.
fn schedule(curve: &helios_rollout::curve::Curve, pauses: &Pauses) -> Option<Schedule> {
    match curve.schedule(pauses) {
        Ok(schedule) => Some(schedule),
        Err(CurveError::NeverOpens { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn p11_curves_rise_from_nothing_to_everything_and_invert_exactly(curve in curve(), share in share(), times in prop::collection::vec(0_i64..25 * DAY, 20)) {
        let Some(schedule) = schedule(&curve, &Pauses::default()) else { return Ok(()) };
        let start = curve.start.as_millis();
        prop_assert_eq!(schedule.share_at(at(start)), Share::ZERO);
        prop_assert_eq!(schedule.share_at(at(start + 21 * DAY)), Share::ONE);
        let mut times = times;
        times.sort_unstable();
        let shares: Vec<Share> = times.iter().map(|t| schedule.share_at(at(start + t))).collect();
        prop_assert!(shares.is_sorted());
        for share in shares.into_iter().chain([share, Share::LEAST, Share::ONE]) {
            let first = schedule.reaches(share).unwrap();
            prop_assert!(schedule.share_at(first) >= share);
            if share > Share::ZERO {
                prop_assert!(schedule.share_at(at(first.as_millis() - 1)) < share);
            }
        }
    }

    #[test]
    fn p12_closed_time_changes_nobody_and_reopening_makes_no_jump(curve in curve(), from in 0_i64..20 * DAY, length in 1_i64..DAY) {
        let linear = helios_rollout::curve::Curve { shape: helios_rollout::curve::Shape::Linear, ..curve };
        let Some(schedule) = schedule(&linear, &Pauses::default()) else { return Ok(()) };
        let (a, b) = (at(linear.start.as_millis() + from), at(linear.start.as_millis() + from + length));
        let open = linear.calendar.open_between(a, b).unwrap().as_millis() as u64;
        let total = linear.calendar.open_between(linear.start, at(linear.start.as_millis() + 20 * DAY)).unwrap();
        let moved = schedule.share_at(b).parts() - schedule.share_at(a).parts();
        if open == 0 {
            prop_assert_eq!(moved, 0);
        }
        let end = schedule.open_at(schedule.ends_at().unwrap());
        prop_assert!(end <= total.as_millis() as u64);
        prop_assert!(moved <= Share::ratio(open, end).parts() + 1, "no faster than the plan");
    }

    #[test]
    fn p13_no_calendar_makes_the_clock_run_backwards(curve in curve(), steps in prop::collection::vec(1_i64..DAY / 4, 40)) {
        let Some(schedule) = schedule(&curve, &Pauses::default()) else { return Ok(()) };
        let (mut time, mut open) = (curve.start.as_millis(), 0);
        for step in steps {
            let now = schedule.open_at(at(time + step));
            prop_assert!(now >= open && now - open <= step.unsigned_abs());
            let counted = curve.calendar.open_between(at(time), at(time + step)).unwrap().as_millis() as u64;
            prop_assert!(now - open == counted || schedule.share_at(at(time + step)) == Share::ONE);
            (time, open) = (time + step, now);
        }
    }

    #[test]
    fn p14_a_pause_shifts_the_rest(minute in 0_i64..1_000, length in 1_i64..5_000, later in 0_i64..1_200, shape in shape()) {
        let curve = helios_rollout::curve::Curve { shape, ..plain_curve(0) };
        let mut pauses = Pauses::new(OnResume::Stretch);
        pauses.pause(at(minute * MINUTE)).unwrap();
        let stopped = curve.schedule(&pauses).unwrap();
        pauses.resume(at((minute + length) * MINUTE)).unwrap();
        let (plain, paused) = (curve.schedule(&Pauses::default()).unwrap(), curve.schedule(&pauses).unwrap());
        let here = plain.share_at(at(minute * MINUTE));
        prop_assert_eq!(paused.share_at(at((minute + length.min(later)) * MINUTE)), here);
        prop_assert_eq!(stopped.share_at(at((minute + later) * MINUTE)), here);
        prop_assert_eq!(stopped.ends_at().is_some(), here == Share::ONE);
        prop_assert_eq!(paused.share_at(at((minute + length + later) * MINUTE)), plain.share_at(at((minute + later) * MINUTE)));
    }

    #[test]
    fn p14_compressing_keeps_the_past_and_the_speed_limit(curve in curve(), stops in prop::collection::vec((1_i64..4 * DAY, 1_i64..2 * DAY), 1..4), probe in 0_i64..30 * DAY) {
        let linear = helios_rollout::curve::Curve { shape: helios_rollout::curve::Shape::Linear, ..curve };
        let limit = OnResume::Compress { speed_max_permille: 1_500 };
        let mut pauses = Pauses::new(limit);
        let Some(mut before) = schedule(&linear, &pauses) else { return Ok(()) };
        let (start, mut time) = (linear.start.as_millis(), linear.start.as_millis());
        for (run, stop) in stops {
            time += run;
            pauses.pause(at(time)).unwrap();
            let resumed = time + stop;
            pauses.resume(at(resumed)).unwrap();
            let after = schedule(&linear, &pauses).unwrap();
            let earlier = at(start + probe.min(time - start));
            prop_assert_eq!(after.share_at(earlier), before.share_at(earlier), "the past stays");
            let (a, b) = (at(start + probe), at(start + probe + DAY));
            let moved = after.open_at(b) - after.open_at(a);
            let open = linear.calendar.open_between(a, b).unwrap().as_millis() as u64;
            prop_assert!(moved <= open * 3 / 2 + 100);
            (before, time) = (after, resumed);
        }
        prop_assert_eq!(before.share_at(at(start + 90 * DAY)), Share::ONE);
    }
}
