//! Jobs come to hosts, and leave them.

use super::*;
use crate::schema::Goals;

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
    assert_eq!((record.revision, record.goals), (5, Goals::default()));
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

/// The host, on which that job has a goal that cannot be read.
fn with_unread(host: Option<Versioned<HostRecord>>, job: &Job) -> Option<Versioned<HostRecord>> {
    let host = host?;
    let mut document = serde_json::to_value(&*host.record).unwrap();
    document["goals"][job.id.as_str()] =
        serde_json::json!({"goal": "HIBERNATE", "job": {"token": job.token}});
    let record: HostRecord = serde_json::from_value(document).unwrap();
    assert_eq!(record.goals.unread().len(), 1);
    Some(Versioned::new(V, record))
}

#[test]
fn a_goal_that_cannot_be_read_is_kept_until_its_own_job_is_undeployed() {
    let secret = Job::new("web:7", "nginx")
        .unwrap()
        .token("t")
        .with_computed_id();
    let db = job("db:1");
    let host = with_unread(host(&[&db]), &secret);
    let undeployed = |job: &Job, token: &str| {
        let request = Undeploy {
            token: token.to_owned(),
            ..Undeploy::new(name(), job.id.clone())
        };
        undeploy(host.as_ref(), &request, &stamp())
    };
    let record: HostRecord = put(&undeployed(&db, "").unwrap(), &Keys::host(&name()));
    assert!(record.goals.is_empty() && record.goals.unread_of(&secret.id).is_some());
    let view = DeployView {
        job: stored_job(&secret),
        host: host.clone(),
    };
    let again = Deploy {
        token: "t".to_owned(),
        ..Deploy::new(name(), secret.id.clone(), Goal::Start)
    };
    let refused = deploy(&view, &again, &stamp()).unwrap_err();
    assert!(
        matches!(refused, Refused::AlreadyDeployed { .. }),
        "{refused}"
    );
    let stop = SetGoal {
        token: "t".to_owned(),
        ..SetGoal::new(name(), secret.id.clone(), Goal::Stop)
    };
    let refused = set_goal(&view, &stop, &stamp()).unwrap_err().to_string();
    assert!(
        refused.contains("HIBERNATE") && refused.contains("undeploy the job"),
        "{refused}"
    );
    let refused = undeployed(&secret, "").unwrap_err();
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let record: HostRecord = put(&undeployed(&secret, "t").unwrap(), &Keys::host(&name()));
    assert!(record.goals.unread().is_empty() && record.goals.contains_key(&db.id));
}
