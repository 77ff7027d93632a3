//! The client against masters that say what they are told to.

mod stand_in;

use std::time::Duration;

use helios_core::model::{Deployment, DeploymentGroup, Goal, Job, JobId, RolloutOptions};
use helios_rollout::rolling::Policy;

use self::stand_in::{Answer, StandIn};
use super::*;
use crate::wire::*;

const WEB: &str = "web:7:1111111111111111111111111111111111111111";

fn web() -> JobId {
    WEB.parse().unwrap()
}

fn client(masters: &[&StandIn]) -> Client {
    let builder = masters.iter().fold(Client::builder(), |builder, master| {
        builder.endpoint(&master.url).unwrap()
    });
    builder.user("ann").build().unwrap()
}

fn start() -> Deployment {
    Deployment::new(web(), Goal::Start)
}

#[tokio::test]
async fn understands_what_an_original_master_says_of_jobs() {
    let master = StandIn::recorded().await;
    let client = client(&[&master]);

    let jobs = client.jobs(&JobsQuery::default()).await.unwrap();
    assert_eq!(jobs.len(), 2);
    let job = jobs.get(&web()).unwrap();
    assert_eq!(job.ports["admin"].external_port, Some(9091));

    let status = client.job_status(&web()).await.unwrap().unwrap();
    assert_eq!(status.deployments.len(), 3);
    assert_eq!(status.job.as_ref(), Some(job));
    let statuses = client.job_statuses(&[web()]).await.unwrap();
    assert_eq!(statuses.get(&web()), Some(&status));
    let unknown: JobId = "none:1:2222222222222222222222222222222222222222"
        .parse()
        .unwrap();
    assert_eq!(client.job_status(&unknown).await.unwrap(), None);
    assert_eq!(client.job(&unknown).await.unwrap(), None);
    assert!(!client.history(&web()).await.unwrap().events.is_empty());

    let created = client
        .create_job(&Job::new("new:1", "busybox").unwrap())
        .await
        .unwrap();
    assert_eq!(created.status, CreateStatus::Ok);
    let batch: JobId = "batch:1:2222222222222222222222222222222222222222"
        .parse()
        .unwrap();
    let deleted = client.delete_job(&batch, "").await.unwrap();
    assert_eq!(deleted.status, DeleteStatus::StillInUse);
    assert_eq!(
        master.requests().last().unwrap(),
        "DELETE /jobs/batch:1:2222222222222222222222222222222222222222?token=&user=ann"
    );
}

#[tokio::test]
async fn understands_what_an_original_master_says_of_hosts_and_deployments() {
    let master = StandIn::recorded().await;
    let client = client(&[&master]);

    let hosts = client.hosts(&HostsQuery::default()).await.unwrap();
    assert_eq!(hosts, ["n2.example.net", "n1.example.net"]);
    let statuses = client
        .host_statuses(&hosts, Some(HostState::Up))
        .await
        .unwrap();
    assert_eq!(statuses["n2.example.net"].status, HostState::Down);
    assert_eq!(client.host_status("zz", None).await.unwrap(), None);

    let deployed = client.deploy("n1.example.net", &start(), "").await.unwrap();
    assert_eq!(deployed.status, DeployStatus::Ok);
    let deployed = client.deploy("n2.example.net", &start(), "").await.unwrap();
    assert_eq!(deployed.status, DeployStatus::JobAlreadyDeployed);
    let goal = client
        .set_goal("n2.example.net", &start(), "")
        .await
        .unwrap();
    assert_eq!(goal.status, SetGoalStatus::JobNotDeployed);
    let undeployed = client.undeploy("n3.example.net", &web(), "").await.unwrap();
    assert_eq!(undeployed.status, UndeployStatus::Forbidden);
    assert_eq!(
        client.deployment("n1.example.net", &web()).await.unwrap(),
        None
    );

    client
        .register_host("new.example.net", "id1")
        .await
        .unwrap();
    let error = client
        .register_host("taken.example.net", "id1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::MasterFailed);
    let gone = client.deregister_host("n1.example.net").await.unwrap();
    assert_eq!(gone.status, DeregisterStatus::Ok);
    let gone = client.deregister_host("zz").await.unwrap();
    assert_eq!(gone.status, DeregisterStatus::NotFound);
}

#[tokio::test]
async fn understands_what_an_original_master_says_of_groups_and_masters() {
    let master = StandIn::recorded().await;
    let client = client(&[&master]);

    assert_eq!(
        client.deployment_groups(&Default::default()).await.unwrap(),
        ["front", "idle"]
    );
    let front = client.deployment_group("front").await.unwrap().unwrap();
    assert_eq!(front.host_selectors.len(), 2);
    assert_eq!(client.deployment_group("none").await.unwrap(), None);
    let status = client
        .deployment_group_status("idle")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (status.status, status.error.as_deref()),
        (GroupStatus::Idle, Some(""))
    );
    let created = client
        .create_deployment_group(&DeploymentGroup::new("front", front.host_selectors))
        .await
        .unwrap();
    assert_eq!(created.status, CreateGroupStatus::Created);
    let removed = client.remove_deployment_group("none").await.unwrap();
    assert_eq!(removed.status, RemoveGroupStatus::GroupNotFound);
    let update = RollingUpdateRequest {
        job: web(),
        rollout_options: RolloutOptions::default(),
        policy: Policy::default(),
    };
    let started = client.rolling_update("front", &update).await.unwrap();
    assert_eq!(started.status, RollingUpdateStatus::Ok);
    assert!(client.stop_deployment_group("front").await.unwrap());
    assert!(!client.stop_deployment_group("none").await.unwrap());

    assert_eq!(masters(&client).await, ["m2.example.net", "m1.example.net"]);
    let version = client.version().await.unwrap();
    assert_eq!(
        (version.protocol.as_str(), version.software),
        ("0.9.0", None)
    );
}

