use helios_core::runtime::{
    ContainerId, ContainerState, Protocol, PublishedPort, RuntimeErrorKind as Kind,
};

use crate::runtime::conformance::look::{
    GRACE, exit_code, follow_until, must, must_fail, runs, seen,
};
use crate::runtime::conformance::{Behaviour, RuntimeHarness};

pub(crate) async fn r11_a_started_container_runs(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    assert!(runs(&seen(&*runtime, &spec.name).await));
}

pub(crate) async fn r11_an_exit_code_is_kept(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    for code in [0, 7, 255] {
        let spec = harness.spec(&format!("exits-{code}"), Behaviour::Exits(code));
        let id = must(runtime.create(&spec).await, "create");
        must(runtime.start(&id).await, "start");
        let mut watch = runtime.watch();
        let look = follow_until(&mut watch, |look| {
            look.get(&spec.name).and_then(exit_code).is_some()
        })
        .await;
        let seen_code = look.get(&spec.name).and_then(exit_code);
        assert_eq!(seen_code, Some(i64::from(code)));
    }
}

pub(crate) async fn r11_an_exited_container_starts_again(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    for _ in 0..2 {
        must(runtime.start(&id).await, "start");
        assert!(runs(&seen(&*runtime, &spec.name).await));
        must(runtime.stop(&id, GRACE).await, "stop");
    }
}

pub(crate) async fn r11_starting_the_missing_is_not_found(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let never = ContainerId::new("0123456789abcdef");
    must_fail(runtime.start(&never).await, &[Kind::NotFound], "start");

    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.remove(&id).await, "remove");
    must_fail(runtime.start(&id).await, &[Kind::NotFound], "start");
}

pub(crate) async fn r11_a_failed_start_leaves_the_container(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::NoSuchCommand);
    let id = must(runtime.create(&spec).await, "create");
    must_fail(runtime.start(&id).await, &[Kind::BadSpec], "start");

    let there = seen(&*runtime, &spec.name).await;
    assert_eq!(there.id, id);
    assert!(
        matches!(there.state, ContainerState::Created { error: Some(_) }),
        "{there:?}"
    );
}

pub(crate) async fn r11_a_taken_port_is_named_and_can_be_tried_again(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let port = PublishedPort {
        container_port: 80,
        host_port: harness.free_port(),
        host_ip: None,
        protocol: Protocol::Tcp,
    };
    let mut specs = ["first", "second"].map(|name| harness.spec(name, Behaviour::Obedient));
    for spec in &mut specs {
        spec.ports.push(port.clone());
    }
    let [first, second] = specs;
    let holder = must(runtime.create(&first).await, "create");
    must(runtime.start(&holder).await, "start");
    let id = must(runtime.create(&second).await, "create");
    must_fail(runtime.start(&id).await, &[Kind::PortInUse], "start");
    assert!(!runs(&seen(&*runtime, &second.name).await));

    must(runtime.stop(&holder, GRACE).await, "stop");
    must(runtime.start(&id).await, "start with the port free");
    assert!(runs(&seen(&*runtime, &second.name).await));
}

pub(crate) async fn r12_starting_the_running_changes_nothing(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    let before = seen(&*runtime, &spec.name).await;
    let run = harness.run_of(&id).await;
    must(runtime.start(&id).await, "start again");
    assert_eq!(harness.run_of(&id).await, run);
    assert_eq!(seen(&*runtime, &spec.name).await, before);
}
