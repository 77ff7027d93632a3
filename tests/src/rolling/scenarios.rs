//! What the original's own tests expect of rolling updates, and a little more.

use std::time::Duration;

use helios_core::model::{DeploymentGroup, RolloutOptions};
use helios_core::ops::{CreateJob, Deploy, RemoveJob, SetGoal};
use helios_core::{Goal, Job};
use helios_rollout::rolling::{FailureCode, GroupRefused, Policy, RollOut, RolloutState};
use tokio::time::sleep;

use crate::fleet::{Fleet, GROUP, host};

fn policy(json: &str) -> Policy {
    serde_json::from_str(json).expect("a policy")
}

#[tokio::test(start_paused = true)]
async fn a_second_job_replaces_the_first_on_five_hosts() {
    let mut fleet = Fleet::of(5).await;
    fleet.start_master();
    for version in [1, 2] {
        let job = fleet.job(version, "web").await;
        fleet.roll_out(&job, 2, Policy::default()).await;
        let rollout = fleet.until_ended().await;
        assert_eq!((rollout.state, rollout.done), (RolloutState::Done, 5));
        fleet.until_all_run(5, &job).await;
        for number in 1..=5 {
            let goals = fleet.goals(&host(number)).await;
            let by: Vec<_> = goals
                .iter()
                .map(|goal| (goal.group.as_deref(), goal.master.as_deref()))
                .collect();
            assert_eq!(by, [(Some(GROUP), Some("m0"))]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_added_gets_the_job_and_one_that_leaves_loses_it() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    fleet.until_ended().await;
    fleet.start_agent(&host(3), "web").await;
    fleet.until_all_run(3, &job).await;
    fleet.kill_agent(&host(1)).await;
    fleet.start_agent(&host(1), "db").await;
    fleet
        .until("n1 is let go", |fleet| async move {
            fleet.goals(&host(1)).await.is_empty()
        })
        .await;
    fleet.kill_agent(&host(1)).await;
    fleet.start_agent(&host(1), "web").await;
    fleet.until_all_run(3, &job).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_down_is_brought_up_to_date_when_it_is_back() {
    let mut fleet = Fleet::of(3).await;
    fleet.start_master();
    let [old, new] = [fleet.job(1, "web").await, fleet.job(2, "web").await];
    fleet.roll_out(&old, 3, Policy::default()).await;
    fleet.until_ended().await;
    fleet.kill_agent(&host(2)).await;
    fleet.roll_out(&new, 1, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    fleet.start_agent(&host(2), "web").await;
    fleet.until_all_run(3, &new).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_deregistered_in_the_middle_blocks_nothing() {
    let mut fleet = Fleet::of(3).await;
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    fleet.kill_agent(&host(1)).await;
    fleet.start_master();
    fleet
        .cluster
        .deregister_host(&host(1))
        .await
        .expect("a change");
    let rollout = fleet.until_ended().await;
    assert_eq!((rollout.state, rollout.done), (RolloutState::Done, 2));
}

#[tokio::test(start_paused = true)]
async fn a_broken_job_stops_at_the_first_host_and_is_taken_back_if_that_is_wanted() {
    let mut fleet = Fleet::of(4).await;
    fleet.start_master();
    let [old, broken] = [fleet.job(1, "web").await, fleet.job(2, "broken").await];
    fleet.roll_out(&old, 4, Policy::default()).await;
    fleet.until_ended().await;

    fleet
        .roll_out(&broken, 1, policy(r#"{"healthySeconds":5}"#))
        .await;
    let failed = fleet.until_ended().await;
    assert_eq!((failed.state, failed.started), (RolloutState::Failed, 1));
    assert!(
        failed
            .error
            .expect("a reason")
            .starts_with("n1: timed out after 60 s")
    );

    // The same again, this time with a way back.
    let careful = policy(r#"{"healthySeconds":5,"rollback":true}"#);
    fleet.roll_out(&old, 1, Policy::default()).await;
    fleet.until_ended().await;
    fleet.roll_out(&broken, 1, careful).await;
    fleet
        .until("it is taken back", |fleet| async move {
            fleet.rollout().await.undoes.is_some()
        })
        .await;
    let back = fleet.until_ended().await;
    assert_eq!((back.state, &back.job), (RolloutState::Done, &old));
    assert!(back.error.expect("why").contains(&format!(
        "job {} was taken back: n1: timed out",
        broken.short()
    )));
    fleet.until_all_run(4, &old).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_rollout_again_restarts_a_failed_group() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    assert!(fleet.groups.stop(GROUP).await.expect("a change"));
    let stopped = fleet.rollout().await;
    assert_eq!(stopped.error.as_deref(), Some("Stopped by user"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fleet.rollout().await, stopped, "it stays stopped");
    fleet.roll_out(&job, 1, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    fleet.until_all_run(2, &job).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_stopped_is_started_by_a_rollout_of_itself() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    fleet.until_ended().await;
    let stop = SetGoal::new(host(1), job.clone(), Goal::Stop);
    fleet.cluster.set_goal(&stop).await.expect("a change");
    sleep(Duration::from_secs(60)).await;
    assert!(
        !fleet.runs_only(&host(1), &job).await,
        "nobody starts it behind their back"
    );
    fleet.roll_out(&job, 1, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    fleet.until_all_run(2, &job).await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_by_hand_is_taken_over_only_if_that_is_wanted() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    let by_hand = Deploy::new(host(1), job.clone(), Goal::Start);
    fleet.cluster.deploy(&by_hand).await.expect("a deployment");
    fleet.roll_out(&job, 1, Policy::default()).await;
    let refused = fleet.until_ended().await;
    assert_eq!(refused.state, RolloutState::Failed);
    let mut options = RolloutOptions::default();
    options.migrate = Some(true);
    fleet.roll_out_with(&job, options, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    assert_eq!(fleet.goals(&host(1)).await[0].group.as_deref(), Some(GROUP));
    fleet.until_all_run(2, &job).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_over_may_have_a_token_and_other_jobs_are_left_alone() {
    let mut fleet = Fleet::of(1).await;
    fleet.start_master();
    let mut job = Job::new("web:1", "web").expect("an id");
    job.token = "secret".to_owned();
    let create = CreateJob::new(job.with_computed_id());
    let job = fleet.cluster.create_job(&create).await.expect("a job");
    let other = fleet.job(2, "web").await;
    let by_hand = Deploy {
        token: "secret".to_owned(),
        ..Deploy::new(host(1), job.clone(), Goal::Start)
    };
    fleet.cluster.deploy(&by_hand).await.expect("a deployment");
    let by_hand = Deploy::new(host(1), other, Goal::Start);
    fleet.cluster.deploy(&by_hand).await.expect("a deployment");
    let mut options = RolloutOptions::default();
    options.migrate = Some(true);
    fleet
        .roll_out_with(&job, options.clone(), Policy::default())
        .await;
    let refused = fleet.until_ended().await;
    let (_, failure) = refused.failed.iter().next().expect("a failure");
    assert_eq!(failure.code, FailureCode::TokenVerificationError);
    options.token = Some("secret".to_owned());
    fleet.roll_out_with(&job, options, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    let mut groups: Vec<_> = fleet.goals(&host(1)).await;
    groups.sort_by_key(|goal| goal.job.id.clone());
    let groups: Vec<_> = groups.iter().map(|goal| goal.group.as_deref()).collect();
    assert_eq!(groups, [Some(GROUP), None], "nobody asked about the other");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_starts_again_with_the_same_labels_changes_nothing() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 2, Policy::default()).await;
    let before = fleet.until_ended().await;
    fleet.kill_agent(&host(1)).await;
    fleet.start_agent(&host(1), "web").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fleet.rollout().await, before);
    fleet.until_all_run(2, &job).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_stopped_is_replaced_by_the_next() {
    let mut fleet = Fleet::of(2).await;
    fleet.start_master();
    let [old, new] = [fleet.job(1, "web").await, fleet.job(2, "web").await];
    fleet.roll_out(&old, 2, Policy::default()).await;
    fleet.until_ended().await;
    let stop = SetGoal::new(host(1), old, Goal::Stop);
    fleet.cluster.set_goal(&stop).await.expect("a change");
    fleet.roll_out(&new, 1, Policy::default()).await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    fleet.until_all_run(2, &new).await;
}

#[tokio::test(start_paused = true)]
async fn with_overlap_the_old_job_runs_until_the_new_one_does() {
    let mut fleet = Fleet::of(3).await;
    fleet.start_master();
    let [old, new] = [fleet.job(1, "web").await, fleet.job(2, "web").await];
    fleet.roll_out(&old, 3, Policy::default()).await;
    fleet.until_ended().await;
    let mut options = RolloutOptions::default();
    (options.overlap, options.parallelism) = (Some(true), Some(2));
    fleet.roll_out_with(&new, options, Policy::default()).await;
    fleet
        .until("both run on one host", |fleet| async move {
            fleet.goals(&host(1)).await.len() == 2
        })
        .await;
    assert_eq!(fleet.until_ended().await.state, RolloutState::Done);
    fleet.until_all_run(3, &new).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_is_removed_in_the_middle_and_what_it_deployed_stays() {
    let mut fleet = Fleet::of(3).await;
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    fleet
        .until("one host has it", |fleet| async move {
            !fleet.goals(&host(1)).await.is_empty()
        })
        .await;
    assert!(fleet.groups.remove(GROUP).await.expect("a change"));
    let commits = fleet.commits().await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        fleet.commits().await,
        commits,
        "nothing is done for it any more"
    );
    assert_eq!(fleet.goals(&host(1)).await.len(), 1);
    let gone = fleet
        .groups
        .roll_out(&RollOut::new(GROUP, job))
        .await
        .expect_err("no group");
    assert!(matches!(
        gone.refused(),
        Some(GroupRefused::GroupNotFound { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_removed_while_it_is_needed_ends_the_rollout() {
    let mut fleet = Fleet::of(2).await;
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    fleet
        .cluster
        .remove_job(&RemoveJob::new(job.clone()))
        .await
        .expect("a change");
    fleet.start_master();
    let rollout = fleet.until_ended().await;
    assert_eq!((rollout.state, rollout.started), (RolloutState::Failed, 0));
    assert!(
        rollout
            .error
            .expect("why")
            .starts_with(&format!("there is no job {} any more", job.short()))
    );
}

#[tokio::test(start_paused = true)]
async fn twenty_hosts_and_three_masters() {
    let mut fleet = Fleet::of(20).await;
    for _ in 0..3 {
        fleet.start_master();
    }
    let job = fleet.job(1, "web").await;
    fleet
        .roll_out(&job, 1, policy(r#"{"parallelism":"25%"}"#))
        .await;
    let mut most = 0;
    while fleet.rollout().await.state == RolloutState::RollingOut {
        most = most.max(fleet.rollout().await.in_flight.len());
        sleep(Duration::from_millis(20)).await;
    }
    let rollout = fleet.rollout().await;
    assert_eq!(
        (rollout.state, rollout.done, most),
        (RolloutState::Done, 20, 5)
    );
    fleet.until_all_run(20, &job).await;
}

#[tokio::test(start_paused = true)]
async fn groups_are_listed_by_name_and_two_rollouts_at_once_leave_one() {
    let mut fleet = Fleet::of(2).await;
    for name in ["idle", "back"] {
        let group = DeploymentGroup::new(name, vec!["role=db".parse().expect("a selector")]);
        fleet.groups.create(&group).await.expect("a group");
    }
    let groups = fleet.groups.list().await.expect("a read");
    assert!(groups.names().eq(["back", GROUP, "idle"]));
    let [one, other] = [fleet.job(1, "web").await, fleet.job(2, "web").await];
    let [a, b] = [RollOut::new(GROUP, one), RollOut::new(GROUP, other)];
    let (a, b) = tokio::join!(fleet.groups.roll_out(&a), fleet.groups.roll_out(&b));
    assert!(a.is_ok() && b.is_ok());
    fleet.start_master();
    fleet.start_master();
    let rollout = fleet.until_ended().await;
    assert_eq!((rollout.state, rollout.done), (RolloutState::Done, 2));
    fleet.until_all_run(2, &rollout.job).await;
}
