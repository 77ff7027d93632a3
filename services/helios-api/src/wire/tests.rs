//! The exact JSON of every type, as the original's own classes write it.

use helios_core::model::{Deployment, DeploymentGroup, HealthCheck, Job, JobId, parse_date};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

use super::*;

const SHAPES: &str = include_str!("../../vectors/wire-shapes.json");
const ANSWERS: &str = include_str!("../../vectors/cli-golden-server.json");

/// Reads both dialects as `T` and writes it in the master's.
fn rewrite<T: Serialize + DeserializeOwned>(texts: [&str; 2]) -> [Value; 2] {
    texts.map(|text| {
        let value: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        serde_json::to_value(value).unwrap()
    })
}

fn rewrite_as(shape: &str, texts: [&str; 2]) -> Option<[Value; 2]> {
    Some(match shape {
        "Job" => rewrite::<Job>(texts),
        "Deployment" | "Deployment, as a client sends it" => rewrite::<Deployment>(texts),
        "TaskStatus" => rewrite::<TaskStatus>(texts),
        "TaskStatusEvents" => rewrite::<TaskStatusEvents>(texts),
        "HostStatus" => rewrite::<HostStatus>(texts),
        "JobStatus" => rewrite::<JobStatus>(texts),
        "DeploymentGroup, just created" | "DeploymentGroup, after a rolling update" => {
            rewrite::<DeploymentGroup>(texts)
        }
        "DeploymentGroupStatusResponse" => rewrite::<DeploymentGroupStatusResponse>(texts),
        "CreateJobResponse" => rewrite::<CreateJobResponse>(texts),
        "JobDeployResponse" => rewrite::<JobDeployResponse>(texts),
        "JobUndeployResponse" => rewrite::<JobUndeployResponse>(texts),
        "SetGoalResponse" => rewrite::<SetGoalResponse>(texts),
        "JobDeleteResponse" => rewrite::<JobDeleteResponse>(texts),
        "HostDeregisterResponse" => rewrite::<HostDeregisterResponse>(texts),
        "HostRegisterResponse" => rewrite::<HostRegisterResponse>(texts),
        "CreateDeploymentGroupResponse" => rewrite::<CreateDeploymentGroupResponse>(texts),
        "RollingUpdateRequest" => rewrite::<RollingUpdateRequest>(texts),
        "VersionCheckResponse" => rewrite::<VersionCheckResponse>(texts),
        "job id as a map key" => rewrite::<BTreeMap<JobId, i64>>(texts),
        "ExecHealthCheck" | "TcpHealthCheck" | "HttpHealthCheck" => rewrite::<HealthCheck>(texts),
        _ => return None,
    })
}

#[test]
fn every_shape_is_read_in_both_dialects_and_written_in_the_masters() {
    let vectors: Value = serde_json::from_str(SHAPES).unwrap();
    let mut left_out = Vec::new();
    for shape in vectors["shapes"].as_array().unwrap() {
        let name = shape["type"].as_str().unwrap();
        let texts =
            ["masterWrites", "clientWrites"].map(|dialect| shape[dialect].as_str().unwrap());
        let Some(written) = rewrite_as(name, texts) else {
            left_out.push(name);
            continue;
        };
        let expected: Value = serde_json::from_str(texts[0]).unwrap();
        for (written, dialect) in written.into_iter().zip(["master", "client"]) {
            assert_eq!(written, expected, "{name} as the {dialect} writes it");
        }
    }
    // Nobody sends these over HTTP.
    let unsent = [
        "Task (stored, not served)",
        "VersionResponse (CLI output only)",
        "DeploymentGroupTasks (stored, not served)",
    ];
    assert_eq!(left_out, unsent);
}

#[test]
fn members_come_in_the_masters_order() {
    let text = r#"{"status":"OK","host":"h","job":"web:7"}"#;
    let response: JobDeployResponse = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&response).unwrap(), text);
}

#[test]
fn the_answers_that_clients_were_recorded_with_are_understood() {
    let vectors: Value = serde_json::from_str(ANSWERS).unwrap();
    let mut understood = 0;
    for (request, answer) in vectors["answers"].as_object().unwrap() {
        // Capabilities are a set: they are written in the order of the set, not of the answer.
        let body = answer["body"].to_string();
        let body = body.replace(r#"["KILL","CHOWN"]"#, r#"["CHOWN","KILL"]"#);
        let body = &serde_json::from_str::<Value>(&body).unwrap();
        let path: Vec<&str> = request.split('/').skip(1).collect();
        let written = match path.as_slice() {
            ["jobs", "statuses"] => rewrite_value::<BTreeMap<JobId, JobStatus>>(body),
            ["hosts", "statuses"] => rewrite_value::<BTreeMap<String, HostStatus>>(body),
            ["jobs", _, "status"] => rewrite_value::<JobStatus>(body),
            ["history", ..] => rewrite_value::<TaskStatusEvents>(body),
            ["deployment-group", _, "status"] => {
                rewrite_value::<DeploymentGroupStatusResponse>(body)
            }
            _ => continue,
        };
        assert_eq!(&written, body, "{request}");
        understood += 1;
    }
    assert_eq!(understood, 8);
}

fn rewrite_value<T: Serialize + DeserializeOwned>(value: &Value) -> Value {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    serde_json::to_value(read).unwrap()
}

#[test]
fn what_is_absent_or_null_has_a_default() {
    let text = r#"{"job":{"id":"a:b","image":"i"},"state":"RUNNING","throttled":null,"ports":null,"new":1}"#;
    let status: TaskStatus = serde_json::from_str(text).unwrap();
    assert_eq!(status.throttled, helios_core::model::ThrottleState::No);
    assert_eq!((status.goal, status.container_error.as_str()), (None, ""));
    assert!(status.ports.is_empty() && status.env.is_empty());
}

#[test]
fn a_misspelt_option_of_a_rolling_update_is_an_error() {
    let read = serde_json::from_str::<RollingUpdateRequest>;
    assert!(read(r#"{"job":"a:b","rolloutOptions":null}"#).is_ok());
    assert!(read(r#"{"job":"a:b"}"#).is_ok());
    assert!(read(r#"{"job":"a:b","rolloutOption":{}}"#).is_err());
    assert!(read(r#"{"rolloutOptions":{}}"#).is_err());
}

#[test]
fn a_job_expires_at_the_same_time_in_both_dialects() {
    let expires = parse_date("2034-05-31T12:00:00.123+0000").unwrap();
    assert_eq!(
        serde_json::to_value(expires).unwrap(),
        2_032_689_600_123_i64
    );
}
