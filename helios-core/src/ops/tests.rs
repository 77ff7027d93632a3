use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::{Goal, PortMapping};
use crate::schema::{ClusterRecord, Drain, GoalRecord, NameRecord, OperationIds, Presence, decode};
use crate::store::{Op, Version};
use crate::time::Timestamp;

const V: Version = Version::from_raw(7);

fn stamp() -> Stamp {
    Stamp {
        operation: OperationIds::new("m1").unwrap().next(),
        at: Timestamp::from_millis(60_000),
        principal: "ann".to_owned(),
    }
}

fn job(id: &str) -> Job {
    Job::new(id, "nginx").unwrap().with_computed_id()
}

fn stored_job(job: &Job) -> Option<Versioned<JobRecord>> {
    let record = JobRecord {
        job: Arc::new(job.clone()),
        removing: None,
    };
    Some(Versioned::new(V, record))
}

fn name() -> HostName {
    "web1".parse().unwrap()
}

fn host(jobs: &[&Job]) -> Option<Versioned<HostRecord>> {
    let goal = |job: &Job| GoalRecord {
        job: Arc::new(job.clone()),
        goal: Goal::Start,
        user: Some("bob".to_owned()),
        master: None,
        group: None,
    };
    let record = HostRecord {
        revision: 4,
        goals: jobs.iter().map(|job| (job.id.clone(), goal(job))).collect(),
        ..HostRecord::new("a1", "e")
    };
    Some(Versioned::new(V, record))
}

/// The transaction in one line per operation, without values.
fn outline(txn: &Txn) -> Vec<String> {
    let line = |op: &Op| match op {
        Op::Check { key, version } => format!("check {key} {}", version.as_raw()),
        Op::Create { key, .. } => format!("create {key}"),
        Op::Update { key, version, .. } => format!("update {key} {}", version.as_raw()),
        Op::Delete { key, version } => format!("delete {key} {}", version.as_raw()),
    };
    txn.ops().iter().map(line).collect()
}

/// What the transaction puts at `key`.
fn put<T: serde::de::DeserializeOwned>(txn: &Txn, key: &Key) -> T {
    let value = txn.ops().iter().find_map(|op| match op {
        Op::Create { key: k, value, .. } | Op::Update { key: k, value, .. } if k == key => {
            Some(value)
        }
        _ => None,
    });
    decode(key, value.unwrap()).unwrap()
}

const AUDIT: &str = "audit/0000000001/m1-0";

#[test]
fn a_new_job_gets_its_hash_its_user_and_the_time() {
    let request = CreateJob {
        user: Some("ann".to_owned()),
        ..CreateJob::new(Job::new("web:7", "nginx").unwrap())
    };
    let txn = create_job(None, &request, &stamp()).unwrap();
    let id = request.id();
    assert!(id.is_fully_qualified());
    assert_eq!(
        outline(&txn),
        [
            format!("create jobs/{id}"),
            "create names/web:7".to_owned(),
            format!("create {AUDIT}")
        ]
    );
    let record: JobRecord = put(&txn, &Keys::job(&id).unwrap());
    assert_eq!(record.job.id, id);
    assert_eq!(record.job.creating_user.as_deref(), Some("ann"));
    assert_eq!(record.job.created, Some(stamp().at));
    let record: NameRecord = put(&txn, &Keys::job_name(&id).unwrap());
    assert_eq!(record.id, id);
    let audit: AuditRecord = put(&txn, &Key::new(AUDIT).unwrap());
    assert_eq!((audit.action.as_str(), audit.job), ("create job", Some(id)));
    assert_eq!(audit.principal, "ann");
}

