use std::time::Duration;

use helios_core::runtime::{ContainerId, ContainerState};

use crate::runtime::conformance::look::{GRACE, exit_code, must, runs, seen};
use crate::runtime::conformance::{Behaviour, RuntimeHarness};

pub(crate) async fn r13_a_stopped_container_does_not_run(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    for behaviour in [Behaviour::Obedient, Behaviour::Stubborn] {
        let spec = harness.spec(&format!("{behaviour:?}"), behaviour);
        let id = must(runtime.create(&spec).await, "create");
        must(runtime.start(&id).await, "start");
        must(runtime.stop(&id, Duration::ZERO).await, "stop");
        let there = seen(&*runtime, &spec.name).await;
        assert!(exit_code(&there).is_some(), "{there:?}");
    }
}

pub(crate) async fn r14_a_process_has_its_grace(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("slow", Behaviour::Slow);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    harness.ready(&id).await;
    must(runtime.stop(&id, Duration::from_secs(120)).await, "stop");
    assert_eq!(exit_code(&seen(&*runtime, &spec.name).await), Some(0));
}

pub(crate) async fn r14_a_process_is_killed_when_its_grace_is_over(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("stubborn", Behaviour::Stubborn);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    must(runtime.stop(&id, Duration::from_secs(1)).await, "stop");
    assert_eq!(exit_code(&seen(&*runtime, &spec.name).await), Some(137));
}

pub(crate) async fn r15_stopping_what_does_not_run_succeeds(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let grace = GRACE;
    let never = ContainerId::new("0123456789abcdef");
    must(runtime.stop(&never, grace).await, "stop the missing");

    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.stop(&id, grace).await, "stop the created");
    let there = seen(&*runtime, &spec.name).await;
    assert_eq!(there.state, ContainerState::Created { error: None });

    must(runtime.start(&id).await, "start");
    must(runtime.stop(&id, grace).await, "stop");
    must(runtime.stop(&id, grace).await, "stop the stopped");
    assert!(!runs(&seen(&*runtime, &spec.name).await));
}