/// The masters that a master tells of.
async fn masters(client: &Client) -> Vec<String> {
    client.masters(&Default::default()).await.unwrap()
}

#[tokio::test]
async fn asks_the_next_master_when_one_is_gone_and_then_that_one_first() {
    let gone = StandIn::stopped().await;
    let busy = StandIn::answering([Answer::new(503, ""), Answer::new(200, r#"["never"]"#)]).await;
    let there = StandIn::answering([Answer::new(200, "[]"), Answer::new(200, "[]")]).await;
    let client = client(&[&gone, &busy, &there]);
    assert_eq!(masters(&client).await, [""; 0]);
    assert_eq!(masters(&client).await, [""; 0]);
    assert_eq!((busy.requests().len(), there.requests().len()), (1, 2));
}

#[tokio::test]
async fn repeats_a_question_but_not_a_change_when_the_connection_breaks() {
    let master = StandIn::answering([Answer::BreakOff, Answer::new(200, "[]")]).await;
    let asking = client(&[&master]);
    assert_eq!(masters(&asking).await, [""; 0]);
    assert_eq!(master.requests().len(), 2);

    let master = StandIn::answering([Answer::BreakOff, Answer::new(200, "{}")]).await;
    let error = client(&[&master])
        .undeploy("n1", &web(), "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::OutcomeUnknown, "{error}");
    assert_eq!(master.requests().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_cannot_reach_its_master_leaves_the_outcome_unknown() {
    let proxy = StandIn::answering([Answer::new(502, "bad gateway")]).await;
    let error = client(&[&proxy])
        .undeploy("n1", &web(), "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::OutcomeUnknown, "{error}");
}

#[tokio::test]
async fn says_what_to_do_when_no_master_is_there() {
    let gone = StandIn::stopped().await;
    let client = Client::builder()
        .endpoint(&gone.url)
        .unwrap()
        .total_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let error = client.masters(&Default::default()).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unreachable);
    let expected = format!(
        "cannot reach the master at {}: nobody listens there: start `helios solo` or `helios master`, or name another \
         master with -z or HELIOS_MASTER",
        gone.url
    );
    assert_eq!(error.to_string(), expected);
    assert!(std::error::Error::source(&error).is_some());
    let nobody = Client::builder().build().unwrap_err();
    assert_eq!(nobody.kind(), ClientErrorKind::BadEndpoint);
}

#[tokio::test]
async fn a_master_that_never_answers_does_not_hold_a_call_for_ever() {
    let silent = StandIn::answering([Answer::Silence]).await;
    let client = Client::builder()
        .endpoint(&silent.url)
        .unwrap()
        .request_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let error = client.undeploy("n1", &web(), "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::OutcomeUnknown, "{error}");
}

#[tokio::test]
async fn errors_repeat_the_masters_reason_and_no_token() {
    for (status, body, kind, part) in [
        (
            400,
            r#"{"message":"no such member"}"#,
            ClientErrorKind::Refused,
            "(no such member)",
        ),
        (400, "Invalid id", ClientErrorKind::Refused, "(Invalid id)"),
        (
            426,
            "<html>",
            ClientErrorKind::WrongVersion,
            "the master speaks 1.0.0",
        ),
        (401, "", ClientErrorKind::Denied, "give a token"),
        (
            500,
            r#"{"message":"5f"}"#,
            ClientErrorKind::MasterFailed,
            "(5f)",
        ),
        (
            200,
            "<html>",
            ClientErrorKind::BadReply,
            "is this a Helios master?",
        ),
    ] {
        let master = StandIn::answering([Answer::new(status, body)]).await;
        let error = client(&[&master])
            .delete_job(&web(), "s3cret")
            .await
            .unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(part) && text.contains(WEB), "{text}");
        assert!(
            !text.contains("s3cret") && !text.contains("<html>"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn says_its_version_and_its_token_with_every_request() {
    let master = StandIn::answering([Answer::new(200, "[]")]).await;
    let client = Client::builder()
        .endpoint(&master.url)
        .unwrap()
        .bearer_token("t0");
    assert!(!format!("{client:?}").contains("t0"));
    client
        .build()
        .unwrap()
        .masters(&Default::default())
        .await
        .unwrap();
    let heads = master.heads().join("").to_lowercase();
    for line in [
        "helios-version: 0.9.0",
        "authorization: bearer t0",
        "user-agent: helios/",
    ] {
        assert!(heads.contains(line), "{heads}");
    }
}
