//! An engine that is missing, hangs, or holds what is not ours.

use std::time::Duration;

use futures_util::StreamExt;
use helios_core::Runtime;
use helios_core::runtime::{ContainerId, ContainerState, RuntimeErrorKind as Kind};
use helios_docker::{DockerEndpoint, DockerRuntime, Timeouts};
use helios_testkit::runtime::conformance::{Behaviour, RuntimeHarness};
use tokio::net::UnixListener;

use crate::harness::DockerHarness;

#[tokio::test]
async fn an_engine_that_is_not_there_is_unavailable() {
    let harness = DockerHarness::new().await;
    let nowhere = DockerEndpoint::Unix("/nowhere/docker.sock".into());
    let outcome = DockerRuntime::connect(nowhere, harness.owner("a")).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error.to_string().contains("/nowhere/docker.sock"),
        "{error}"
    );

    harness.cut().await;
    let outcome = DockerRuntime::connect(harness.endpoint(), harness.owner("a")).await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn an_engine_that_hangs_times_out() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await.with_timeouts(Timeouts {
        read: Duration::from_millis(50),
        create: Duration::from_millis(50),
        pull_idle: Duration::from_millis(50),
        remove: Duration::from_millis(50),
        ..Timeouts::default()
    });
    let spec = harness.spec("one", Behaviour::Obedient);
    let DockerEndpoint::Unix(socket) = harness.endpoint() else {
        panic!("not a socket");
    };
    harness.cut().await;
    std::fs::remove_file(&socket).unwrap();
    let _deaf = UnixListener::bind(&socket).unwrap();

    let id = ContainerId::new("0123456789ab");
    let timed_out = [
        runtime.list().await.map(drop),
        runtime.create(&spec).await.map(drop),
        runtime.start(&id).await,
        runtime.stop(&id, Duration::ZERO).await,
        runtime.remove(&id).await,
        runtime.pull("helios-test/busybox:1").await,
    ];
    for outcome in timed_out {
        assert_eq!(outcome.unwrap_err().kind(), Kind::TimedOut);
    }
}

#[tokio::test]
async fn an_id_that_is_a_name_or_a_part_of_one_is_no_id() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = runtime.create(&spec).await.unwrap();
    for text in [
        &spec.name,
        &id.as_str()[..12],
        "",
        "../../info",
        "x?force=1",
    ] {
        let wrong = ContainerId::new(text);
        runtime.remove(&wrong).await.unwrap();
        let error = runtime.start(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{text}");
    }
    assert_eq!(runtime.list().await.unwrap().len(), 1);
    harness.clean_up().await;
}

#[tokio::test]
async fn an_anonymous_volume_goes_with_its_container() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let mut spec = harness.spec("one", Behaviour::Obedient);
    spec.mounts.push(helios_core::runtime::Mount {
        path: "/data".into(),
        source: helios_core::runtime::MountSource::Anonymous,
        options: None,
    });
    let id = runtime.create(&spec).await.unwrap();
    let seen = harness
        .client
        .inspect_container(id.as_str(), None)
        .await
        .unwrap();
    let volume = seen.mounts.unwrap().remove(0).name.unwrap();
    runtime.remove(&id).await.unwrap();
    let gone = harness.client.inspect_volume(&volume).await;
    assert!(gone.is_err());
}

/// Docker has no event for a start that failed, and the handle that made it is another one.
#[tokio::test]
async fn a_change_without_event_is_seen_by_the_next_complete_look() {
    let harness = DockerHarness::new().await;
    let (watching, starting) = (harness.docker("a").await, harness.docker("a").await);
    let mut watch = watching
        .with_timeouts(Timeouts {
            resync: Duration::from_millis(20),
            ..Timeouts::default()
        })
        .watch();
    let spec = harness.spec("one", Behaviour::NoSuchCommand);
    let id = starting.create(&spec).await.unwrap();
    starting.start(&id).await.unwrap_err();
    loop {
        let look = watch.next().await.unwrap().unwrap();
        let state = look
            .get(&spec.name)
            .map(|container| container.state.clone());
        if matches!(state, Some(ContainerState::Created { error: Some(_) })) {
            break;
        }
    }
    harness.clean_up().await;
}
