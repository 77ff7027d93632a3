use clap::Parser;
use helios_core::model::{ValidationRules, validate};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::*;
use crate::args::{Cli, Command};

fn args(line: &[&str]) -> CreateArgs {
    let line = ["helios", "create"].iter().chain(line);
    match Cli::try_parse_from(line).unwrap().command {
        Command::Create(create) => *create,
        other => panic!("{other:?}"),
    }
}

fn file(json: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("job.json");
    std::fs::write(&path, json).unwrap();
    (dir, path)
}

fn read(json: &str) -> Result<JobFile, Failure> {
    let (_dir, path) = file(json);
    JobFile::read(&path)
}

fn make(json: &str, line: &[&str]) -> Result<Job, Failure> {
    let start = Start::File(read(json)?);
    Ok(build(start, &args(line), &Environment::default())?.0)
}

#[test]
fn options_win_over_the_file_and_leave_the_rest() {
    let json = r#"{"id":"web:1:1111111111111111111111111111111111111111","image":"a","env":{"A":1.50,"B":"b"},
        "labels":{"x":"y"},"command":["run"],"token":"t","healthCheck":{"type":"tcp","port":"http","type":"tcp"}}"#;
    let line = ["web:2", "b", "--env", "A=2=3", "--labels", "l=v", "--token"];
    let job = make(json, &line).unwrap();
    assert_eq!(
        (job.id.as_str(), job.image.as_deref()),
        ("web:2", Some("b"))
    );
    assert_eq!((job.env["A"].as_str(), job.env["B"].as_str()), ("2=3", "b"));
    assert_eq!(job.labels.keys().collect::<Vec<_>>(), ["l"]);
    assert_eq!(
        (job.command, job.token.as_str()),
        (vec!["run".to_owned()], "t")
    );
    assert_eq!(make(json, &[]).unwrap().env["A"], "1.50");
}

#[test]
fn an_id_comes_from_the_file_or_the_arguments_or_both() {
    let id = |json, line: &[&str]| make(json, line).map(|job| job.id.to_string());
    assert_eq!(id(r#"{"image":"a"}"#, &["new:1"]).unwrap(), "new:1");
    assert_eq!(id("{}", &["new:1"]).unwrap(), "new:1");
    assert_eq!(id(r#"{"id":"old:1"}"#, &[]).unwrap(), "old:1");
    assert_eq!(id(r#"{"id":"old:1"}"#, &["new"]).unwrap(), "new:1");
    let missing = id(r#"{"image":"a"}"#, &["new"]).unwrap_err();
    assert!(missing.to_string().contains("has no id"), "{missing}");
    assert!(
        id("{}", &["a:b:c:d"])
            .unwrap_err()
            .to_string()
            .contains("a:b:c:d")
    );
}

#[test]
fn a_file_that_is_no_job_is_refused_with_the_place() {
    let long = format!(
        "{{\"id\":\"a:1\",\"image\":\"{}\"}}",
        "x".repeat(10_000_000)
    );
    for (json, part) in [
        ("image: nginx", "line 1 column 1"),
        ("[]", "holds no JSON object"),
        (r#"{"id":"a:1","ports":[]}"#, "holds no job"),
        (long.as_str(), "is too long"),
    ] {
        let failure = make(json, &[]).unwrap_err().to_string();
        assert!(
            failure.contains(part) && failure.contains("job.json"),
            "{failure}"
        );
    }
}

#[test]
fn unknown_members_are_named() {
    let json = r#"{"id":"a:1","image":"i","volume":{},"ports":{"http":{"internal":1}}}"#;
    let warning = read(json).unwrap().warning().unwrap();
    assert!(
        warning.ends_with("ignored: ports.http.internal, volume"),
        "{warning}"
    );
}

#[test]
fn the_commit_of_the_environment_gives_way_to_the_file_and_that_to_the_option() {
    let environment = Environment::of_variables([("GIT_COMMIT", "env")]);
    for (json, line, commit) in [
        (r#"{"id":"a:1"}"#, vec![], "env"),
        (
            r#"{"id":"a:1","metadata":{"GIT_COMMIT":"file"}}"#,
            vec![],
            "file",
        ),
        (
            r#"{"id":"a:1","metadata":{"GIT_COMMIT":"file"}}"#,
            vec!["-m", "GIT_COMMIT=flag"],
            "flag",
        ),
    ] {
        let start = Start::File(read(json).unwrap());
        let (job, _) = build(start, &args(&line), &environment).unwrap();
        assert_eq!(job.metadata["GIT_COMMIT"], commit);
    }
}

#[test]
fn malformed_options_are_quoted() {
    for (line, part) in [
        (vec!["--port", "bad"], "\"bad\" is not a port mapping"),
        (vec!["--port", "a=1", "--port", "a=2"], "\"a\" twice"),
        (vec!["--register", "svc"], "has none"),
        (
            vec!["--port", "a=1", "--port", "b=2", "--register", "svc"],
            "svc=PORT",
        ),
        (vec!["--env", "A"], "\"A\" is not NAME=VALUE"),
        (vec!["--http-check", "http"], "is not PORT:PATH"),
        (vec!["--expires", "soon"], "\"soon\" is not a date"),
        (vec!["--rollout-options", "timeout=x"], "--rollout-options"),
    ] {
        let failure = make(r#"{"id":"a:1","image":"i"}"#, &line).unwrap_err();
        let text = format!("{failure} {}", failure.advice().unwrap_or_default());
        assert!(text.contains(part), "{line:?}: {text}");
    }
}

#[test]
fn a_time_without_offset_is_local() {
    let job = make(r#"{"id":"a:1"}"#, &["-e", "2034-06-01T12:00:00Z"]).unwrap();
    assert_eq!(job.expires.unwrap().as_millis(), 2_032_776_000_000);
    let job = make(r#"{"id":"a:1"}"#, &["-e", "2034-06-01T12:00"]).unwrap();
    let local: DateTime = "2034-06-01T12:00".parse().unwrap();
    let expected = local.to_zoned(TimeZone::system()).unwrap().timestamp();
    assert_eq!(job.expires.unwrap().as_millis(), expected.as_millisecond());
}

#[test]
fn every_broken_rule_is_found_at_once() {
    let json = r#"{"id":"a b:1","image":"nginx:","volumes":{"data":""}}"#;
    let job = make(json, &[]).unwrap();
    let broken = validate(&job, &ValidationRules::for_client(now()));
    assert_eq!(broken.len(), 3, "{broken:?}");
}
