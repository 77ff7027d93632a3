use super::*;
use crate::Share;

const HOUR: i64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(instant.as_millisecond())
}

#[test]
fn windows_are_read_and_written() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<Window>().unwrap().to_string(), expected);
    };
    check(
        "Mon-Fri 09:00-16:00 Europe/Stockholm",
        "Mon-Fri 09:00-16:00 Europe/Stockholm",
    );
    check("  sat,SUN   9:30-24:00 UTC", "Sat-Sun 09:30-24:00 UTC");
    check("Fri-Mon 22:00-04:00 UTC", "Fri-Mon 22:00-04:00 UTC");
    check("Mon,Wed,Fri 00:00-24:00 UTC", "Mon,Wed,Fri 00:00-24:00 UTC");
    check("Daily 01:00-02:00 UTC", "daily 01:00-02:00 UTC");
    for wrong in [
        "",
        "Mon",
        "Mon-Fri 9-16 UTC",
        "Mon-Fri 09:00-09:00 UTC",
        "Mon 24:00-09:00 UTC",
        "Mon 09:60-10:00 UTC",
        "Mon 09:00-25:00 UTC",
        "Foo 09:00-10:00 UTC",
    ] {
        assert!(
            matches!(wrong.parse::<Window>(), Err(CurveError::Window { .. })),
            "{wrong}"
        );
    }
    let nowhere = "Mon 09:00-10:00 Europe/Atlantis".parse::<Window>();
    assert_eq!(
        nowhere,
        Err(CurveError::UnknownZone {
            zone: "Europe/Atlantis".to_owned()
        })
    );
}

