//! Jobs are created and removed.

use super::*;

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
        "create removed/m1-0".to_owned(),
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
