use std::time::Duration;

use helios_core::runtime::{ContainerState, RuntimeErrorKind};

use crate::runtime::conformance::look::{GRACE, exit_code, must, must_fail, runs, seen};
use crate::runtime::conformance::{Behaviour, RuntimeHarness};

const AWAY: &[RuntimeErrorKind] = &[RuntimeErrorKind::Unavailable, RuntimeErrorKind::TimedOut];

pub(crate) async fn r01_lists_containers_in_every_state(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let created = harness.spec("created", Behaviour::Obedient);
    let running = harness.spec("running", Behaviour::Obedient);
    let exited = harness.spec("exited", Behaviour::Obedient);
    must(runtime.create(&created).await, "create");
    for spec in [&running, &exited] {
        let id = must(runtime.create(spec).await, "create");
        must(runtime.start(&id).await, "start");
    }
    let id = seen(&*runtime, &exited.name).await.id;
    harness.kill(&id).await;
    must(runtime.stop(&id, Duration::ZERO).await, "stop");

    let list = must(runtime.list().await, "list");
    let names: Vec<_> = list.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, [&created.name, &exited.name, &running.name]);
    let state = |name: &str| list.get(name).map(|container| container.state.clone());
    assert_eq!(
        state(&created.name),
        Some(ContainerState::Created { error: None })
    );
    assert_eq!(state(&running.name), Some(ContainerState::Running));
    assert_eq!(list.get(&exited.name).and_then(exit_code), Some(137));
}

pub(crate) async fn r01_never_lists_what_another_owner_has(harness: &dyn RuntimeHarness) {
    let (ours, theirs) = (harness.runtime("a").await, harness.runtime("b").await);
    let spec = harness.spec("theirs", Behaviour::Obedient);
    must(theirs.create(&spec).await, "create");

    assert!(must(ours.list().await, "list").is_empty());
    assert_eq!(must(theirs.list().await, "list").len(), 1);
}

pub(crate) async fn r01_never_touches_what_another_owner_has(harness: &dyn RuntimeHarness) {
    let (ours, theirs) = (harness.runtime("a").await, harness.runtime("b").await);
    let running = harness.spec("running", Behaviour::Obedient);
    let created = harness.spec("created", Behaviour::Obedient);
    let id = must(theirs.create(&running).await, "create");
    must(theirs.start(&id).await, "start");
    let idle = must(theirs.create(&created).await, "create");

    must_fail(
        ours.start(&idle).await,
        &[RuntimeErrorKind::NotFound],
        "start",
    );
    must(ours.stop(&id, Duration::ZERO).await, "stop");
    must(ours.remove(&id).await, "remove");
    must(ours.remove(&idle).await, "remove");

    assert!(runs(&seen(&*theirs, &running.name).await));
    let idle = seen(&*theirs, &created.name).await;
    assert_eq!(idle.state, ContainerState::Created { error: None });
}

pub(crate) async fn r01_an_engine_that_is_away_is_an_error_and_not_an_empty_list(
    harness: &dyn RuntimeHarness,
) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");

    harness.cut().await;
    must_fail(runtime.list().await, AWAY, "list");
    must_fail(runtime.create(&spec).await, AWAY, "create");
    must_fail(runtime.start(&id).await, AWAY, "start");
    must_fail(runtime.stop(&id, Duration::ZERO).await, AWAY, "stop");
    must_fail(runtime.remove(&id).await, AWAY, "remove");
    harness.heal().await;

    assert_eq!(must(runtime.list().await, "list").len(), 1);
}

pub(crate) async fn r02_reads_what_it_did(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    for _ in 0..3 {
        let id = must(runtime.create(&spec).await, "create");
        let container = seen(&*runtime, &spec.name).await;
        assert_eq!(container.id, id);
        assert_eq!(container.state, ContainerState::Created { error: None });

        must(runtime.start(&id).await, "start");
        assert!(runs(&seen(&*runtime, &spec.name).await));

        must(runtime.stop(&id, GRACE).await, "stop");
        assert!(exit_code(&seen(&*runtime, &spec.name).await).is_some());

        must(runtime.remove(&id).await, "remove");
        assert!(must(runtime.list().await, "list").is_empty());
    }
}