#[test]
fn open_hours_follow_the_zone_through_both_changes_of_the_clock() {
    let calendar = |text: &str| Calendar {
        windows: vec![text.parse().unwrap()],
        freezes: vec![],
    };
    let open = |text: &str, from: &str, until: &str| {
        calendar(text)
            .open(at(from).as_millis(), at(until).as_millis())
            .unwrap()
    };
    // The clock goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    let night = "daily 01:00-04:00 Europe/Stockholm";
    assert_eq!(
        spans::length(&open(night, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z")) as i64,
        2 * HOUR
    );
    assert_eq!(
        spans::length(&open(night, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z")) as i64,
        4 * HOUR
    );
    let gap = "daily 02:00-03:00 Europe/Stockholm";
    assert_eq!(
        open(gap, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        [],
        "an hour that does not exist is not open"
    );
    let leap = open(
        "daily 23:00-01:00 UTC",
        "2028-02-28T12:00:00Z",
        "2028-03-01T12:00:00Z",
    );
    assert_eq!(leap.len(), 2, "the 28th and the 29th");
}

#[test]
fn a_freeze_of_days_covers_them() {
    let freeze = Freeze::days("2026-12-24", "2026-12-26", "Europe/Stockholm", "holidays").unwrap();
    assert_eq!(
        (freeze.from, freeze.until),
        (at("2026-12-23T23:00:00Z"), at("2026-12-26T23:00:00Z"))
    );
    assert!(matches!(
        Freeze::days("2026-12-26", "2026-12-24", "UTC", ""),
        Err(CurveError::EmptyFreeze { .. })
    ));
    assert!(matches!(
        Freeze::days("2026-12-32", "2026-12-24", "UTC", ""),
        Err(CurveError::Window { .. })
    ));
}

fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

fn linear(length: Length) -> Curve {
    Curve {
        shape: Shape::Linear,
        start: Timestamp::from_millis(0),
        length,
        calendar: Calendar::default(),
    }
}

#[test]
fn curves_that_mean_nothing_are_refused() {
    let zero = linear(Length::Elapsed(Duration::ZERO)).schedule(&Pauses::default());
    assert_eq!(zero, Err(CurveError::ZeroDuration));
    let mut closed = linear(Length::Elapsed(hours(24)));
    closed.calendar.windows = vec!["Sat 09:00-10:00 UTC".parse().unwrap()]; // 1970-01-01 was a Thursday.
    assert_eq!(
        closed.schedule(&Pauses::default()),
        Err(CurveError::NeverOpens {
            start: Timestamp::from_millis(0)
        })
    );
    closed.length = Length::Open(hours(1));
    let end = closed.schedule(&Pauses::default()).unwrap().ends_at();
    assert_eq!(
        end,
        Some(at("1970-01-03T10:00:00Z")),
        "open time waits for the window"
    );
    closed.calendar.freezes = vec![Freeze {
        from: Timestamp::from_millis(0),
        until: Timestamp::from_millis(i64::MAX),
        reason: String::new(),
    }];
    assert!(matches!(
        closed.schedule(&Pauses::default()),
        Err(CurveError::NeverOpens { .. })
    ));
    let shapes = [
        Shape::Steps { points: vec![] },
        Shape::stages([Share::from_percent(50)]),
        Shape::stages([50, 20, 100].map(Share::from_percent)),
        Shape::Exponential {
            growth: Share::ZERO,
        },
        Shape::Geometric { ratio: 1 },
        Shape::Power { exponent: 9 },
        Shape::Logistic { octaves: 0 },
    ];
    for shape in shapes {
        assert!(
            matches!(shape.check(), Err(CurveError::Shape { .. })),
            "{shape:?}"
        );
    }
}

#[test]
fn a_compressed_pause_keeps_the_end_if_the_limit_allows() {
    let curve = linear(Length::Open(hours(10)));
    let millis = |hour: i64| Timestamp::from_millis(hour * HOUR);
    let end = |on_resume, until| {
        let mut pauses = Pauses::new(on_resume);
        pauses.pause(millis(2)).unwrap();
        pauses.resume(millis(until)).unwrap();
        curve.schedule(&pauses).unwrap().ends_at().unwrap()
    };
    let twice = OnResume::Compress {
        speed_max_permille: 2_000,
    };
    assert_eq!(end(OnResume::Stretch, 5), millis(13));
    assert_eq!(end(twice, 5), millis(10), "8 hours of work in 5");
    assert_eq!(
        end(twice, 8),
        millis(12),
        "8 hours of work at twice the speed take 4"
    );
    assert_eq!(end(twice, 20), millis(24), "after the end, too");
}

#[test]
fn known_values_of_the_shapes() {
    let percent = |shape: Shape, x: u32| {
        Share::from_parts(shape.table().at(Share::from_percent(x).parts())).of(100_000)
    };
    assert_eq!(percent(Shape::Smoothstep, 25), 15_625);
    assert_eq!(percent(Shape::Power { exponent: 3 }, 50), 12_500);
    assert_eq!(percent(Shape::Geometric { ratio: 100 }, 50), 9_091); // 9 / 99
    assert_eq!(percent(Shape::Logistic { octaves: 10 }, 50), 50_000);
    assert_eq!(percent(Shape::Logistic { octaves: 10 }, 25), 12_765); // (s(-2.5) - s(-5)) / (s(5) - s(-5)), base 2
    let doubling = Shape::Exponential {
        growth: Share::from_percent(2),
    };
    assert_eq!(
        [0, 1, 20, 40, 99, 100].map(|x| percent(doubling.clone(), x)),
        [0, 2_000, 4_000, 8_000, 64_000, 100_000]
    );
    let stages = Shape::stages([1, 5, 25, 100].map(Share::from_percent));
    assert_eq!(
        [0, 1, 34, 67, 100].map(|x| percent(stages.clone(), x)),
        [0, 1_000, 5_000, 25_000, 100_000]
    );
}

#[test]
fn a_curve_is_stored_as_readable_data() {
    let mut curve = linear(Length::Elapsed(hours(336)));
    curve.shape = Shape::stages([Share::from_percent(10), Share::ONE]);
    curve.calendar.windows = vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse().unwrap()];
    let text = serde_json::to_string(&curve).unwrap();
    let expected = r#"{"shape":{"kind":"steps","points":[{"after":"0%","share":"10%"},{"after":"100%","share":"100%"}]},"start":0,"length":{"elapsed":1209600000},"calendar":{"windows":["Mon-Fri 09:00-16:00 Europe/Stockholm"]}}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Curve>(&text).unwrap(), curve);
}
