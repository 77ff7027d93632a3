//! The store is away, empty, old, or somebody else's.

use std::time::Duration;

use futures_util::FutureExt;
use helios_core::runtime::Container;
use helios_core::schema::Keys;
use helios_core::store::{Key, Store, Txn};
use helios_core::{Goal, Job, TaskState};

use crate::rig::{Rig, host, job};

async fn delete(rig: &Rig, key: Key) {
    let entry = rig
        .store
        .get(&key)
        .await
        .expect("a read")
        .expect("an entry");
    rig.store
        .commit(Txn::new().delete(key, entry.version))
        .await
        .expect("a delete");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_store_stops_nothing() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    delete(&rig, Keys::cluster()).await;
    delete(&rig, Keys::host(&host())).await;
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
    assert!(
        rig.store
            .get(&Keys::host(&host()))
            .await
            .expect("a read")
            .is_none(),
        "not registered there"
    );
    rig.cluster.init().await.expect("another cluster");
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
}

/// The watch of the host told that it was gone before that of the cluster told that all was gone, and the host
/// was registered in the empty store.
#[tokio::test(start_paused = true)]
async fn a_store_that_was_emptied_a_moment_ago_gets_no_registration() {
    let mut rig = Rig::without_agent().await;
    rig.start_agent_late(Keys::cluster(), Duration::from_secs(60))
        .await;
    rig.until("the host is up", async |rig| {
        let host = rig.cluster.host(&host()).await.expect("a read");
        host.is_some_and(|host| host.up)
    })
    .await;
    for key in [Keys::cluster(), Keys::host(&host()), Keys::up(&host())] {
        delete(&rig, key).await;
    }
    rig.pass(Duration::from_secs(30)).await;
    let found = |key| {
        rig.store
            .get(&key)
            .now_or_never()
            .expect("at once")
            .expect("a read")
    };
    assert_eq!(found(Keys::host(&host())), None, "not registered there");
    let other = rig.cluster.init().await.expect("another cluster");
    rig.pass(Duration::from_secs(25)).await;
    let registered = found(Keys::host(&host()));
    assert_eq!(registered, None, "and not in cluster {other} either");
}

/// The host's entry was read and the cluster's was not: what the entry did not want any more was started again.
#[tokio::test(start_paused = true)]
async fn goals_of_a_cluster_that_was_not_read_yet_keep_the_undeployed_down() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    let db = rig.deploy(&job("db"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.until_state(&db, TaskState::Running).await;
    rig.kill_agent().await;
    rig.undeploy(&web).await;
    for container in rig.running().await {
        rig.engine.kill(&container.name);
    }
    rig.start_agent_late(Keys::cluster(), Duration::from_secs(60))
        .await;
    rig.pass(Duration::from_secs(30)).await;
    let names: Vec<_> = rig.running().await.into_iter().map(|c| c.name).collect();
    assert_eq!(names.len(), 1, "what both want goes on: {names:?}");
    assert!(names[0].contains("db"), "{names:?}");
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(rig.containers().await.len(), 1, "the other one is gone");
}

/// The host was registered anew, with no goals, and the agent went by the former ones until its watch told.
#[tokio::test(start_paused = true)]
async fn what_a_registration_says_is_known_before_the_watch_tells() {
    let mut rig = Rig::without_agent().await;
    rig.start_agent_late(Keys::host(&host()), Duration::from_secs(60))
        .await;
    let registered = async |rig: &Rig| {
        let host = rig.cluster.host(&host()).await.expect("a read");
        host.is_some_and(|host| host.record.goals.is_empty())
    };
    rig.until("it is registered", registered).await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until("it runs", async |rig| rig.running().await.len() == 1)
        .await;
    rig.cluster
        .deregister_host(&host())
        .await
        .expect("a deregistration");
    rig.until("it is registered again", registered).await;
    rig.pass(Duration::from_secs(20)).await;
    assert_eq!(rig.containers().await, [], "{web} is not wanted any more");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_goal_is_no_empty_goal() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    let key = Keys::host(&host());
    let entry = rig
        .store
        .get(&key)
        .await
        .expect("a read")
        .expect("an entry");
    rig.store
        .commit(Txn::new().update(key, entry.version, "{ torn"))
        .await
        .expect("an update");
    rig.pass(Duration::from_secs(600)).await;
    assert_eq!(rig.running().await, running);
    rig.engine.kill(&running[0].name);
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.running().await.len(),
        1,
        "and the dead are still started again"
    );
}

