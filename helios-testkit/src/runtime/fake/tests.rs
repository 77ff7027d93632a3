use std::time::Duration;

use helios_core::Runtime;
use helios_core::runtime::{
    ContainerSpec, ContainerState, Exec, Exit, Owner, RuntimeErrorKind as Kind,
};
use tokio::time::Instant;

use super::*;

crate::runtime_conformance!(|| async { crate::runtime::conformance::FakeHarness::new() });

fn fake() -> FakeRuntime {
    FakeRuntime::new(Owner::new("agent").unwrap())
}

async fn started(runtime: &FakeRuntime, image: FakeImage) -> ContainerId {
    runtime.engine().image("app:1", image.here());
    let spec = ContainerSpec::new("app", "app:1");
    let id = runtime.create(&spec).await.unwrap();
    runtime.start(&id).await.unwrap();
    id
}

async fn state(runtime: &FakeRuntime) -> ContainerState {
    let list = runtime.list().await.unwrap();
    list.get("app").unwrap().state.clone()
}

fn exited(code: i64) -> ContainerState {
    ContainerState::Exited(Exit {
        code,
        ..Exit::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_container_ends_when_its_image_says_so_and_only_that_run() {
    let runtime = fake();
    let hour = Duration::from_secs(3600);
    let id = started(&runtime, FakeImage::new().exits_after(hour, 3)).await;
    tokio::time::sleep(hour / 2).await;
    assert_eq!(state(&runtime).await, ContainerState::Running);
    runtime.engine().kill("app");
    assert_eq!(state(&runtime).await, exited(137));

    runtime.start(&id).await.unwrap();
    tokio::time::sleep(hour * 3 / 4).await;
    assert_eq!(state(&runtime).await, ContainerState::Running);
    tokio::time::sleep(hour / 2).await;
    assert_eq!(state(&runtime).await, exited(3));
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_process_and_never_longer_than_the_grace() {
    for (on_stop, grace, waited, code) in [
        (OnStop::EndsAfter(Duration::from_secs(3)), 10, 3, 0),
        (OnStop::EndsAfter(Duration::from_secs(30)), 10, 10, 137),
        (OnStop::Ignores, 10, 10, 137),
    ] {
        let runtime = fake();
        let id = started(&runtime, FakeImage::new().on_stop(on_stop)).await;
        let before = Instant::now();
        runtime.stop(&id, Duration::from_secs(grace)).await.unwrap();
        assert_eq!(before.elapsed(), Duration::from_secs(waited));
        assert_eq!(state(&runtime).await, exited(code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_strikes_as_often_as_ordered_and_where_ordered() {
    let runtime = fake();
    let id = started(&runtime, FakeImage::new()).await;
    let engine = runtime.engine();
    engine.inject(Fault::new(Verb::Stop, Kind::Failed).of("other"));
    engine.inject(
        Fault::new(Verb::Remove, Kind::TimedOut)
            .of("app:1")
            .times(2),
    );

    runtime.stop(&id, Duration::ZERO).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            runtime.remove(&id).await.unwrap_err().kind(),
            Kind::TimedOut
        );
    }
    assert_eq!(state(&runtime).await, exited(0));
    runtime.remove(&id).await.unwrap();
    assert!(runtime.list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_may_take_effect_at_once_or_late() {
    let runtime = fake();
    let id = started(&runtime, FakeImage::new()).await;
    let late = Duration::from_secs(5);
    let lost = |effect| Fault::new(Verb::Stop, Kind::TimedOut).effect(effect);

    runtime.engine().inject(lost(Effect::AtOnce));
    runtime.stop(&id, Duration::ZERO).await.unwrap_err();
    assert_eq!(state(&runtime).await, exited(0));

    runtime.start(&id).await.unwrap();
    runtime.engine().inject(lost(Effect::Late(late)));
    runtime.stop(&id, Duration::ZERO).await.unwrap_err();
    assert_eq!(state(&runtime).await, ContainerState::Running);
    tokio::time::sleep(late * 2).await;
    assert_eq!(state(&runtime).await, exited(0));
}

#[tokio::test(start_paused = true)]
async fn a_delayed_verb_takes_its_time_and_is_recorded() {
    let runtime = fake();
    let id = started(&runtime, FakeImage::new()).await;
    runtime
        .engine()
        .delay(Verb::Remove, Duration::from_secs(60));
    let before = Instant::now();
    runtime.remove(&id).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(60));

    let verbs: Vec<_> = runtime
        .engine()
        .calls()
        .into_iter()
        .map(|c| c.verb)
        .collect();
    assert_eq!(verbs, [Verb::Create, Verb::Start, Verb::Remove]);
    assert!(runtime.engine().calls().iter().all(|c| c.target == "app"));
}

#[tokio::test]
async fn a_port_of_a_foreign_process_is_in_use() {
    let runtime = fake();
    runtime.engine().image("app:1", FakeImage::new().here());
    let mut spec = ContainerSpec::new("app", "app:1");
    spec.ports.push(helios_core::runtime::PublishedPort {
        container_port: 80,
        host_port: 8080,
        host_ip: None,
        protocol: helios_core::runtime::Protocol::Tcp,
    });
    let id = runtime.create(&spec).await.unwrap();
    runtime.engine().take_port(8080);
    assert_eq!(
        runtime.start(&id).await.unwrap_err().kind(),
        Kind::PortInUse
    );
    runtime.engine().free_port(8080);
    runtime.start(&id).await.unwrap();
}

#[tokio::test]
async fn a_restart_of_the_machine_leaves_every_container_and_runs_none() {
    let runtime = fake();
    started(&runtime, FakeImage::new()).await;
    runtime.engine().restart_machine();
    assert_eq!(state(&runtime).await, exited(137));
}

#[tokio::test]
async fn commands_and_logs_come_from_the_image() {
    let runtime = fake();
    let image = FakeImage::new().exec_exits(4).writes("one").writes("two");
    let id = started(&runtime, image).await;
    let second = Duration::from_secs(1);
    let output = runtime.exec(&id, &["check".into()], second).await.unwrap();
    assert_eq!(output.code, 4);
    let lines: Vec<_> = futures_util::StreamExt::collect(runtime.logs(&id, 1, false)).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].as_ref().unwrap(), "two\n");

    runtime.engine().kill("app");
    let error = runtime.exec(&id, &["check".into()], second).await;
    assert_eq!(error.unwrap_err().kind(), Kind::NotFound);
}
