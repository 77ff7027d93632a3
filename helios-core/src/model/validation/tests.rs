use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::model::{PortMapping, ServicePorts};

/// 2026-11-21, as good as any.
const NOW: Timestamp = Timestamp::from_millis(1_795_219_200_000);

/// The rules that a master with the white-list `[WHITELISTED]` finds broken.
fn check(job: &Job) -> Vec<String> {
    let allowed = BTreeSet::from(["WHITELISTED".to_owned()]);
    let mut broken: Vec<String> = validate(job, &ValidationRules::for_master(NOW, &allowed))
        .iter()
        .map(|violation| violation.rule.to_string())
        .collect();
    broken.sort();
    broken
}

#[test]
fn the_vectors_of_the_original() {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    #[derive(Deserialize)]
    struct Vector {
        what: String,
        job: Value,
        violations: Vec<String>,
    }
    let file: File =
        serde_json::from_str(include_str!("../../../vectors/job-validation.json")).unwrap();
    assert_eq!(file.vectors.len(), 113);
    for Vector {
        what,
        job: json,
        mut violations,
    } in file.vectors
    {
        let mut job = Job::from_json(&json.to_string()).unwrap();
        if job.id.hash().is_none() {
            job = job.with_computed_id();
        }
        violations.sort();
        assert_eq!(check(&job), violations, "{what}: {json}");
    }
}

fn job() -> Job {
    Job::new("foo:1", "bar").unwrap()
}

#[test]
fn rules_that_no_vector_covers() {
    let cases: [(Job, &[&str]); 9] = [
        (job(), &["V08"]),
        (
            job()
                .port("a", PortMapping::tcp(1).external(7))
                .port("b", PortMapping::tcp(2).external(7))
                .with_computed_id(),
            &["V22"],
        ),
        (
            job()
                .register("s!/x".parse().unwrap(), ServicePorts::of("p"))
                .with_computed_id(),
            &["V28", "V29"],
        ),
        (job().volume("/a", "b/c").with_computed_id(), &["V31"]),
        (job().volume("/a:", "").with_computed_id(), &["V32"]),
        (
            Job::from_json(
                r#"{"id":"foo:1","image":"bar","healthCheck":{"type":"tcp","port":""}}"#,
            )
            .unwrap()
            .with_computed_id(),
            &["V35"],
        ),
        (job().ramdisk("tmp", "").with_computed_id(), &["V39"]),
        (Job::new("foo:1", "").unwrap().with_computed_id(), &["V19"]),
        (job().expires(NOW).with_computed_id(), &[]),
    ];
    for (job, broken) in cases {
        assert_eq!(check(&job), broken, "{job:?}");
    }
}

#[test]
fn images_at_the_edge_of_what_is_allowed() {
    let (tag, repository) = ("t".repeat(128), "r".repeat(255));
    for (image, broken) in [
        (format!("foo:{tag}"), None),
        (format!("foo:{tag}t"), Some("V13")),
        (repository.clone(), None),
        (format!("{repository}r"), Some("V20")),
        ("999.999.999.999/foo".to_owned(), None),
        ("1.2.3.4567/foo".to_owned(), Some("V17")),
        ("-a.b/foo".to_owned(), Some("V17")),
        ("a.b:+80/foo".to_owned(), None),
        ("a.b:/foo".to_owned(), Some("V18")),
        ("foo:-tag".to_owned(), Some("V13")),
        ("foo@:".to_owned(), Some("V15")),
        ("//".to_owned(), None),
    ] {
        let job = Job::new("foo:1", &image).unwrap().with_computed_id();
        assert_eq!(check(&job), Vec::from_iter(broken), "{image}");
    }
}

#[test]
fn a_client_checks_neither_hash_nor_capabilities() {
    let job = job().add_capabilities(["SYS_ADMIN"]);
    assert_eq!(validate(&job, &ValidationRules::for_client(NOW)), []);
    assert_eq!(check(&job), ["V08", "V38"]);
}

#[test]
fn limits_are_inclusive() {
    let version = "v".repeat(JOB_ID_BYTES_MAX - "foo::".len() - 40);
    let fits = Job::new(&format!("foo:{version}"), "bar")
        .unwrap()
        .with_computed_id();
    assert_eq!(fits.id.as_str().len(), JOB_ID_BYTES_MAX);
    assert_eq!(check(&fits), [] as [&str; 0]);
    let over = Job::new(&format!("foo:{version}v"), "bar")
        .unwrap()
        .with_computed_id();
    assert_eq!(check(&over), ["L04"]);

    let long = job().env("A", "x".repeat(TEXT_BYTES_MAX));
    assert_eq!(check(&long.clone().with_computed_id()), [] as [&str; 0]);
    let longer = long
        .env("B", "x".repeat(TEXT_BYTES_MAX + 1))
        .with_computed_id();
    assert_eq!(check(&longer), ["L03"]);

    let many = (0..MAP_ENTRIES_MAX).fold(job(), |job, i| job.label(i.to_string(), ""));
    assert_eq!(check(&many.clone().with_computed_id()), [] as [&str; 0]);
    assert_eq!(check(&many.label("more", "").with_computed_id()), ["L02"]);

    let large = (0..8).fold(job(), |job, i| {
        job.env(format!("K{i}"), "x".repeat(TEXT_BYTES_MAX))
    });
    assert_eq!(check(&large.with_computed_id()), ["L01"]);
}

#[test]
fn messages_name_the_value_and_what_would_be_right_but_no_secret() {
    let allowed = BTreeSet::new();
    let rules = ValidationRules::for_master(NOW, &allowed);
    let job = Job::from_json(
        r#"{"id":"foo:1:bad","image":"bar","ports":{"a":{"internalPort":70000,"protocol":"http"}}}"#,
    )
    .unwrap();
    let messages: Vec<String> = validate(&job, &rules)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        messages,
        [
            format!(
                r#"V10: id "bad" is not the hash of this job, which is {}"#,
                job.compute_id().hash().unwrap()
            ),
            r#"V23: ports.a.protocol "http" must be tcp or udp"#.to_owned(),
            r#"V24: ports.a.internalPort "70000" must be 0 to 65535"#.to_owned(),
        ]
    );
    let secret = Job::new("foo:1", "bar")
        .unwrap()
        .env("PASSWORD", "s3cret".repeat(10_000));
    let found = validate(&secret, &ValidationRules::for_client(NOW));
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[test]
fn quoted_values_are_cut() {
    let name = "&".repeat(100_000);
    let found = validate(
        &Job::new(&format!("{name}:1"), "i").unwrap(),
        &ValidationRules::for_client(NOW),
    );
    assert!(
        found
            .iter()
            .all(|violation| violation.message.len() < 1_000)
    );
    assert!(
        found
            .iter()
            .any(|violation| violation.rule == Rule::NameCharacters)
    );
}
