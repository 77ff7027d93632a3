use futures_util::future::join_all;
use helios_core::runtime::ContainerId;

use crate::runtime::conformance::look::{must, runs, seen};
use crate::runtime::conformance::{Behaviour, RuntimeHarness};

pub(crate) async fn r16_the_name_of_a_removed_container_is_free(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let mut spec = harness.spec("one", Behaviour::Stubborn);
    let mut last = None;
    for round in 0..4 {
        spec.env.insert("ROUND".into(), round.to_string());
        let id = must(runtime.create(&spec).await, "create");
        assert_ne!(last, Some(id.clone()));
        must(runtime.start(&id).await, "start");
        must(runtime.remove(&id).await, "remove the running");
        last = Some(id);
    }
    assert!(must(runtime.list().await, "list").is_empty());
}

pub(crate) async fn r16_concurrent_removes_all_succeed(harness: &dyn RuntimeHarness) {
    let (ours, again) = (harness.runtime("a").await, harness.runtime("a").await);
    let spec = harness.spec("one", Behaviour::Stubborn);
    for _ in 0..3 {
        let id = must(ours.create(&spec).await, "create");
        must(ours.start(&id).await, "start");
        let both = [&ours, &again, &ours, &again];
        for outcome in join_all(both.iter().map(|runtime| runtime.remove(&id))).await {
            must(outcome, "remove");
        }
    }
    let id = must(ours.create(&spec).await, "create after the removes");
    must(ours.start(&id).await, "start");
    assert!(runs(&seen(&*ours, &spec.name).await));
}

pub(crate) async fn r17_removing_the_missing_succeeds(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let never = ContainerId::new("0123456789abcdef");
    must(runtime.remove(&never).await, "remove the missing");

    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    for _ in 0..2 {
        must(runtime.remove(&id).await, "remove");
    }
}
