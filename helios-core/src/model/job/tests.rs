use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::model::{
    AgentInfo, Deployment, DeploymentGroup, DockerVersion, HostInfo, ServicePortParameters,
};

fn read(json: &str) -> Job {
    Job::from_json(json).unwrap_or_else(|error| panic!("{json}: {error:?}"))
}

/// A job of `a:b` with the members in `json`.
fn with(json: &str) -> Job {
    read(&format!(r#"{{"id":"a:b",{json}}}"#))
}

fn refusal(json: &str) -> String {
    let error = Job::from_json(json).expect_err(json);
    std::error::Error::source(&error).unwrap().to_string()
}

#[test]
fn a_job_made_in_code_is_the_job_read_from_json() {
    let mut resources = Resources::memory(1);
    (resources.memory_swap, resources.cpu_shares) = (Some(2), Some(3));
    resources.cpuset = Some("4".to_owned());
    let job = Job::new("a-full-job:1", "image:1.2.3")
        .unwrap()
        .hostname("hostname")
        .command(["echo", "hi"])
        .env("ENV", "VAR")
        .resources(resources)
        .port("port1", PortMapping::tcp(80))
        .register(
            ServiceEndpoint::new("svc", "tcp").unwrap(),
            ServicePorts::of("port1"),
        )
        .grace_period(10)
        .volume("/tmp", "")
        .expires(Timestamp::from_millis(1_484_270_348))
        .registration_domain("domain")
        .token("token")
        .health_check(HealthCheck::http("port1", "/hello"))
        .security_opt("opt")
        .network_mode("host")
        .metadata("META", "DATA")
        .add_capabilities(["cap1", "cap2"])
        .drop_capabilities(["cap3"])
        .seconds_to_wait_before_kill(99);
    let id = "a-full-job:1:9693b4579ac48ed41f317ecf5edc5496b005b79d";
    assert_eq!(job.compute_id().as_str(), id);
    let more = job
        .label("a", "b")
        .ramdisk("/scratch", "size=1m")
        .runtime("runc")
        .rollout_options(RolloutOptions::default());
    assert!(more.canonical_json().contains(
        r#""ramdisks":{"/scratch":"size=1m"},"registration":{"svc/tcp":{"ports":{"port1":{}}}},"#
    ));
    assert!(
        more.canonical_json()
            .contains(r#""rolloutOptions":{},"runtime":"runc","#)
    );
    assert!(more.canonical_json().contains(r#""labels":{"a":"b"},"#));
}

#[test]
fn scalars_become_what_is_wanted() {
    let job = with(r#""env":{"A":80,"B":1.50,"C":true,"D":1e3,"E":-7,"F":"x"}"#);
    let env: Vec<&str> = job.env.values().map(String::as_str).collect();
    assert_eq!(env, ["80", "1.50", "true", "1e3", "-7", "x"]);
    assert_eq!(
        with(r#""gracePeriod":"10","secondsToWaitBeforeKill":10.7"#).grace_period,
        Some(10)
    );
    assert_eq!(
        with(r#""secondsToWaitBeforeKill":10.7"#).seconds_to_wait_before_kill,
        Some(10)
    );
    assert_eq!(with(r#""gracePeriod":"","expires":"""#).grace_period, None);
    assert_eq!(with(r#""image":7"#).image.as_deref(), Some("7"));
    let options = with(r#""rolloutOptions":{"migrate":"true","overlap":0,"timeout":"60"}"#);
    let options = options.rollout_options.unwrap();
    assert_eq!(
        (options.migrate, options.overlap, options.timeout),
        (Some(true), Some(false), Some(60))
    );
}

#[test]
fn null_and_absence_are_the_same() {
    let names = Job::new("a:b", "i").unwrap();
    let Value::Object(members) = serde_json::to_value(&names).unwrap() else {
        unreachable!()
    };
    assert_eq!(members.len(), 26);
    let nulls: Vec<String> = members
        .keys()
        .filter(|name| !["id", "image"].contains(&name.as_str()))
        .map(|name| format!("{name:?}:null"))
        .collect();
    assert_eq!(with(&format!(r#""image":"i",{}"#, nulls.join(","))), names);
}

#[test]
fn the_last_of_equal_members_wins_and_unknown_ones_are_skipped() {
    let job = with(r#""image":"a","x":{"y":[1,null]},"env":{"K":"1","K":"2"},"image":"b""#);
    assert_eq!(
        (job.image.as_deref(), job.env["K"].as_str()),
        (Some("b"), "2")
    );
}

#[test]
fn dates_are_read_in_every_form() {
    for date in [
        r#""2034-05-31T12:00:00.123+0000""#,
        "2032689600123",
        r#""2032689600123""#,
    ] {
        let job = with(&format!(r#""expires":{date}"#));
        assert_eq!(
            job.expires,
            Some(Timestamp::from_millis(2_032_689_600_123)),
            "{date}"
        );
    }
    let json = serde_json::to_value(with(r#""expires":"1970-01-01T00:00:01Z""#)).unwrap();
    assert_eq!(json["expires"], json!(1000));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (member, reason) in [
        (r#""env":{"A":null}"#, "null"),
        (r#""command":[null]"#, "null"),
        (r#""ports":{"a":null}"#, "null"),
        (r#""registration":{"a":null}"#, "null"),
        (r#""command":"ls""#, "sequence"),
        (r#""env":{"A":{}}"#, "map"),
        (r#""gracePeriod":"ten""#, "no integer"),
        (r#""gracePeriod":3000000000"#, "32-bit"),
        (r#""gracePeriod":1e300"#, "integer"),
        (r#""expires":1.5"#, "date"),
        (r#""expires":"tomorrow""#, "date"),
        (r#""ports":{"a":{"ip":"localhost"}}"#, "IP address"),
        (r#""registration":{"a/b/c":{}}"#, "service endpoint"),
        (
            r#""rolloutOptions":{"migrate":"yes"}"#,
            "neither true nor false",
        ),
        (r#""image":["a"]"#, "sequence"),
    ] {
        let message = refusal(&format!(r#"{{"id":"a:b",{member}}}"#));
        assert!(message.contains(reason), "{member}: {message}");
    }
    for (json, reason) in [
        ("{}", "id is missing"),
        (r#"{"id":null}"#, "id is missing"),
        (r#"{"id":"a"}"#, "not a job id"),
        (r#"{"id":{"name":"a"}}"#, "string"),
        ("null", "object"),
        ("[]", "object"),
        ("", "EOF"),
        (r#"{"id":"a:b"} x"#, "trailing"),
    ] {
        let message = refusal(json);
        assert!(message.contains(reason), "{json}: {message}");
    }
    let deep = format!(r#"{{"id":"a:b","x":{}"#, "[".repeat(100_000));
    assert!(refusal(&deep).contains("EOF"));
    assert!(crate::model::unknown_members(&deep).is_err());
}

#[test]
fn debug_output_shows_no_secret() {
    let job =
        with(r#""token":"s3cret","env":{"PASSWORD":"s3cret"},"rolloutOptions":{"token":"s3cret"}"#);
    let shown = format!("{job:?}");
    assert!(
        shown.contains("PASSWORD") && !shown.contains("s3cret"),
        "{shown}"
    );
}

/// One shape in the texts of both dialects.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(rename = "type")]
    name: String,
    master_writes: String,
    client_writes: String,
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(shape: &Shape) {
    let read = |json: &str| -> T { serde_json::from_str(json).unwrap() };
    let value: T = read(&shape.master_writes);
    assert_eq!(read(&shape.client_writes), value, "{}", shape.name);
    let written = serde_json::to_string(&value).unwrap();
    let parsed = |json: &str| -> Value { serde_json::from_str(json).unwrap() };
    assert_eq!(
        parsed(&written),
        parsed(&shape.master_writes),
        "{}",
        shape.name
    );
    // Where no map has two entries and nothing is written twice, even the text is the same.
    if shape.name != "Job" && !shape.name.ends_with("HealthCheck") {
        assert_eq!(written, shape.master_writes);
    }
}

#[test]
fn both_dialects_are_read_and_that_of_a_master_is_written() {
    #[derive(Deserialize)]
    struct File {
        shapes: Vec<Shape>,
    }
    let file: File =
        serde_json::from_str(include_str!("../../../vectors/wire-shapes.json")).unwrap();
    for shape in &file.shapes {
        match shape.name.split(',').next().unwrap() {
            "Job" => check::<Job>(shape),
            "Deployment" => check::<Deployment>(shape),
            "DeploymentGroup" => check::<DeploymentGroup>(shape),
            "HostInfo" => check::<HostInfo>(shape),
            "AgentInfo" => check::<AgentInfo>(shape),
            "DockerVersion" => check::<DockerVersion>(shape),
            "job id as a map key" => check::<BTreeMap<JobId, i32>>(shape),
            name if name.ends_with("HealthCheck") => check::<HealthCheck>(shape),
            name => panic!("no type for {name}"),
        }
    }
    assert_eq!(file.shapes.len(), 13);
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)
}

fn ports() -> impl Strategy<Value = BTreeMap<String, PortMapping>> {
    let ip = prop::option::of(prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(Into::into),
        any::<std::net::Ipv6Addr>().prop_map(Into::into),
    ]);
    let port = (ip, any::<i32>(), any::<Option<i32>>(), "tcp|udp||.{0,2}").prop_map(
        |(ip, internal_port, external_port, protocol)| {
            let mut port = PortMapping::tcp(0);
            (port.ip, port.internal_port) = (ip, internal_port);
            (port.external_port, port.protocol) = (external_port, protocol);
            port
        },
    );
    prop::collection::btree_map(any::<String>(), port, 0..4)
}

fn registration() -> impl Strategy<Value = BTreeMap<ServiceEndpoint, ServicePorts>> {
    let endpoint = ("[^/]{0,3}", "[^/]{0,3}")
        .prop_map(|(name, protocol)| ServiceEndpoint::new(&name, &protocol).unwrap());
    let tags = prop::option::of(prop::collection::vec(any::<String>(), 0..3));
    let ports = prop::collection::btree_map(any::<String>(), tags, 0..3).prop_map(|ports| {
        ports
            .into_iter()
            .fold(ServicePorts::default(), |ports, (name, tags)| {
                let parameters = tags.map_or_else(
                    ServicePortParameters::default,
                    ServicePortParameters::tagged,
                );
                ports.and(name, parameters)
            })
    });
    prop::collection::btree_map(endpoint, ports, 0..3)
}

fn health_check() -> impl Strategy<Value = Option<HealthCheck>> {
    let text = || any::<Option<String>>();
    prop::option::of(prop_oneof![
        (text(), text()).prop_map(|(path, port)| HealthCheck::Http { path, port }),
        text().prop_map(|port| HealthCheck::Tcp { port }),
        any::<Vec<String>>().prop_map(|command| HealthCheck::Exec { command }),
    ])
}

fn resources_and_options() -> impl Strategy<Value = (Option<Resources>, Option<RolloutOptions>)> {
    type Numbers = (Option<i64>, Option<i64>, Option<i64>, Option<i32>);
    type Others = (Option<String>, Option<bool>, Option<bool>, Option<bool>);
    any::<(bool, bool, Numbers, Others)>().prop_map(
        |(has_resources, has_options, numbers, others)| {
            let resources = Resources {
                memory: numbers.0,
                memory_swap: numbers.1,
                cpu_shares: numbers.2,
                cpuset: others.0.clone(),
            };
            let options = RolloutOptions {
                timeout: numbers.0,
                parallelism: numbers.3,
                migrate: others.1,
                overlap: others.2,
                token: others.0,
                ignore_failures: others.3,
            };
            (
                has_resources.then_some(resources),
                has_options.then_some(options),
            )
        },
    )
}

/// Jobs with every member, most of them not valid.
pub(crate) fn jobs() -> impl Strategy<Value = Job> {
    let id = ("[^:]{0,5}", "[^:]{1,5}", prop::option::of("[0-9a-f]{1,40}"));
    let maps = (texts(), texts(), texts(), texts(), texts());
    let objects = (
        ports(),
        registration(),
        health_check(),
        resources_and_options(),
    );
    let optional = any::<[Option<String>; 5]>();
    let lists = any::<(Vec<String>, Vec<String>)>();
    let sets = (
        prop::collection::vec("[A-F]{1,2}|.{0,3}", 0..20),
        prop::collection::vec("[A-F]{1,2}", 0..3),
    );
    let numbers = any::<(Option<i64>, Option<i64>, Option<i32>, Option<i32>)>();
    (
        id,
        maps,
        objects,
        optional,
        lists,
        sets,
        numbers,
        any::<[String; 2]>(),
    )
        .prop_map(
            |(id, maps, objects, optional, lists, sets, numbers, [registration_domain, token])| {
                let hash = id.2.map(|hash| format!(":{hash}")).unwrap_or_default();
                let [image, hostname, creating_user, network_mode, runtime] = optional;
                Job {
                    id: format!("{}:{}{hash}", id.0, id.1).parse().unwrap(),
                    image,
                    hostname,
                    created: numbers.0.map(Timestamp::from_millis),
                    command: lists.0,
                    env: maps.0,
                    resources: objects.3.0,
                    ports: objects.0,
                    registration: objects.1,
                    grace_period: numbers.2,
                    volumes: maps.1,
                    expires: numbers.1.map(Timestamp::from_millis),
                    registration_domain,
                    creating_user,
                    token,
                    health_check: objects.2,
                    security_opt: lists.1,
                    network_mode,
                    metadata: maps.2,
                    add_capabilities: sets.0.into_iter().collect(),
                    drop_capabilities: sets.1.into_iter().collect(),
                    labels: maps.3,
                    seconds_to_wait_before_kill: numbers.3,
                    ramdisks: maps.4,
                    rollout_options: objects.3.1,
                    runtime,
                }
            },
        )
}

proptest! {
    // Each case is a whole job, so fewer of them do.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn a_job_comes_back_as_it_was_written(job in jobs()) {
        let json = serde_json::to_string(&job).unwrap();
        prop_assert_eq!(&Job::from_json(&json).unwrap(), &job);
        prop_assert_eq!(&serde_json::from_str::<Job>(&json).unwrap(), &job);
        prop_assert!(crate::model::unknown_members(&json).unwrap().is_empty());
    }

    #[test]
    fn the_id_stays_however_often_a_job_is_written_and_read(job in jobs()) {
        let job = job.with_computed_id();
        let again = read(&serde_json::to_string(&job).unwrap());
        prop_assert_eq!(&again.compute_id(), &job.id);
        prop_assert!(serde_json::from_str::<Value>(&job.canonical_json()).is_ok());
    }

    #[test]
    fn reading_never_panics(text in r#"[\[\]{}":,a-c0-2.eE\\ -]{0,40}"#) {
        let _ = Job::from_json(&text);
        let _ = Job::from_json(&format!(r#"{{"id":"a:b","env":{text}}}"#));
    }
}
