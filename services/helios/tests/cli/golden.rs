//! What the original's command line asked, printed as JSON, and ended with: ours does the same.
//!
//! Text for people is ours to make better; of it only the words are compared that scripts look for.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use helios_core::model::Job;
use serde_json::Value;

use crate::stand_in::{Answer, Answers, Asked, StandIn};
use crate::{helios, run, text};

const CASES: &str = include_str!("../../vectors/cli-golden.json");
const ANSWERS: &str = include_str!("../../vectors/cli-golden-server.json");

#[derive(Debug, PartialEq)]
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
}

#[test]
fn the_recorded_runs_of_the_original() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let home = tempfile::tempdir().unwrap();
    let master = StandIn::start();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in cases["cases"].as_array().unwrap() {
        let args: Vec<&str> = case["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap())
            .collect();
        compared += 1;
        master.answer(answers(case));
        let mut command = helios(home.path());
        command.args(["-z", &master.url, "-u", "ann"]).args(&args);
        if let Err(error) = compare(case, command, &master) {
            wrong.push(format!("{args:?}: {error}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(compared, 120);
}

fn answers(case: &Value) -> Answers {
    let answers: Value = serde_json::from_str(ANSWERS).unwrap();
    let overrides = case.get("serverOverride").and_then(Value::as_object);
    let all = answers["answers"]
        .as_object()
        .unwrap()
        .iter()
        .chain(overrides.into_iter().flatten());
    all.map(|(key, answer)| (key.clone(), Answer::from_json(answer)))
        .collect()
}

fn compare(
    case: &Value,
    mut command: std::process::Command,
    master: &StandIn,
) -> Result<(), String> {
    let Some(exit) = case["exit"].as_i64() else {
        return compare_endless(case, command, master);
    };
    let input = case["stdin"].as_str().unwrap_or_default();
    command.stdin(Stdio::null());
    let output = run(command, input);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let said = format!("stdout {stdout:?}, stderr {stderr:?}");
    let code = output.status.code().map(i64::from);
    if code != Some(exit) {
        return Err(format!("exit {code:?} instead of {exit}: {said}"));
    }
    let mut asked = master.asked();
    if exit != 0 {
        // After something went wrong, ours looks for what may have been meant.
        asked.truncate(case["requests"].as_array().unwrap().len());
    }
    compare_requests(case, &asked)?;
    let expected = case["stdout"].as_str().unwrap();
    if exit != 0 && stderr.is_empty() && !expected.is_empty() {
        return Err(format!("failed without a word on stderr: {said}"));
    }
    if case["args"].as_array().unwrap().contains(&"--json".into()) {
        compare_documents(expected, &stdout)
    } else {
        compare_words(case, expected, &stdout, &stderr).map_err(|error| format!("{error}: {said}"))
    }
}

/// Compares the first round of a command that goes on until it is interrupted.
fn compare_endless(
    case: &Value,
    mut command: std::process::Command,
    master: &StandIn,
) -> Result<(), String> {
    let expected: Vec<&str> = case["stdout"].as_str().unwrap().lines().collect();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(expected.len()).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for (expected, line) in expected.iter().zip(&lines) {
        let masked = expected.contains("<UTC time>");
        if !masked && expected.split_whitespace().ne(line.split_whitespace()) {
            return Err(format!("{line:?} instead of {expected:?}"));
        }
    }
    let asked = master.asked();
    let first: Vec<Asked> = asked
        .into_iter()
        .take(case["requests"].as_array().unwrap().len())
        .collect();
    compare_requests(case, &first)
}

fn compare_requests(case: &Value, asked: &[Asked]) -> Result<(), String> {
    let expected = case["requests"].as_array().unwrap().iter().map(|request| {
        request_of(
            request["method"].as_str().unwrap(),
            request["target"].as_str().unwrap(),
            request["body"].as_str().unwrap_or_default(),
        )
    });
    let expected: Vec<Request> = expected.collect();
    let asked = asked
        .iter()
        .map(|asked| request_of(&asked.method, &asked.target, &asked.body));
    let asked: Vec<Request> = asked.collect();
    if asked == expected {
        Ok(())
    } else {
        Err(format!("asked {asked:#?}\ninstead of {expected:#?}"))
    }
}

/// The request as a master understands it: how it is spelt and in which order its members and parameters come
/// does not matter.
fn request_of(method: &str, target: &str, body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    let mut query: Vec<(String, String)> = query.split('&').map(pair).collect();
    query.sort();
    let path = path.trim_end_matches('/').to_owned();
    let body = if body.is_empty() {
        Value::Null
    } else if (method, path.as_str()) == ("POST", "/jobs") {
        serde_json::to_value(Job::from_json(body).unwrap()).unwrap()
    } else {
        let mut body: Value = serde_json::from_str(body).unwrap();
        if let Value::Array(names) = &mut body {
            names.sort_by_key(ToString::to_string);
        }
        body
    };
    Request {
        method: method.to_owned(),
        path,
        query,
        body,
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    String::from_utf8(bytes).unwrap()
}

/// Compares all JSON documents, of which the original wrote several without anything in between.
fn compare_documents(expected: &str, stdout: &str) -> Result<(), String> {
    let documents = |text: &str| -> Result<Vec<Value>, String> {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        values
            .map(|value| {
                value
                    .map(sorted)
                    .map_err(|error| format!("{error}: {text:?}"))
            })
            .collect()
    };
    // Plain text in front of JSON is a fault of the original.
    let start = expected.find(['{', '[']).unwrap_or(expected.len());
    // How long it took was masked when it was recorded.
    let mut expected = documents(&expected[start..].replace("<D>", "null"))?;
    let found = documents(stdout)?;
    for (expected, found) in expected.iter_mut().zip(&found) {
        if expected.get("clientVersion").is_some() {
            expected["clientVersion"] = found["clientVersion"].clone();
        }
        if expected.get("duration").is_some_and(Value::is_null) && found["duration"].is_f64() {
            expected["duration"] = found["duration"].clone();
        }
        // The wording of broken rules is ours.
        if expected["errors"]
            .as_array()
            .is_some_and(|errors| !errors.is_empty())
        {
            expected["errors"] = found["errors"].clone();
        }
    }
    if expected == found {
        Ok(())
    } else {
        Err(format!("printed {found:#?}\ninstead of {expected:#?}"))
    }
}

/// Capabilities are a set.
fn sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            *items = std::mem::take(items).into_iter().map(sorted).collect();
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                *member = sorted(member.take());
                if let (true, Value::Array(items)) = (name.ends_with("Capabilities"), member) {
                    items.sort_by_key(ToString::to_string);
                }
            }
        }
        _ => {}
    }
    value
}

/// Scripts look for lists of names, for ids, and for the words that say how something ended.
fn compare_words(case: &Value, expected: &str, stdout: &str, stderr: &str) -> Result<(), String> {
    let quiet = case["args"].as_array().unwrap().contains(&"-q".into());
    if quiet {
        let names = |text: &str| -> Vec<String> {
            text.lines()
                .map(|line| line.trim_end_matches('.').to_owned())
                .collect()
        };
        if names(expected) != names(stdout) {
            return Err(format!("not the names {expected:?}"));
        }
    }
    let mut count = BTreeMap::new();
    for word in expected.split(|c: char| c.is_whitespace() || "{},=".contains(c)) {
        let status = word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let told = ["done", "failed:"].contains(&word);
        let heading = expected
            .lines()
            .next()
            .is_some_and(|line| line.contains("  ") && line.contains(word));
        if (status && !heading) || told {
            *count.entry(word).or_insert(0) += 1;
        }
    }
    let said = format!("{stdout}{stderr}");
    for (word, times) in count {
        if said.matches(word).count() < times {
            return Err(format!("{word} is not said {times} times"));
        }
    }
    Ok(())
}
