use futures_util::future::join_all;
use helios_core::runtime::RuntimeErrorKind as Kind;

use crate::runtime::conformance::look::{GRACE, must, must_fail, runs, seen};
use crate::runtime::conformance::{Behaviour, RuntimeHarness, SampleImage};

pub(crate) async fn r07_concurrent_creates_make_one_container(harness: &dyn RuntimeHarness) {
    let (ours, again) = (harness.runtime("a").await, harness.runtime("a").await);
    let spec = harness.spec("one", Behaviour::Obedient);
    let both = [&ours, &again, &ours, &again, &ours, &again];
    let ids = join_all(both.iter().map(|runtime| runtime.create(&spec))).await;

    let there = seen(&*ours, &spec.name).await.id;
    for id in ids {
        assert_eq!(must(id, "create"), there);
    }
    assert_eq!(must(ours.list().await, "list").len(), 1);
}

pub(crate) async fn r07_another_spec_of_the_name_is_refused(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    must(runtime.start(&id).await, "start");

    let mut other = spec.clone();
    other.env.insert("COLOUR".into(), "blue".into());
    must_fail(runtime.create(&other).await, &[Kind::NameInUse], "create");
    let there = seen(&*runtime, &spec.name).await;
    assert!(runs(&there) && there.id == id);
}

pub(crate) async fn r07_a_name_of_another_owner_is_refused(harness: &dyn RuntimeHarness) {
    let (ours, theirs) = (harness.runtime("a").await, harness.runtime("b").await);
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(theirs.create(&spec).await, "create");

    must_fail(ours.create(&spec).await, &[Kind::NameInUse], "create");
    assert_eq!(seen(&*theirs, &spec.name).await.id, id);
}

pub(crate) async fn r08_labels_and_digest_are_there_from_the_start(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let mut labelled = harness.spec("labelled", Behaviour::Obedient);
    for (key, value) in [
        ("team", "blue"),
        ("empty", ""),
        ("odd key", "a=b,\"c\" \u{e4}\n"),
    ] {
        labelled.labels.insert(key.into(), value.into());
    }
    let bare = harness.spec("bare", Behaviour::Obedient);
    for spec in [&labelled, &bare] {
        must(runtime.create(spec).await, "create");
        let there = seen(&*runtime, &spec.name).await;
        assert_eq!(there.labels, spec.labels);
        assert_eq!(there.digest, Some(spec.digest()));
    }
}

pub(crate) async fn r09_create_pulls_nothing(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    for sample in [SampleImage::NeverPulled, SampleImage::Unknown] {
        let mut spec = harness.spec("one", Behaviour::Obedient);
        spec.image = harness.image(sample);
        must_fail(runtime.create(&spec).await, &[Kind::ImageUnknown], "create");
    }
    assert!(must(runtime.list().await, "list").is_empty());
}

pub(crate) async fn r09_a_refused_spec_leaves_nothing(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Refused);
    must_fail(runtime.create(&spec).await, &[Kind::BadSpec], "create");
    assert!(must(runtime.list().await, "list").is_empty());
}

pub(crate) async fn r10_creating_again_gives_the_same_container(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let spec = harness.spec("one", Behaviour::Obedient);
    let id = must(runtime.create(&spec).await, "create");
    assert_eq!(must(runtime.create(&spec).await, "create again"), id);

    must(runtime.start(&id).await, "start");
    assert_eq!(must(runtime.create(&spec).await, "create the running"), id);
    assert!(runs(&seen(&*runtime, &spec.name).await));

    must(runtime.stop(&id, GRACE).await, "stop");
    assert_eq!(must(runtime.create(&spec).await, "create the exited"), id);
}
