//! Names of hosts, and who has them.

use super::*;

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

    let reset = Drain {
        reset: Some("boot1".to_owned()),
        ..drain.clone()
    };
    for (drain, action) in [(&drain, "drain host"), (&reset, "reset host")] {
        let host = host(&[]);
        let begun = drain_host(host.as_ref(), &name(), "spring", Some(drain), &stamp()).unwrap();
        let audit: AuditRecord = put(&begun, &AUDIT.parse().unwrap());
        assert_eq!(audit.action, action);
    }

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