#[test]
fn a_job_that_breaks_rules_or_has_a_taken_name_is_refused() {
    let request = CreateJob::new(Job::new("we b:../7", "").unwrap());
    let refused = create_job(None, &request, &stamp()).unwrap_err();
    let Refused::InvalidJob { violations, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(violations.len(), 3, "{refused}");

    let wrong_hash = format!("web:7:{}", "1".repeat(40));
    let request = CreateJob::new(Job::new(&wrong_hash, "nginx").unwrap());
    let refused = create_job(None, &request, &stamp()).unwrap_err();
    assert!(matches!(refused, Refused::InvalidJob { .. }), "{refused}");

    let by = job("web:7").id;
    let taken = NameRecord { id: by.clone() };
    let other = CreateJob::new(Job::new("web:7", "other").unwrap());
    let id = other.id();
    assert_eq!(
        create_job(Some(&taken), &other, &stamp()),
        Err(Refused::JobAlreadyExists { id, by })
    );
}

#[test]
fn capabilities_need_to_be_allowed() {
    let job = Job::new("web:7", "nginx")
        .unwrap()
        .add_capabilities(["NET_ADMIN"]);
    let mut request = CreateJob::new(job);
    assert!(create_job(None, &request, &stamp()).is_err());
    request.allowed_capabilities.insert("NET_ADMIN".to_owned());
    assert!(create_job(None, &request, &stamp()).is_ok());
}

fn removal(view: &RemoveView, token: &str) -> Result<Vec<String>, Refused> {
    let request = RemoveJob {
        job: job("web:7").id,
        token: token.to_owned(),
    };
    remove_job(view, &request, &stamp()).map(|removal| match removal {
        Removal::Mark(txn) => outline(&txn),
        Removal::Delete(txn) => outline(&txn),
    })
}

#[test]
fn a_removal_marks_the_job_before_it_deletes_it() {
    let job = job("web:7");
    let id = &job.id;
    let mark = [format!("update jobs/{id} 7")];
    let mut view = RemoveView {
        job: stored_job(&job),
        name: Some(Versioned::new(V, NameRecord { id: id.clone() })),
        ..RemoveView::default()
    };
    assert_eq!(removal(&view, "").unwrap(), mark);

    let marked_by = |operation: &str| {
        let record = JobRecord {
            job: Arc::new(job.clone()),
            removing: Some(operation.to_owned()),
        };
        Some(Versioned::new(V, record))
    };
    view.job = marked_by("m1-0");
    assert_eq!(
        removal(&view, "").unwrap(),
        mark,
        "the hosts were read before the mark"
    );
    view.marked = true;
    let delete = [
        format!("delete jobs/{id} 7"),
        "delete names/web:7 7".to_owned(),
        format!("create {AUDIT}"),
    ];
    assert_eq!(removal(&view, "").unwrap(), delete);
    view.job = marked_by("m2-0");
    assert_eq!(
        removal(&view, "").unwrap(),
        mark,
        "the mark is another removal's"
    );
}

#[test]
fn a_removal_is_refused_in_the_order_of_the_checks() {
    let job = job("web:7");
    let mut view = RemoveView {
        hosts: vec![name()],
        ..RemoveView::default()
    };
    let refused = removal(&view, "x").unwrap_err();
    assert!(matches!(refused, Refused::JobNotFound { .. }), "{refused}");
    view.job = stored_job(&job);
    let refused = removal(&view, "x").unwrap_err();
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let refused = removal(&view, "").unwrap_err();
    assert!(matches!(refused, Refused::StillInUse { .. }), "{refused}");
}

#[test]
fn a_deployment_checks_the_job_and_changes_the_host() {
    let job = job("web:7");
    let id = &job.id;
    let view = DeployView {
        job: stored_job(&job),
        host: host(&[]),
    };
    let request = Deploy {
        user: Some("ann".to_owned()),
        group: Some("g".to_owned()),
        ..Deploy::new(name(), id.clone(), Goal::Stop)
    };
    let txn = deploy(&view, &request, &stamp()).unwrap();
    assert_eq!(
        outline(&txn),
        [
            format!("check jobs/{id} 7"),
            "update hosts/web1 7".to_owned(),
            format!("create {AUDIT}")
        ]
    );
    let record: HostRecord = put(&txn, &Keys::host(&name()));
    assert_eq!((record.revision, record.epoch.as_str()), (5, "e"));
    let deployment = record.goals[id].deployment();
    assert_eq!(deployment.goal, Goal::Stop);
    assert_eq!(deployment.deployer_user.as_deref(), Some("ann"));
    assert_eq!(deployment.deployment_group_name.as_deref(), Some("g"));
    assert_eq!(*record.goals[id].job, job);
}

#[test]
fn a_deployment_takes_back_the_mark_of_a_removal() {
    let job = job("web:7");
    let record = JobRecord {
        job: Arc::new(job.clone()),
        removing: Some("m2-9".to_owned()),
    };
    let view = DeployView {
        job: Some(Versioned::new(V, record)),
        host: host(&[]),
    };
    let request = Deploy::new(name(), job.id.clone(), Goal::Start);
    let txn = deploy(&view, &request, &stamp()).unwrap();
    assert_eq!(outline(&txn)[0], format!("update jobs/{} 7", job.id));
    let record: JobRecord = put(&txn, &Keys::job(&job.id).unwrap());
    assert_eq!(record.removing, None);
}

#[test]
fn a_deployment_is_refused_in_the_order_of_the_checks() {
    let job = job("web:7");
    let check = |has_job: bool, token: &str, host: Option<Versioned<HostRecord>>| {
        let view = DeployView {
            job: stored_job(&job).filter(|_| has_job),
            host,
        };
        let request = Deploy {
            token: token.to_owned(),
            ..Deploy::new(name(), job.id.clone(), Goal::Start)
        };
        deploy(&view, &request, &stamp()).unwrap_err()
    };
    let refused = check(false, "x", None);
    assert!(matches!(refused, Refused::JobNotFound { .. }), "{refused}");
    let refused = check(true, "x", None);
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let refused = check(true, "", None);
    assert!(matches!(refused, Refused::HostNotFound { .. }), "{refused}");
    let refused = check(true, "", host(&[&job]));
    assert!(
        matches!(refused, Refused::AlreadyDeployed { .. }),
        "{refused}"
    );
}

#[test]
fn a_static_port_belongs_to_one_job_per_protocol() {
    let with = |id: &str, mapping: PortMapping| {
        let job = Job::new(id, "nginx").unwrap().port("p", mapping);
        job.with_computed_id()
    };
    let tcp = with("one:1", PortMapping::tcp(1).external(53));
    let check = |job: &Job| {
        let view = DeployView {
            job: stored_job(job),
            host: host(&[&tcp]),
        };
        deploy(
            &view,
            &Deploy::new(name(), job.id.clone(), Goal::Start),
            &stamp(),
        )
    };
    assert_eq!(
        check(&with("two:1", PortMapping::tcp(9).external(53))),
        Err(Refused::PortConflict {
            host: name(),
            port: 53,
            protocol: "tcp".to_owned(),
            job: tcp.id.clone(),
        })
    );
    assert!(check(&with("two:1", PortMapping::udp(1).external(53))).is_ok());
    assert!(check(&with("two:1", PortMapping::tcp(53))).is_ok());
}

#[test]
fn an_undeployment_needs_only_the_host() {
    let secret = Job::new("web:7", "nginx")
        .unwrap()
        .token("t")
        .with_computed_id();
    let check = |host: Option<Versioned<HostRecord>>, token: &str| {
        let request = Undeploy {
            token: token.to_owned(),
            ..Undeploy::new(name(), secret.id.clone())
        };
        undeploy(host.as_ref(), &request, &stamp())
    };
    let refused = check(None, "").unwrap_err();
    assert!(matches!(refused, Refused::HostNotFound { .. }), "{refused}");
    let refused = check(host(&[]), "").unwrap_err();
    assert!(matches!(refused, Refused::NotDeployed { .. }), "{refused}");
    let refused = check(host(&[&secret]), "").unwrap_err();
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let txn = check(host(&[&secret]), "t").unwrap();
    assert_eq!(
        outline(&txn),
        ["update hosts/web1 7".to_owned(), format!("create {AUDIT}")]
    );
    let record: HostRecord = put(&txn, &Keys::host(&name()));
    assert_eq!((record.revision, record.goals), (5, BTreeMap::new()));
}

#[test]
fn a_goal_that_is_set_already_changes_nothing() {
    let job = job("web:7");
    let check = |has_job: bool, token: &str, host, goal| {
        let view = DeployView {
            job: stored_job(&job).filter(|_| has_job),
            host,
        };
        let request = SetGoal {
            token: token.to_owned(),
            ..SetGoal::new(name(), job.id.clone(), goal)
        };
        set_goal(&view, &request, &stamp())
    };
    let refused = check(false, "x", None, Goal::Stop).unwrap_err();
    assert!(matches!(refused, Refused::NotDeployed { .. }), "{refused}");
    let refused = check(true, "x", None, Goal::Stop).unwrap_err();
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let refused = check(true, "", None, Goal::Stop).unwrap_err();
    assert!(matches!(refused, Refused::HostNotFound { .. }), "{refused}");
    let refused = check(true, "", host(&[]), Goal::Stop).unwrap_err();
    assert!(matches!(refused, Refused::NotDeployed { .. }), "{refused}");
    assert_eq!(check(true, "", host(&[&job]), Goal::Start), Ok(Txn::new()));
    let txn = check(true, "", host(&[&job]), Goal::Stop).unwrap();
    let record: HostRecord = put(&txn, &Keys::host(&name()));
    assert_eq!(record.goals[&job.id].goal, Goal::Stop);
    assert_eq!(record.goals[&job.id].user.as_deref(), Some("bob"));
    assert_eq!(record.revision, 5);
}

fn registration(agent_id: &str) -> RegisterHost {
    RegisterHost {
        host: name(),
        agent_id: agent_id.to_owned(),
    }
}

fn register_view(registered: bool, up: Option<&str>) -> RegisterView {
    let presence = |id: &str| Presence {
        id: id.to_owned(),
        incarnation: "i".to_owned(),
    };
    let cluster = ClusterRecord { id: "c".to_owned() };
    RegisterView {
        cluster: Some(Versioned::new(V, cluster)),
        host: host(&[&job("web:7")]).filter(|_| registered),
        up: up.map(|id| Versioned::new(V, presence(id))),
    }
}

#[test]
fn a_name_is_registered_for_one_agent() {
    let check = |view, agent| register_host(&view, &registration(agent), &stamp());
    let txn = check(register_view(false, None), "a1").unwrap();
    assert_eq!(
        outline(&txn),
        [
            "check cluster 7".to_owned(),
            "create hosts/web1".to_owned(),
            format!("create {AUDIT}")
        ]
    );
    let record: HostRecord = put(&txn, &Keys::host(&name()));
    assert_eq!(
        (
            record.agent_id.as_str(),
            record.epoch.as_str(),
            record.revision
        ),
        ("a1", "m1-0", 1)
    );
    assert_eq!(check(register_view(true, None), "a1"), Ok(Txn::new()));
    let by = "a1".to_owned();
    let taken = Err(Refused::HostTaken { host: name(), by });
    assert_eq!(check(register_view(true, None), "a2"), taken);
    assert_eq!(
        check(register_view(false, None), ""),
        Err(Refused::NoAgentId { host: name() })
    );
}

#[test]
fn a_name_is_taken_over_with_its_goals_from_an_agent_that_is_gone() {
    let check = |view, agent| take_over_host(&view, &registration(agent), &stamp());
    let txn = check(register_view(true, None), "a2").unwrap();
    let record: HostRecord = put(&txn, &Keys::host(&name()));
    assert_eq!(
        (
            record.agent_id.as_str(),
            record.epoch.as_str(),
            record.revision
        ),
        ("a2", "e", 5)
    );
    assert_eq!(record.goals.len(), 1);
    let by = "a1".to_owned();
    let taken = Err(Refused::HostTaken { host: name(), by });
    assert_eq!(check(register_view(true, Some("a1")), "a2"), taken);
    assert_eq!(check(register_view(true, Some("a1")), "a1"), Ok(Txn::new()));
    assert!(check(register_view(false, None), "a2").is_ok());
}

#[test]
fn a_host_goes_with_its_report() {
    let view = DeregisterView {
        host: Some(V),
        report: Some(Version::from_raw(9)),
    };
    let txn = deregister_host(&view, &name(), &stamp()).unwrap();
    let expected = [
        "delete hosts/web1 7",
        "delete status/web1 9",
        &format!("create {AUDIT}"),
    ];
    assert_eq!(outline(&txn), expected);
    let refused = deregister_host(&DeregisterView::default(), &name(), &stamp());
    assert_eq!(refused, Err(Refused::HostNotFound { host: name() }));
}

#[test]
fn refusals_say_what_to_do() {
    let hosts = (0..12).map(|i| format!("h{i}").parse().unwrap()).collect();
    let refused = Refused::StillInUse {
        job: "web:7".parse().unwrap(),
        hosts,
    };
    assert_eq!(
        refused.to_string(),
        "job web:7 is still deployed on h0, h1, h2, h3, h4, h5, h6, h7, h8, h9 and 2 more: undeploy it \
         there first"
    );
    let refused = Refused::Forbidden {
        job: "web:7".parse().unwrap(),
        has_token: false,
    };
    assert_eq!(
        refused.to_string(),
        "the token is not that of job web:7: the job has none, so give none"
    );
}

#[test]
fn only_who_drains_a_host_changes_or_ends_that() {
    let drain = Drain {
        by: "spring".to_owned(),
        id: "spring.0.1".to_owned(),
        since: Timestamp::from_millis(5),
        reset: None,
    };
    let drained = |drain: Option<&Drain>| {
        let seen = host(&[&job("web:1")]).unwrap();
        let drain = drain.cloned();
        let record = HostRecord {
            drain,
            ..HostRecord::clone(&seen)
        };
        Versioned::new(V, record)
    };
    let begun = drain_host(
        host(&[]).as_ref(),
        &name(),
        "spring",
        Some(&drain),
        &stamp(),
    )
    .unwrap();
    assert_eq!(
        outline(&begun),
        ["update hosts/web1 7", &format!("create {AUDIT}")]
    );
    let record: HostRecord = put(&begun, &Keys::host(&name()));
    assert_eq!((record.drain, record.revision), (Some(drain.clone()), 5));

    let seen = drained(Some(&drain));
    let again = drain_host(Some(&seen), &name(), "spring", Some(&drain), &stamp()).unwrap();
    assert!(again.is_empty());
    let ended = drain_host(Some(&seen), &name(), "spring", None, &stamp()).unwrap();
    let record: HostRecord = put(&ended, &Keys::host(&name()));
    assert_eq!((record.drain, record.goals.len()), (None, 1), "goals stay");
    for wish in [None, Some(&drain)] {
        let refused = drain_host(Some(&seen), &name(), "autumn", wish, &stamp()).unwrap_err();
        assert!(refused.to_string().contains("spring"), "{refused}");
    }
}

#[test]
fn a_wrong_token_is_refused_and_the_refusal_says_whether_the_job_has_one() {
    let mut job = job("web:7");
    let refused = |job: &Job, token: &str| check_token(job, token).unwrap_err().to_string();
    assert!(
        refused(&job, "x").contains("the job has none"),
        "{}",
        refused(&job, "x")
    );
    job.token = "secret".to_owned();
    assert!(
        refused(&job, "x").contains("give the token"),
        "{}",
        refused(&job, "x")
    );
    assert_eq!(check_token(&job, "secret"), Ok(()));
}
