use futures_util::StreamExt;
use futures_util::future::join_all;
use helios_core::runtime::{ContainerState, Containers, RuntimeErrorKind as Kind};

use crate::runtime::conformance::look::{GRACE, exit_code, follow_until, must, must_fail, runs};
use crate::runtime::conformance::{Behaviour, RuntimeHarness};

pub(crate) async fn r03_watch_begins_with_the_present(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let first = runtime.watch().next().await;
    assert!(matches!(first, Some(Ok(look)) if look.is_empty()));

    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    let first = runtime.watch().next().await;
    assert!(matches!(first, Some(Ok(look)) if look.get(&spec.name).is_some_and(runs)));
}

pub(crate) async fn r04_watch_shows_every_later_change(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.is_empty()).await;

    let id = must(runtime.create(&spec).await, "create");
    follow_until(&mut watch, |look| look.get(&spec.name).is_some()).await;
    must(runtime.start(&id).await, "start");
    follow_until(&mut watch, |look| look.get(&spec.name).is_some_and(runs)).await;
    must(runtime.stop(&id, GRACE).await, "stop");
    let ended = |look: &_| by_name(look, &spec.name).is_some();
    follow_until(&mut watch, ended).await;
    must(runtime.remove(&id).await, "remove");
    follow_until(&mut watch, |look| look.is_empty()).await;
}

pub(crate) async fn r04_watch_shows_a_process_that_was_killed(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.get(&spec.name).is_some_and(runs)).await;

    harness.kill(&id).await;
    follow_until(&mut watch, |look| by_name(look, &spec.name) == Some(137)).await;
}

pub(crate) async fn r04_watch_shows_a_start_that_failed(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::NoSuchCommand);
    let id = must(runtime.create(&spec).await, "create");
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.get(&spec.name).is_some()).await;

    must_fail(runtime.start(&id).await, &[Kind::BadSpec], "start");
    follow_until(&mut watch, |look| {
        let state = look.get(&spec.name).map(|container| &container.state);
        matches!(state, Some(ContainerState::Created { error: Some(_) }))
    })
    .await;
}

pub(crate) async fn r04_watch_shows_what_happened_while_the_engine_was_away(
    harness: &dyn RuntimeHarness,
) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.get(&spec.name).is_some_and(runs)).await;

    harness.cut().await;
    harness.kill(&id).await;
    harness.heal().await;
    follow_until(&mut watch, |look| by_name(look, &spec.name) == Some(137)).await;
    must(runtime.remove(&id).await, "remove");
    follow_until(&mut watch, |look| look.is_empty()).await;
}

pub(crate) async fn r04_watch_ends_a_burst_with_a_complete_look(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.is_empty()).await;

    let specs: Vec<_> = (0..12)
        .map(|n| harness.spec(&format!("burst-{n}"), Behaviour::Obedient))
        .collect();
    let created = join_all(specs.iter().map(|spec| runtime.create(spec))).await;
    let look = follow_until(&mut watch, |look| look.len() == specs.len()).await;
    for (spec, id) in specs.iter().zip(created) {
        let id = must(id, "create");
        assert_eq!(look.get(&spec.name).map(|c| c.id.clone()), Some(id));
    }
}

pub(crate) async fn r04_every_watch_sees_every_change(harness: &dyn RuntimeHarness) {
    let (ours, again) = (harness.runtime("a").await, harness.runtime("a").await);
    let mut watches = [ours.watch(), ours.watch(), again.watch()];
    for watch in &mut watches {
        follow_until(watch, |look| look.is_empty()).await;
    }
    let spec = harness.spec("one", Behaviour::Obedient);
    must(ours.create(&spec).await, "create");
    for watch in &mut watches {
        follow_until(watch, |look| look.get(&spec.name).is_some()).await;
    }
}

pub(crate) async fn r05_trouble_is_an_item_and_not_the_end(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let mut watch = runtime.watch();
    follow_until(&mut watch, |look| look.is_empty()).await;

    harness.cut().await;
    loop {
        match watch.next().await {
            Some(Err(_)) => break,
            Some(Ok(look)) => assert!(look.is_empty()),
            None => panic!("the watch ended with the engine"),
        }
    }
    harness.heal().await;
    let spec = harness.spec("one", Behaviour::Obedient);
    must(runtime.create(&spec).await, "create");
    follow_until(&mut watch, |look| look.get(&spec.name).is_some()).await;
}

fn by_name(look: &Containers, name: &str) -> Option<i64> {
    look.get(name).and_then(exit_code)
}