/// Changes the host's entry as a newer master, or somebody's script, would.
async fn rewrite(rig: &Rig, change: impl FnOnce(&mut serde_json::Value)) {
    let key = Keys::host(&host());
    let entry = rig.store.get(&key).await.expect("a read");
    let entry = entry.expect("an entry");
    let mut record: serde_json::Value = serde_json::from_slice(&entry.value).expect("a record");
    change(&mut record);
    record["revision"] = (record["revision"].as_u64().expect("a revision") + 1).into();
    let txn = Txn::new().update(key, entry.version, record.to_string());
    rig.store.commit(txn).await.expect("an update");
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_cannot_be_read_concerns_its_own_job_only() {
    let mut rig = Rig::start().await;
    let [web, db, old] = ["web", "db", "old"].map(job);
    for job in [&web, &db, &old] {
        rig.deploy(job, Goal::Start).await;
        rig.until_state(&job.id, TaskState::Running).await;
    }
    let named = |containers: Vec<Container>, job: &Job| {
        let mut ids = containers.into_iter();
        ids.find(|container| container.labels["helios.job"] == job.id.as_str())
            .map(|container| container.id)
    };
    let first = named(rig.running().await, &web).expect("it runs");
    rig.kill_agent().await;
    rig.state.wipe(); // Not even what was wanted before is known.
    rig.state.put("agent-id", b"a1");
    rewrite(&rig, |record| {
        record["goals"][web.id.as_str()]["goal"] = "HIBERNATE".into();
        record["goals"]["nonsense"] = 7.into();
        record["goals"][db.id.as_str()]["surprise"] = 1.into();
        record["goals"]
            .as_object_mut()
            .expect("goals")
            .remove(old.id.as_str());
        record["surprise"] = "of a newer master".into();
    })
    .await;
    rig.start_agent().await;
    rig.until("the job that is not wanted any more is gone", async |rig| {
        rig.containers().await.len() == 2
    })
    .await;
    rig.engine
        .kill(named(rig.running().await, &db).expect("it runs").as_str());
    rig.pass(Duration::from_secs(60)).await;
    assert!(
        named(rig.running().await, &db).is_some(),
        "what can be read is followed"
    );
    assert_eq!(
        named(rig.running().await, &web),
        Some(first),
        "and nothing else is touched"
    );
    let error = rig.report(&web.id).await.expect("a report").error;
    assert!(
        error.contains("HIBERNATE") && error.contains("left alone"),
        "{error}"
    );
    assert_eq!(rig.report(&db.id).await.expect("a report").error, "");
    let problems = rig.problems().await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("nonsense"), "{problems:?}");
    rewrite(&rig, |record| {
        record["goals"][web.id.as_str()]["goal"] = "STOP".into();
        record["goals"]
            .as_object_mut()
            .expect("goals")
            .remove("nonsense");
    })
    .await;
    rig.until_state(&web.id, TaskState::Stopped).await;
    rig.until("nothing is wrong any more", async |rig| {
        rig.problems().await.is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_cannot_be_read_any_more_is_followed_as_it_was() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rewrite(&rig, |record| {
        record["goals"][web.as_str()]["job"]["id"] = "torn".into();
    })
    .await;
    rig.until("the trouble is told", async |rig| {
        !rig.problems().await.is_empty()
    })
    .await;
    rig.engine.kill(&rig.running().await[0].name);
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.running().await.len(),
        1,
        "the dead are still started again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_host_registers_again_and_drops_what_it_ran() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.cluster
        .deregister_host(&host())
        .await
        .expect("a deregistration");
    rig.until("it is registered again, with nothing to do", async |rig| {
        let host = rig.cluster.host(&host()).await.expect("a read");
        host.is_some_and(|host| host.record.goals.is_empty()) && rig.containers().await.is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_agent_of_the_same_name_does_nothing_and_says_so() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let running = rig.running().await;
    let state = std::mem::take(&mut rig.state);
    let other = rig.agent("a2", rig.store.session()).await;
    rig.state = state;
    let other = tokio::spawn(other.run(std::future::pending()));
    rig.pass(Duration::from_secs(1800)).await;
    assert_eq!(rig.running().await, running);
    let record = rig
        .cluster
        .host(&host())
        .await
        .expect("a read")
        .expect("the host")
        .record;
    assert_eq!(record.agent_id, "a1");
    other.abort();
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_over_from_an_agent_that_is_gone_for_good() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.kill_agent().await;
    rig.state.wipe();
    let other = rig.agent("a2", rig.store.session()).await;
    tokio::spawn(other.run(std::future::pending()));
    rig.pass(Duration::from_secs(590)).await;
    let record = rig
        .cluster
        .host(&host())
        .await
        .expect("a read")
        .expect("the host")
        .record;
    assert_eq!(
        record.agent_id, "a1",
        "the old agent has ten minutes to come back"
    );
    rig.until("the host has a new agent, and its goals", async |rig| {
        let host = rig
            .cluster
            .host(&host())
            .await
            .expect("a read")
            .expect("the host");
        host.record.agent_id == "a2" && host.up && host.record.goals.contains_key(&web)
    })
    .await;
    rig.until_state(&web, TaskState::Running).await;
}
