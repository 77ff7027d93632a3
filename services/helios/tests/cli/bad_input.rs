//! What people get wrong: one clear message on stderr, an exit code that says so, and nothing done.

use std::fs;

use serde_json::json;

use crate::stand_in::{Answer, StandIn};
use crate::{helios, run, text};

/// Runs a command that must fail without asking for any change, and yields what it says on stderr.
fn refused(master: &StandIn, files: &[(&str, &str)], args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(home.path().join(name), content).unwrap();
    }
    let mut command = helios(home.path());
    command
        .args(["-z", &master.url, "--retry-timeout", "1"])
        .args(args);
    let output = run(command, "");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{args:?}: {stdout}{stderr}");
    assert_eq!(stdout, "", "{args:?}: {stderr}");
    let changes = master
        .asked()
        .into_iter()
        .filter(|asked| asked.method != "GET");
    assert_eq!(changes.count(), 0, "{args:?}");
    stderr
}

#[test]
fn a_job_file_that_is_no_job() {
    let master = StandIn::start();
    let create = |content: &str| {
        refused(
            &master,
            &[("job.json", content)],
            &["create", "-f", "job.json"],
        )
    };
    let said = create("image: nginx");
    assert!(
        said.contains("job.json holds no JSON object") && said.contains("line 1"),
        "{said}"
    );
    let said = create(&format!(
        "{{\"id\":\"a:1\",\"image\":\"{}\"}}",
        "x".repeat(10 << 20)
    ));
    assert!(
        said.contains("job.json is too long") && said.len() < 1_000,
        "{said}"
    );
    let said = create(r#"{"id":"a:1","image":"i","env":["A"]}"#);
    assert!(said.contains("job.json holds no job"), "{said}");
}

#[test]
fn every_broken_rule_is_listed_with_member_value_and_remedy() {
    let master = StandIn::start();
    let job = r#"{"id":"a b:1","image":"nginx:","volumes":{"data":""},"colour":"red"}"#;
    let said = refused(&master, &[("job.json", job)], &["create", "-f", "job.json"]);
    for part in [
        "unknown members, which are ignored: colour",
        "INVALID_JOB_DEFINITION",
        "\"a b\"",
        "V12: image",
        r#"volumes "data" must be an absolute path in the container, such as /data"#,
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn a_job_file_on_the_standard_input() {
    let home = tempfile::tempdir().unwrap();
    let mut command = helios(home.path());
    command.args(["create", "-f", "-"]);
    let output = run(command, "image: nginx");
    let said = text(&output.stderr);
    assert!(said.contains("the job file - holds no JSON"), "{said}");
}

#[test]
fn a_master_that_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    let mut command = helios(home.path());
    command.args(["-z", "http://127.0.0.1:1", "--retry-timeout", "1", "jobs"]);
    let output = run(command, "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("cannot reach the master at http://127.0.0.1:1"),
        "{said}"
    );
    assert!(
        said.contains("HELIOS_MASTER") && said.contains("refused"),
        "{said}"
    );
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let master = StandIn::start();
    let id = "web:1:1111111111111111111111111111111111111111";
    let answer = |body| Answer::from_json(&json!({ "status": 200, "body": body }));
    let answers = [
        ("GET /jobs", answer(json!({ id: { "id": id } }))),
        ("GET /hosts", answer(json!(["db1.example.net"]))),
    ];
    master.answer(answers.map(|(at, answer)| (at.to_owned(), answer)).into());
    let said = refused(&master, &[], &["inspect", "wbe:1"]);
    assert!(said.contains("did you mean web:1?"), "{said}");
    let said = refused(&master, &[], &["inspect", "queue"]);
    assert!(!said.contains("did you mean"), "{said}");
    // What a master says is told in its words, and not which request they answer.
    let refusal = json!({ "message": "host n1 belongs to agent a: use another name" });
    let taken = json!({ "status": 409, "body": refusal });
    master.answer([("GET /masters".to_owned(), Answer::from_json(&taken))].into());
    let said = refused(&master, &[], &["masters"]);
    let expected = "error: host n1 belongs to agent a\nnext: use another name\n";
    assert_eq!(said, expected);
}

#[test]
fn a_command_line_that_is_none() {
    let master = StandIn::start();
    for (args, part) in [
        (vec!["deplyo", "web"], "deploy"),
        (vec!["deploy"], "required"),
        (vec!["jobs", "--jsno"], "--json"),
        (vec!["hosts", "--status", "up"], "UP"),
        (
            vec![
                "create",
                "a:1",
                "i",
                "--tcp-check",
                "a",
                "--exec-check",
                "b",
            ],
            "cannot be used with",
        ),
    ] {
        let said = refused(&master, &[], &args);
        assert!(said.contains(part), "{args:?}: {said}");
    }
}

#[test]
fn an_output_that_is_full_or_closed() {
    let home = tempfile::tempdir().unwrap();
    let mut command = helios(home.path());
    command
        .arg("--help")
        .stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("No space left"),
        "{}",
        text(&output.stderr)
    );
}
