use helios_core::runtime::RuntimeErrorKind as Kind;

use crate::runtime::conformance::look::{must, must_fail};
use crate::runtime::conformance::{Behaviour, RuntimeHarness, SampleImage};

pub(crate) async fn r06_a_pulled_image_can_be_created(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let mut spec = harness.spec("one", Behaviour::Obedient);
    spec.image = harness.image(SampleImage::Pullable);
    must(runtime.pull(&spec.image).await, "pull");
    must(runtime.create(&spec).await, "create");
}

pub(crate) async fn r06_pulling_again_succeeds(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    let image = harness.image(SampleImage::Pullable);
    for _ in 0..3 {
        must(runtime.pull(&image).await, "pull");
    }
}

pub(crate) async fn r06_a_failed_pull_says_what_failed(harness: &dyn RuntimeHarness) {
    let runtime = harness.runtime("a").await;
    for (sample, kind) in [
        (SampleImage::Unknown, Kind::ImageUnknown),
        (SampleImage::Unreachable, Kind::RegistryUnreachable),
        (SampleImage::Denied, Kind::RegistryDenied),
    ] {
        let image = harness.image(sample);
        must_fail(
            runtime.pull(&image).await,
            &[kind],
            &format!("pull {image}"),
        );
    }
}
